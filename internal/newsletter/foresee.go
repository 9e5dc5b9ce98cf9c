package newsletter

import (
	"context"
	"errors"
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// Next gives the first run of a cadence that has a wave after an instant, and
// that of its first wave then. ok is false if there is none.
func (f *Forecast) Next(cadence string, after time.Time) (next schedule.Slot, ok bool, err error) {
	for _, b := range f.cadences[cadence].bands() {
		slot, found, err := f.next(reach{cadence, b}, after)
		if err != nil {
			return next, false, err
		}
		if found && (!ok || earlier(slot, next)) {
			next, ok = slot, true
		}
	}
	return next, ok, nil
}

// earlier reports whether a slot is of an earlier run, or of an earlier wave of
// the same.
func earlier(a, b schedule.Slot) bool {
	return a.Key < b.Key || a.Key == b.Key && a.At.Before(b.At)
}

// After gives the run of a cadence that follows a run.
func (f *Forecast) After(cadence string, slot schedule.Slot) (next schedule.Slot, ok bool, err error) {
	if cadence == store.CadenceEach {
		return f.nextPost(slot.At)
	}
	for _, b := range f.cadences[cadence].bands() {
		own, err := f.letter.spec(cadence, b).Slot(slot.Key, f.zone(b))
		if err != nil {
			return next, false, err
		}
		after := own.At
		if slot.At.After(f.now) {
			after = later(after, f.now)
		}
		following, found := f.letter.spec(cadence, b).Next(after, f.zone(b))
		if found && (!ok || earlier(following, next)) {
			next, ok = following, true
		}
	}
	return next, ok, nil
}

func (f *Forecast) next(r reach, after time.Time) (schedule.Slot, bool, error) {
	if r.cadence == store.CadenceEach {
		return f.nextPost(after)
	}
	slot, ok := f.letter.spec(r.cadence, r.band).Next(after, f.zone(r.band))
	return slot, ok, nil
}

func (f *Forecast) zone(b store.Band) *time.Location { return f.service.zone(f.letter, b.Zone) }

// advance foresees the waves of a band before an instant, as far as any may
// mail something.
func (f *Forecast) advance(ctx context.Context, r reach, at time.Time) error {
	slot, err := schedule.Slot{}, error(nil)
	after := f.advanced[r]
	if after.IsZero() {
		if at.Before(f.now) {
			return nil
		}
		after = f.now
		slot, err = f.overdue(ctx, r)
	}
	ok := slot.Key != ""
	if err == nil && !ok {
		slot, ok, err = f.next(r, after)
	}
	for err == nil && ok && slot.At.Before(at) {
		made := later(slot.At, f.now)
		if err = f.try(ctx, run{r.cadence, slot, r.band}, made); err != nil {
			break
		}
		change, fault := f.changes(made)
		if fault != nil || change.IsZero() {
			err = fault
			break
		}
		slot, ok, err = f.next(r, change.Add(-time.Nanosecond))
	}
	if err == nil && at.After(f.advanced[r]) {
		f.advanced[r] = at.Add(-time.Nanosecond)
	}
	return err
}

// try foresees a wave, if it may mail something and is not made already.
func (f *Forecast) try(ctx context.Context, w run, made time.Time) error {
	sel, err := f.selection(Request{At: made})
	if err != nil {
		return err
	}
	had := f.mailed[reach{w.cadence, w.band}]
	if !slices.ContainsFunc(sel.Included, func(e *catalog.Entry) bool { return had[e.ID].Key == "" }) {
		return nil
	}
	if _, err = f.made(ctx, w); errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}
