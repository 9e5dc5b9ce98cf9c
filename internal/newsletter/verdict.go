package newsletter

import (
	"errors"
	"math/rand/v2"
	"time"

	"tidings/internal/relay"
	"tidings/internal/store"
)

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
