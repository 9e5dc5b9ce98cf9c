package newsletter

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"tidings/internal/journal"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// idleClose is how long a connection stays open without work.
const idleClose = 20 * time.Second

// work sends jobs over one connection until there are no more. Once begin
// ends, jobs not begun are given back; wire ends when nothing may be on the
// wire any more.
func (s *Sender) work(begin, wire context.Context) {
	var conn relay.Conn
	hangUp := func() {
		if conn != nil {
			conn.Close()
			conn = nil
		}
	}
	defer hangUp()
	idle := time.NewTimer(idleClose)
	defer idle.Stop()
	for {
		select {
		case <-idle.C:
			hangUp()
		case job, ok := <-s.jobs:
			if !ok {
				return
			}
			if conn != nil && !conn.Usable() {
				hangUp()
			}
			conn = s.serve(begin, wire, conn, job)
			idle.Reset(idleClose)
		}
	}
}

// serve makes one attempt at a job and gives the connection to go on with.
func (s *Sender) serve(begin, wire context.Context, conn relay.Conn, job store.Job) relay.Conn {
	r, off := s.putOff(begin, job) // before the rate limit, which it need not use up
	if !off && !s.mayBegin(begin) {
		r, off = giveBack(job, s.clock.Now()), true
	}
	if !off {
		r, off = s.putOff(begin, job) // the wait may have been long
	}
	if off {
		s.results <- attempt{result: r}
		return conn
	}
	if conn == nil {
		var err error
		if conn, err = s.relay.Connect(wire); err != nil {
			s.results <- attempt{result: s.result(job, err)}
			return nil
		}
	}
	s.results <- s.attempt(wire, conn, job)
	return conn
}

// mayBegin waits for the rate limit. It is false at shutdown, while the relay
// is out, and while results cannot be recorded.
func (s *Sender) mayBegin(begin context.Context) bool {
	return s.cfg.Limit.Wait(begin) == nil && begin.Err() == nil &&
		!s.clock.Now().Before(s.outage.until(everybody)) && s.Healthy() == nil
}

// freshFor is how long the look at the reader that a claim took is good for.
const freshFor = time.Second

// putOff looks at a job once more before it is begun: its newsletter's sender
// may be refused at present, and since the claim its reader may have left or
// the edition been stopped.
func (s *Sender) putOff(ctx context.Context, job store.Job) (store.Result, bool) {
	now := s.clock.Now()
	if until := s.outage.until(job.Newsletter); now.Before(until) {
		return giveBack(job, until), true
	}
	if now.Sub(job.ClaimedAt) < freshFor {
		return store.Result{}, false
	}
	state, reason, err := s.store.Unwanted(ctx, job.DeliveryRef)
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
func (s *Sender) attempt(ctx context.Context, conn relay.Conn, job store.Job) attempt {
	env, msg, err := s.compose.message(ctx, job)
	if err != nil {
		s.log.Error("a mail could not be made", "edition", job.EditionID, "delivery", job.Seq, "error", err)
		return attempt{result: failed(job, err.Error())}
	}
	key := attemptKey(job)
	dotted := false
	reply, err := conn.Send(ctx, env, msg, func() error {
		err := s.journal.Dot(key)
		dotted = err == nil
		return err
	})
	if err == nil {
		// The answer is in the database a moment later; the journal covers
		// the moment. If it cannot, the delivery would merely be in doubt.
		_ = s.journal.Answer(key, reply.Code)
		s.outage.over(job.Newsletter)
		r := store.Result{DeliveryRef: job.DeliveryRef, State: store.DeliverySent, Counted: true, Code: reply.Code, Reason: reply.Text}
		return attempt{key: key, result: r}
	}
	a := attempt{result: s.result(job, err)}
	if dotted {
		a.key = key
		if re, ok := errors.AsType[*relay.Error](err); ok && re.Kind != relay.InDoubt && re.Code != 0 {
			_ = s.journal.Answer(key, re.Code)
		}
	}
	return a
}

func failed(job store.Job, reason string) store.Result {
	return store.Result{DeliveryRef: job.DeliveryRef, State: store.DeliveryFailed, Counted: true, Reason: reason}
}

// result says what a failed attempt means for the delivery.
func (s *Sender) result(job store.Job, err error) store.Result {
	now := s.clock.Now()
	re, ok := errors.AsType[*relay.Error](err)
	if !ok {
		re = &relay.Error{Phase: "send", Kind: relay.Unavailable, Err: err}
	}
	r := store.Result{DeliveryRef: job.DeliveryRef, Code: re.Code, Reason: re.Error()}
	switch re.Kind {
	case relay.Permanent:
		s.outage.over(job.Newsletter)
		r.State, r.Counted = store.DeliveryFailed, true
	case relay.Temporary:
		s.outage.over(job.Newsletter)
		r = s.later(job, r, now)
	case relay.InDoubt:
		r = s.doubt(job, r, now)
	case relay.Unavailable:
		r.State, r.NextAt = store.DeliveryPending, s.unavailable(job, re, now)
	}
	return r
}

// unavailable notes that the relay could not be used, or would not take this
// newsletter's sender, and gives when to try again.
func (s *Sender) unavailable(job store.Job, re *relay.Error, now time.Time) time.Time {
	whom := everybody
	if re.Phase == relay.PhaseMail && re.Code != 0 {
		whom = job.Newsletter
	}
	until, first := s.outage.failed(whom, now)
	if first {
		s.log.Warn("the relay cannot be used", "newsletter", whom, "error", re, "again_in", until.Sub(now).Round(time.Second))
	}
	return until
}

// later defers a delivery, with growing, jittered delay.
func (s *Sender) later(job store.Job, r store.Result, now time.Time) store.Result {
	r.Counted = true
	if s.cfg.MaxAttempts > 0 && job.Attempts+1 >= s.cfg.MaxAttempts {
		r.State = store.DeliveryFailed
		return r
	}
	r.State, r.NextAt = store.DeliveryPending, now.Add(backoff(s.cfg.RetryBase, job.Attempts))
	return r
}

// longestRetry is the longest delay between two attempts.
const longestRetry = 4 * time.Hour

// backoff gives base × 3^attempts, at most four hours, ± 20 %.
func backoff(base time.Duration, attempts int) time.Duration {
	d := base
	for range min(attempts, 20) {
		d = min(3*d, longestRetry)
	}
	return d - d/5 + rand.N(max(2*d/5, 1))
}

// doubt applies the edition's policy to a delivery whose answer was lost. A
// relay that loses the answer each time must not make a flood of copies: the
// delays grow, and attempts are limited as for refusals.
func (s *Sender) doubt(job store.Job, r store.Result, now time.Time) store.Result {
	r.Counted = true
	exhausted := s.cfg.MaxAttempts > 0 && job.Attempts+1 >= s.cfg.MaxAttempts
	if job.InDoubt != store.Resend || exhausted {
		r.State = store.DeliveryInDoubt
		return r
	}
	delay := doubtDelay
	if job.Attempts > 0 {
		delay = backoff(s.cfg.RetryBase, job.Attempts-1)
	}
	r.State, r.Resent, r.NextAt = store.DeliveryPending, true, now.Add(delay)
	return r
}

// doubtDelay keeps the first resend out of whatever cut the message short.
const doubtDelay = 5 * time.Second
