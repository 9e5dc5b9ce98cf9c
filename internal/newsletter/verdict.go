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

// A failure is why the relay did not take a mail, with the class of its answer,
// which is worked out once.
type failure struct {
	*relay.Error
	class bounce.Class // "" if nothing was refused in so many words
}

// failureOf takes any error for one of the relay's.
func failureOf(err error) failure {
	re, ok := errors.AsType[*relay.Error](err)
	if !ok {
		re = &relay.Error{Phase: "send", Kind: relay.Unavailable, Err: err}
	}
	f := failure{Error: re}
	if re.Code != 0 && (re.Kind == relay.Permanent || re.Kind == relay.Temporary) {
		f.class = bounce.Classify(re.Enhanced, re.Reply.String())
	}
	return f
}

// ours reports whether a refusal for good speaks of our login, our right to
// send, our sender's address or the dialogue (5.5.x, 50x): somebody here or at
// the relay has to mend something.
func (f failure) ours() bool { return f.Kind == relay.Permanent && f.class == bounce.Relay }

// protocol reports whether a refusal speaks of the dialogue.
func (f failure) protocol() bool {
	return f.Code/10 == 50 || strings.HasPrefix(f.Enhanced, "5.5.") || strings.HasPrefix(f.Enhanced, "4.5.")
}

// relays reports whether a refusal for now is the relay's own trouble (4.3.x,
// 4.5.x of RFC 3463), or about the number of our mails.
func (f failure) relays() bool {
	return f.Kind == relay.Temporary && (strings.HasPrefix(f.Enhanced, "4.3.") || f.protocol() || throttles(f.Reply))
}

// bounce gives what a refusal adds to a reader's bounces.
func (f failure) bounce(ref store.DeliveryRef) *store.Bounce {
	return &store.Bounce{DeliveryRef: ref, Class: string(f.class), Status: bounce.StatusIn(f.Reply.String()), Note: f.Error.Error()}
}

// result says what a failed attempt means for the delivery, and ends its pass.
func (w *worker) result(l *letter, f failure) attempt {
	v := f.verdict(w.conn)
	if w.wire.Err() != nil {
		v = pace.Unused // we broke the connection
	}
	until := l.pass.Done(v, f.Error.Error())
	a := w.settle(l.job, f, w.clock.Now(), v == pace.Disowned && w.pace.Until("").After(w.clock.Now()))
	if f.Kind == relay.Unavailable && (v == pace.Broken || v == pace.Throttled) {
		a.result = w.setback(l.job, a.result, w.clock.Now())
	}
	if a.result.State == store.DeliveryPending && until.After(a.result.NextAt) {
		a.result.NextAt = until
	}
	return a
}

// settle says what a failure means for the delivery; shared, that it befalls
// everybody, whatever it says.
func (s *Sender) settle(job store.Job, f failure, now time.Time, shared bool) attempt {
	r := store.Result{DeliveryRef: job.DeliveryRef, Code: f.Code, Reason: f.Error.Error(), State: store.DeliveryPending}
	switch f.Kind {
	case relay.Permanent:
		if f.ours() || shared { // it says nothing of this reader, and may be mended in time
			return attempt{result: s.postpone(job, r, now)}
		}
		r.State, r.Counted = store.DeliveryFailed, true
	case relay.Temporary:
		if f.relays() {
			return attempt{result: s.postpone(job, r, now)}
		}
		r = s.later(job, r, now)
	case relay.InDoubt:
		r = s.doubt(job, r, now)
	}
	a := attempt{result: r}
	if r.State == store.DeliveryFailed && f.class != "" {
		a.bounce = f.bounce(job.DeliveryRef)
	}
	return a
}

// isWorn reports whether a connection that was used before was closed between
// two mails, as relays do that limit their number or the time between them.
func isWorn(f failure, c relay.Conn) bool {
	return f.Kind == relay.Unavailable && f.Phase == relay.PhaseMail && (f.Code == 0 || f.Code == closing) && !c.Usable()
}

// closing is the reply of a relay that closes the connection (RFC 5321 §3.8).
const closing = 421

// verdict says what a failure means for the mails to come; c is the connection
// it happened on, if there was one.
func (f failure) verdict(c relay.Conn) pace.Verdict {
	switch f.Phase {
	case relay.PhaseDial, relay.PhaseGreeting, relay.PhaseTLS, relay.PhaseAuth:
		if f.Code/100 == 4 {
			return pace.Crowded
		}
		return pace.Unreachable
	case relay.PhaseMail:
		if f.Code == closing || throttles(f.Reply) {
			return pace.Crowded
		}
		if f.Code != 0 || c != nil && c.Usable() {
			return pace.SenderRefused
		}
		return pace.Broken
	}
	switch {
	case throttles(f.Reply):
		return pace.Throttled
	case f.ours() && f.protocol():
		return pace.Broken
	case f.ours(), f.Kind == relay.Permanent && f.class == bounce.Block:
		return pace.Disowned
	case f.Code == 0 && f.Kind != relay.Permanent, f.Code == closing:
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

// postpone defers a delivery for what is not its reader's fault: nothing is
// counted, but the delay grows all the same.
func (s *Sender) postpone(job store.Job, r store.Result, now time.Time) store.Result {
	r.State, r.Setback, r.NextAt = store.DeliveryPending, true, now.Add(backoff(s.cfg.RetryBase, job.Setbacks))
	return r
}

// setback notes that a delivery broke its connection. That may be chance, so it
// is tried again soon; a mail that breaks them all by itself must not do so
// every few seconds.
func (s *Sender) setback(job store.Job, r store.Result, now time.Time) store.Result {
	r.Setback = true
	if job.Setbacks > 0 {
		r.NextAt = now.Add(backoff(s.cfg.RetryBase, job.Setbacks-1))
	}
	return r
}

// mostCopies is how many messages of one delivery may be on their way without
// an answer, unless a maintainer asks for more.
const mostCopies = 3

// doubt applies the edition's policy to a delivery whose answer was lost. A
// relay that loses the answer each time must not make a flood of copies: the
// delays grow, there are mostCopies, and attempts are limited as for refusals.
func (s *Sender) doubt(job store.Job, r store.Result, now time.Time) store.Result {
	r.Counted = true
	exhausted := job.Copies+1 >= mostCopies || s.cfg.MaxAttempts > 0 && job.Attempts+1 >= s.cfg.MaxAttempts
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
