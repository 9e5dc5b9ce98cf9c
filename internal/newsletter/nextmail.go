package newsletter

import (
	"context"
	"fmt"
	"slices"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// NextMail composes what the next run brings to one reader: their cadence, at
// their hour in their zone, after the runs before it. It names that run.
func (f *Forecast) NextMail(ctx context.Context, email string) (g store.Group, next schedule.Slot, err error) {
	who, err := FindSubscriber(ctx, f.service.Store, email)
	if err != nil {
		return g, next, fmt.Errorf("subscriber %s: %w", email, err)
	}
	r, err := f.reachOf(who)
	if err != nil {
		return g, next, err
	}
	if next, err = f.upcoming(ctx, r); err != nil {
		return g, next, err
	}
	if err := f.advance(ctx, r, next.At); err != nil {
		return g, next, err
	}
	request, err := f.request(ctx, run{r.cadence, next, r.band})
	if err != nil {
		return g, next, err
	}
	sel, err := f.selection(request)
	if err != nil {
		return g, next, err
	}
	p, err := f.service.planOf(ctx, request, sel, who.ID, f)
	if err != nil {
		return g, next, fmt.Errorf("the next run for %s: %w", email, err)
	}
	if len(p.Groups) == 0 {
		return g, next, fmt.Errorf("the run of %s brings nothing to %s: %s", next.Key, email, p.Edition.Reason)
	}
	return p.Groups[0], next, nil
}

// reachOf gives the readers among whom a person is.
func (f *Forecast) reachOf(who store.Subscriber) (r reach, err error) {
	i := slices.IndexFunc(who.Subscriptions, func(s store.Subscription) bool {
		return s.Newsletter == f.letter.Name && s.Status == store.StatusActive
	})
	if i < 0 {
		return r, fmt.Errorf("%s has no active subscription to %s", who.Email, f.letter.Name)
	}
	sub := who.Subscriptions[i]
	r.cadence = f.letter.cadenceOf(sub.Frequency)
	if store.ByZone(r.cadence) {
		r.band.Zone = who.Timezone
	}
	if store.ByHour(r.cadence) {
		r.band.Hour = sub.Hour
	}
	if r.cadence == store.CadenceSchedule && f.letter.Schedule == nil {
		return r, fmt.Errorf("%s is mailed to %s by hand alone: it has no schedule", f.letter.Name, who.Email)
	}
	return r, nil
}

// upcoming gives the run that some readers get next: one that is overdue, or
// else the first from now on.
func (f *Forecast) upcoming(ctx context.Context, r reach) (schedule.Slot, error) {
	slot, err := f.overdue(ctx, r)
	if err != nil || slot.Key != "" {
		return slot, err
	}
	slot, ok, err := f.next(r, f.now)
	if err == nil && !ok {
		err = fmt.Errorf("no run of %s is to come for readers who chose %s", f.letter.Name, r.cadence)
	}
	return slot, err
}
