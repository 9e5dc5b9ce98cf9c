package alert

import (
	"context"
	"errors"
	"sync"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

const (
	tellEvery = 20 * time.Second
	quiet     = time.Hour        // between two mails that tell of the same thing
	spacing   = 10 * time.Minute // between any two mails, which gather what comes meanwhile
	lease     = 5 * time.Minute  // a Teller that dies is followed by another after this
	again     = time.Minute      // after a mail was not taken
	refused   = time.Hour        // after it was refused for good
)

// A Teller mails alerts. Each is told once, and once that it is over; what the
// relay does not take is told later.
type Teller struct {
	Config
	Deps
	last   time.Time // when the last mail went out
	failed string    // why the last one did not, to log each reason once
	next   time.Time // when it is tried again, with all that comes meanwhile

	mu     sync.Mutex
	urgent *store.Alert // what stops everything else, and could not be recorded
	warned time.Time    // when a mail told of it
}

func newTeller(c Config, d Deps) *Teller { return &Teller{Config: c, Deps: d} }

// hear takes an alert that cannot be recorded; nil: everything can.
func (t *Teller) hear(a *store.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.urgent = a
}

func (t *Teller) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := t.round(ctx); err != nil && ctx.Err() == nil {
			t.trouble(err)
		}
		_ = t.Service.Clock.Sleep(ctx, atLeast(t.Service.Clock, tellEvery, time.Second)) // ends early with ctx
	}
}

func (t *Teller) trouble(err error) {
	if t.failed != err.Error() {
		t.Service.Log.Warn("alerts are not mailed; trying again", "error", err)
	}
	t.failed = err.Error()
}

// round tells what there is to tell.
func (t *Teller) round(ctx context.Context) error {
	now, db := t.Service.Clock.Now(), t.Service.Store
	if t.To != "" {
		if told, err := t.tellUrgent(ctx, now); told || err != nil {
			return err
		}
		if err := t.learn(ctx, now); err != nil || now.Sub(t.last) < spacing || t.waits(now) {
			return err
		}
	}
	due, err := db.ClaimAlerts(ctx, now, now.Add(atLeast(t.Service.Clock, lease, 30*time.Second)), now.Add(-quiet))
	if err != nil || len(due) == 0 {
		return err
	}
	next, err := t.mail(ctx, now, due)
	if t.next = next; err == nil {
		t.last, t.failed = now, ""
	}
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, db.RecordAlerts(keep, t.Service.Clock.Now(), due, err == nil, next))
}

// learn finds out when the last mail was sent by another process, or before a
// restart.
func (t *Teller) learn(ctx context.Context, now time.Time) error {
	if !t.last.IsZero() && !t.last.After(now) { // else the clock was set back
		return nil
	}
	all, err := t.Service.Store.ListAlerts(ctx, true)
	if err != nil {
		return err
	}
	t.last = now.Add(-spacing)
	for _, a := range all {
		for _, at := range []time.Time{a.Told, a.Over} {
			if at.After(t.last) && !at.After(now) {
				t.last = at
			}
		}
	}
	return nil
}

// waits reports whether it is too early for another attempt. If that is still
// long, the clock was set back.
func (t *Teller) waits(now time.Time) bool {
	left := t.next.Sub(now)
	return left > 0 && left <= 2*refused
}

// mail makes one attempt to tell of some alerts, and gives when to make
// another. Without an address, the log has told of them.
func (t *Teller) mail(ctx context.Context, now time.Time, as []store.Alert) (next time.Time, err error) {
	if t.To == "" {
		return time.Time{}, nil
	}
	env, msg, err := t.compose(now, as)
	if err != nil {
		return now.Add(refused), err
	}
	next, err = t.Mails.Post(ctx, env, msg)
	wait := again
	if re, ok := errors.AsType[*relay.Error](err); ok && re.Kind == relay.Permanent {
		wait = refused
	}
	if at := now.Add(wait); at.After(next) {
		next = at
	}
	if errors.Is(err, newsletter.ErrNotBegun) && ctx.Err() != nil {
		next = now // for whoever comes after this process
	}
	return next, err
}

// tellUrgent tells of what could not be recorded, once an hour. While the
// database does not work, nothing else can be told.
func (t *Teller) tellUrgent(ctx context.Context, now time.Time) (told bool, err error) {
	t.mu.Lock()
	a := t.urgent
	t.mu.Unlock()
	if a == nil {
		return false, nil
	}
	if since := now.Sub(t.warned); 0 <= since && since < quiet {
		return true, nil
	}
	env, msg, err := t.compose(now, []store.Alert{*a})
	if err == nil {
		err = t.Mails.PostAnyway(ctx, env, msg)
	}
	if err == nil {
		t.warned = now
	}
	return true, err
}
