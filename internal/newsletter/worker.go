package newsletter

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"tidings/internal/journal"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// idleClose is how long a connection stays open without work.
const idleClose = 20 * time.Second

// A worker sends jobs over one connection of its own. While one message is
// under way the next lies ready, so that the relay need not wait for it.
type worker struct {
	*Sender
	begin context.Context // once it ends, jobs not begun are given back
	wire  context.Context // ends when nothing may be on the wire any more
	conn  relay.Conn      // nil while there is none
	spare [][]byte        // buffers for messages
}

// A letter is a job whose message is ready.
type letter struct {
	job       store.Job
	env       relay.Envelope
	msg       []byte
	announced bool // the relay knows the envelope already
}

// run sends jobs until there are no more.
func (w *worker) run() {
	defer w.hangUp()
	var current *letter
	for {
		if current == nil {
			if current = w.wait(); current == nil {
				return
			}
		}
		next := w.ahead()
		w.send(current, next)
		w.spare = append(w.spare, current.msg[:0])
		current = next
	}
}

// wait gives the next letter; nil if no more will come. A connection that has
// nothing to do for a while is closed.
func (w *worker) wait() *letter {
	idle := time.NewTimer(idleClose)
	defer idle.Stop()
	for {
		select {
		case <-idle.C:
			w.hangUp()
		case job, ok := <-w.jobs:
			if !ok {
				return nil
			}
			if l := w.prepare(job); l != nil {
				return l
			}
		}
	}
}

// ahead gives a letter to follow the current one at once; nil if there are so
// few jobs that a worker with nothing else to do should have them, or if each
// has to wait for the rate limit.
func (w *worker) ahead() *letter {
	for w.cfg.Limit.Limit() == rate.Inf && len(w.jobs) > w.cfg.Connections {
		select {
		case job, ok := <-w.jobs:
			if !ok {
				return nil
			}
			if l := w.prepare(job); l != nil {
				return l
			}
		default:
			return nil
		}
	}
	return nil
}

// prepare makes the message of a job that may be begun; else it settles the
// job and gives nil.
func (w *worker) prepare(job store.Job) *letter {
	if r, off := w.putOff(job); off {
		w.results <- attempt{result: r}
		return nil
	}
	l := &letter{job: job}
	var buf []byte
	if n := len(w.spare); n > 0 {
		buf, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	var err error
	if l.env, l.msg, err = w.compose.message(w.wire, job, buf); err != nil {
		w.results <- attempt{result: w.unmade(job, err)}
		return nil
	}
	return l
}

// unmade says what becomes of a job whose mail could not be made. A database
// that cannot be read at present is not the reader's fault.
func (w *worker) unmade(job store.Job, err error) store.Result {
	if transient(err) {
		return giveBack(job, w.clock.Now().Add(retryCommit))
	}
	w.log.Error("a mail could not be made", "edition", job.EditionID, "delivery", job.Seq, "error", err)
	return failed(job, err.Error())
}

// send makes one attempt at a letter. The next one, if there is one, is
// announced to the relay meanwhile.
func (w *worker) send(l, next *letter) {
	r, off := giveBack(l.job, w.clock.Now()), !w.mayBegin()
	if !off {
		r, off = w.putOff(l.job) // the wait may have been long
	}
	if off {
		if l.announced {
			w.hangUp()
		}
		w.results <- attempt{result: r}
		return
	}
	if err := w.connect(); err != nil {
		w.results <- attempt{result: w.result(l.job, err)}
		return
	}
	if next != nil {
		w.conn.Announce(next.env, next.msg)
		next.announced = true
	}
	w.results <- w.attempt(l)
	if !w.conn.Usable() {
		w.hangUp()
	}
}

// connect sees to it that there is a connection.
func (w *worker) connect() (err error) {
	if w.conn == nil {
		w.conn, err = w.relay.Connect(w.wire)
	}
	return err
}

func (w *worker) hangUp() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// mayBegin waits for the rate limit. It is false at shutdown, while the relay
// is out, and while results cannot be recorded.
func (w *worker) mayBegin() bool {
	return w.cfg.Limit.Wait(w.begin) == nil && w.begin.Err() == nil &&
		!w.clock.Now().Before(w.outage.until(everybody)) && w.Healthy() == nil
}

// freshFor is how long the look at the reader that a claim took is good for.
const freshFor = time.Second

// putOff looks at a job once more before it is begun: its newsletter's sender
// may be refused at present, and since the claim its reader may have left or
// the edition been stopped.
func (w *worker) putOff(job store.Job) (store.Result, bool) {
	now := w.clock.Now()
	if until := w.outage.until(job.Newsletter); now.Before(until) {
		return giveBack(job, until), true
	}
	if now.Sub(job.ClaimedAt) < freshFor {
		return store.Result{}, false
	}
	state, reason, err := w.store.Unwanted(w.begin, job.DeliveryRef)
	switch {
	case err != nil:
		return giveBack(job, now), true
	case state == "":
		return store.Result{}, false
	}
	r := giveBack(job, now)
	r.State, r.Reason = state, reason
	return r, true
}

func giveBack(job store.Job, now time.Time) store.Result {
	return store.Result{DeliveryRef: job.DeliveryRef, State: store.DeliveryPending, NextAt: now}
}

// attemptKey names this attempt at a delivery in the journal.
func attemptKey(job store.Job) journal.Key {
	return journal.Key{Edition: job.EditionID, Seq: job.Seq, Attempt: job.ClaimedAt.UnixMilli()}
}

// attempt sends one message, with its dot and its answer in the journal.
func (w *worker) attempt(l *letter) attempt {
	key := attemptKey(l.job)
	dotted := false
	reply, err := w.conn.Send(w.wire, l.env, l.msg, func() error {
		err := w.journal.Dot(key)
		dotted = err == nil
		return err
	})
	if err == nil {
		// The answer is in the database a moment later; the journal covers
		// the moment. If it cannot, the delivery would merely be in doubt.
		_ = w.journal.Answer(key, reply.Code)
		w.outage.over(l.job.Newsletter)
		r := store.Result{DeliveryRef: l.job.DeliveryRef, State: store.DeliverySent, Counted: true, Code: reply.Code, Reason: reply.Text}
		return attempt{key: key, result: r}
	}
	a := attempt{result: w.result(l.job, err)}
	if dotted {
		a.key = key
		if re, ok := errors.AsType[*relay.Error](err); ok && re.Kind != relay.InDoubt && re.Code != 0 {
			_ = w.journal.Answer(key, re.Code)
		}
	}
	return a
}
