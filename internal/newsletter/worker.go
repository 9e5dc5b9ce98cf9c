package newsletter

import (
	"context"
	"errors"
	"time"

	"tidings/internal/journal"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// idleClose is how long a connection stays open without work.
const idleClose = 20 * time.Second

// A worker sends jobs over one connection of its own. While one message is
// under way the next lies ready, so that the relay need not wait for it.
type worker struct {
	*Sender
	begin   context.Context // once it ends, jobs not begun are given back
	wire    context.Context // ends when nothing may be on the wire any more
	conn    relay.Conn      // nil while there is none
	carried int             // messages that conn was used for
	spare   [][]byte        // buffers for messages
}

// A letter is a job on its way to the relay.
type letter struct {
	job       store.Job
	looked    time.Time  // when its reader was last seen to want it
	pass      *pace.Pass // nil: it may not begin yet
	env       relay.Envelope
	msg       []byte // nil: not made yet
	announced bool   // the relay knows the envelope already
}

func newLetter(job store.Job) *letter { return &letter{job: job, looked: job.ClaimedAt} }

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
		if !w.ready(current) {
			current = nil
			continue
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
		if w.conn == nil && !w.lines.free() && w.begin.Err() == nil {
			select { // the jobs are for those who have a connection
			case <-w.begin.Done():
			case <-time.After(lineWait):
			}
			continue
		}
		warm := w.warm
		if w.conn == nil {
			warm = nil
		}
		select {
		case <-idle.C:
			w.hangUp()
		case job := <-warm:
			return newLetter(job)
		case job, ok := <-w.jobs:
			if !ok {
				return nil
			}
			if !w.passOn(job) {
				return newLetter(job)
			}
		}
	}
}

// lineWait is how often a worker without a connection looks whether it may have
// one.
const lineWait = 200 * time.Millisecond

// passOn gives a job to a worker whose connection has nothing to do, rather
// than to make another one.
func (w *worker) passOn(job store.Job) bool {
	if w.conn != nil {
		return false
	}
	select {
	case w.warm <- job:
		return true
	default:
		return false
	}
}

// ahead gives a letter to follow the current one at once; nil if there are so
// few jobs that a worker with nothing else to do should have them. One that
// cannot be sure to begin then is not made yet.
func (w *worker) ahead() *letter {
	for len(w.jobs) > w.cfg.Connections {
		select {
		case job, ok := <-w.jobs:
			if !ok {
				return nil
			}
			l := newLetter(job)
			if l.pass = w.pace.Ahead(mailOf(job)); l.pass == nil || w.prepare(l) {
				return l
			}
		default:
			return nil
		}
	}
	return nil
}

// mailOf is what the pace depends on.
func mailOf(job store.Job) pace.Mail {
	return pace.Mail{Newsletter: job.Newsletter, Domain: pace.Domain(job.Email), Again: job.Setbacks > 0}
}

// ready brings a letter to where it can be sent. If that is not to be, it
// settles the job.
func (w *worker) ready(l *letter) bool {
	if l.pass != nil && w.conn == nil {
		l.pass.Done(pace.Unused, "") // what broke the connection may hold it up too
		l.pass, l.announced = nil, false
	}
	if l.pass == nil {
		var until time.Time
		if l.pass, until = w.pace.Admit(w.begin, mailOf(l.job)); l.pass == nil {
			w.results <- attempt{result: giveBack(l.job, until)}
			return false
		}
	}
	if w.begin.Err() != nil || w.Healthy() != nil {
		w.drop(l, giveBack(l.job, w.clock.Now()))
		return false
	}
	return w.prepare(l)
}

// drop settles the job of a letter that is not sent after all.
func (w *worker) drop(l *letter, r store.Result) {
	l.pass.Done(pace.Unused, "")
	if l.announced {
		w.hangUp()
	}
	w.results <- attempt{result: r}
}

// prepare looks at a job once more and makes its message. If it is not to be
// sent, it settles the job.
func (w *worker) prepare(l *letter) bool {
	if r, off := w.putOff(l); off {
		w.drop(l, r)
		return false
	}
	if l.msg != nil {
		return true
	}
	var buf []byte
	if n := len(w.spare); n > 0 {
		buf, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	var err error
	var intended time.Time
	if l.env, l.msg, intended, err = w.compose.message(w.wire, l.job, buf); err != nil {
		w.drop(l, w.unmade(l.job, err))
		return false
	}
	if until := w.compose.service.holdOff(l.job, intended, w.clock.Now()); !until.IsZero() {
		w.drop(l, giveBack(l.job, until))
		return false
	}
	return true
}

// absent is how long mails of a newsletter wait that is not configured.
const absent = time.Minute

// unmade says what becomes of a job whose mail could not be made. A database
// that cannot be read at present is not the reader's fault, and neither is a
// newsletter that is missing from the configuration: it may be there again.
func (w *worker) unmade(job store.Job, err error) store.Result {
	if transient(err) {
		return giveBack(job, w.clock.Now().Add(retryCommit))
	}
	if errors.Is(err, ErrNewsletter) {
		w.log.Warn("mails wait for their newsletter to be configured again", "edition", job.EditionID, "error", err)
		r := giveBack(job, w.clock.Now().Add(absent))
		r.Reason = err.Error()
		return r
	}
	w.log.Error("a mail could not be made", "edition", job.EditionID, "delivery", job.Seq, "error", err)
	return failed(job, err.Error())
}

// send makes one attempt at a letter. The next one, if there is one that can
// follow, is announced to the relay meanwhile.
func (w *worker) send(l, next *letter) {
	if !w.room() {
		w.drop(l, giveBack(l.job, w.clock.Now()))
		return
	}
	a := w.try(l, next)
	a.room = w.window != nil
	w.results <- a
}

func (w *worker) try(l, next *letter) attempt {
	for {
		if err := w.connect(); err != nil {
			return w.unconnected(l, err)
		}
		w.carried++
		last := w.carried == w.cfg.MaxMessages
		if next != nil && next.pass != nil && !last {
			w.conn.Announce(next.env, next.msg)
			next.announced = true
		}
		a, worn := w.attempt(l)
		if last || !w.conn.Usable() {
			w.hangUp()
		}
		if !worn {
			return a
		}
	}
}

// connect sees to it that there is a connection.
func (w *worker) connect() error {
	if w.conn != nil {
		return nil
	}
	if !w.lines.free() {
		return errNoLine
	}
	conn, err := w.lines.dial(w.wire, w.relay)
	if err != nil {
		return err
	}
	w.conn, w.carried = conn, 0
	return nil
}

// unconnected says what becomes of a letter for which no connection could be
// made. One that is beyond the relay's limit is for those who have one.
func (w *worker) unconnected(l *letter, err error) attempt {
	if f := failureOf(err); !errors.Is(err, errNoLine) && !w.lines.beyond(f) {
		return w.result(l, f)
	}
	l.pass.Done(pace.Unused, "")
	return attempt{result: giveBack(l.job, w.clock.Now())}
}

func (w *worker) hangUp() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
		w.lines.closed()
	}
}

// freshFor is how long a look at the reader, as a claim takes one, is good for.
const freshFor = time.Second

// putOff looks at a job once more before it is begun: since the claim its
// reader may have left or the edition been stopped.
func (w *worker) putOff(l *letter) (store.Result, bool) {
	job, now := l.job, w.clock.Now()
	if now.Sub(l.looked) < freshFor {
		return store.Result{}, false
	}
	state, reason, err := w.store.Unwanted(w.begin, now, job.DeliveryRef)
	switch {
	case err != nil:
		return giveBack(job, now), true
	case state == "":
		l.looked = now
		return store.Result{}, false
	}
	r := giveBack(job, now)
	r.State, r.Reason = state, reason
	return r, true
}

func giveBack(job store.Job, now time.Time) store.Result {
	return store.Result{DeliveryRef: job.DeliveryRef, State: store.DeliveryPending, NextAt: now}
}

// errWithdrawn takes a message back before its final dot.
var errWithdrawn = errors.New("the mail is not wanted any more")

// attemptKey names this attempt at a delivery in the journal.
func attemptKey(job store.Job) journal.Key {
	return journal.Key{Edition: job.EditionID, Seq: job.Seq, Attempt: job.ClaimedAt.UnixMilli()}
}

// attempt sends one message, with its dot and its answer in the journal. worn
// means that the relay had closed the connection before: nothing was sent.
func (w *worker) attempt(l *letter) (a attempt, worn bool) {
	key := attemptKey(l.job)
	dotted, withdrawn := false, false
	var late store.Result
	var unwritten error
	reply, err := w.conn.Send(w.wire, l.env, l.msg, func() error {
		if late, withdrawn = w.putOff(l); withdrawn { // the relay may have been slow
			return errWithdrawn
		}
		if withdrawn = !w.lease.valid(); withdrawn { // and so may this process
			late = giveBack(l.job, w.clock.Now())
			return errWithdrawn
		}
		unwritten = w.journal.Dot(key)
		dotted = unwritten == nil
		return unwritten
	})
	switch {
	case err == nil:
		// The answer is in the database a moment later; the journal covers
		// the moment. If it cannot, the delivery would merely be in doubt.
		_ = w.journal.Answer(key, reply.Code)
		l.pass.Done(pace.Accepted, "")
		w.lines.took()
		r := store.Result{DeliveryRef: l.job.DeliveryRef, State: store.DeliverySent, Counted: true, Code: reply.Code, Reason: reply.Text}
		return attempt{key: key, result: r}, false
	case withdrawn:
		l.pass.Done(pace.Unused, "")
		return attempt{result: late}, false
	case unwritten != nil:
		l.pass.Done(pace.Unused, "") // our disk's doing
		r := giveBack(l.job, w.clock.Now().Add(retryCommit))
		r.Reason = unwritten.Error()
		return attempt{result: r}, false
	}
	f := failureOf(err)
	if w.carried > 1 && isWorn(f, w.conn) && w.wire.Err() == nil {
		return attempt{}, true
	}
	a = w.result(l, f)
	if dotted {
		a.key = key
		if f.Kind != relay.InDoubt && f.Code != 0 {
			_ = w.journal.Answer(key, f.Code)
		}
	}
	return a, false
}
