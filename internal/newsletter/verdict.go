package newsletter

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"tidings/internal/bounce"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/store"
)

func failed(job store.Job, reason string) store.Result {
	return store.Result{DeliveryRef: job.DeliveryRef, State: store.DeliveryFailed, Counted: true, Reason: reason}
}

// refusal gives an error as the relay's.
func refusal(err error) *relay.Error {
	if re, ok := errors.AsType[*relay.Error](err); ok {
		return re
	}
	return &relay.Error{Phase: "send", Kind: relay.Unavailable, Err: err}
}

// result says what a failed attempt means for the delivery, and ends its pass.
func (w *worker) result(l *letter, err error) store.Result {
	re, now := refusal(err), w.clock.Now()
	r := store.Result{DeliveryRef: l.job.DeliveryRef, Code: re.Code, Reason: re.Error()}
	v := verdict(re, w.conn)
	if w.wire.Err() != nil {
		v = pace.Unused // we broke the connection
	}
	until := l.pass.Done(v, re.Error())
	switch re.Kind {
	case relay.Permanent:
		r.State, r.Counted = store.DeliveryFailed, true
		if ours(re) || v == pace.Disowned && w.pace.Until("").After(now) {
			r = w.later(l.job, r, now) // it says nothing of this reader, and may be mended in time
		}
	case relay.Temporary:
		r = w.later(l.job, r, now)
	case relay.InDoubt:
		r = w.doubt(l.job, r, now)
	case relay.Unavailable:
		r.State = store.DeliveryPending
	}
	if r.State == store.DeliveryPending && until.After(r.NextAt) {
		r.NextAt = until
	}
	return r
}

// isWorn reports whether a connection that was used before was closed between
// two mails, as relays do that limit their number or the time between them.
func isWorn(re *relay.Error, c relay.Conn) bool {
	return re.Kind == relay.Unavailable && re.Phase == relay.PhaseMail && (re.Code == 0 || re.Code == closing) && !c.Usable()
}

// closing is the reply of a relay that closes the connection (RFC 5321 §3.8).
const closing = 421

// verdict says what a failure means for the mails to come; c is the connection
// it happened on, if there was one.
func verdict(re *relay.Error, c relay.Conn) pace.Verdict {
	switch re.Phase {
	case relay.PhaseDial, relay.PhaseGreeting, relay.PhaseTLS, relay.PhaseAuth:
		if re.Code/100 == 4 {
			return pace.Crowded
		}
		return pace.Unreachable
	case relay.PhaseMail:
		if re.Code == closing || throttles(re.Reply) {
			return pace.Crowded
		}
		if re.Code != 0 || c != nil && c.Usable() {
			return pace.SenderRefused
		}
		return pace.Broken
	}
	switch {
	case throttles(re.Reply):
		return pace.Throttled
	case ours(re), re.Kind == relay.Permanent && classOf(re) == bounce.Block:
		return pace.Disowned
	case re.Code == 0 && re.Kind != relay.Permanent, re.Code == closing:
		return pace.Broken
	}
	return pace.Refused
}

var (
	// slowDown are the words of relays that have no enhanced codes, or not the
	// right ones.
	slowDown = regexp.MustCompile(`(?i)rate.?limit|throttl|too (many|fast)|too much mail`)
	// greylisting asks each recipient to wait a little, once, not the sender
	// to slow down.
	greylisting = regexp.MustCompile(`(?i)gr[ae]y.?list`)
	// forbearance are the enhanced codes that ask to slow down (RFC 3463): the
	// system takes no mail, or has too much of it, or its policy is against it.
	forbearance = regexp.MustCompile(`^4\.(3\.2|4\.5|7\.\d+)$`)
)

// throttles reports whether a refusal is about the number of our mails, not
// about this one.
func throttles(r relay.Reply) bool {
	return r.Code/100 == 4 && !greylisting.MatchString(r.Text) && (forbearance.MatchString(r.Enhanced) || slowDown.MatchString(r.Text))
}

// ours reports whether a refusal for good speaks of our login, our right to
// send or our sender's address: somebody here has to mend something. Codes
// about commands (5.5.x, 50x) do too, but an odd address may cause them.
func ours(re *relay.Error) bool {
	return re.Kind == relay.Permanent && classOf(re) == bounce.Relay && !strings.HasPrefix(re.Enhanced, "5.5.") && re.Code/10 != 50
}

// classOf gives the class of a refusal; "" if the relay said nothing.
func classOf(re *relay.Error) bounce.Class {
	if re.Code == 0 {
		return ""
	}
	return bounce.Classify(re.Enhanced, re.Reply.String())
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
