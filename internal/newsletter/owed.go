package newsletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// owed are the slots of a newsletter that are due and have no edition yet, in
// order. Of very many, the oldest are counted only.
type owed struct {
	slots []schedule.Slot
	older int           // further ones, before them
	first schedule.Slot // the oldest
	until schedule.Slot // the last of those that are only counted
}

// keptSlots is how many slots get a record of their own when a newsletter owes
// more than that: a month of every minute, and some.
const keptSlots = 50_000

// repeated is longer than any hour that clocks show twice: slots so far ahead
// on the wall clock may be in the past.
const repeated = 3 * time.Hour

// owed gives the slots that are due now and have no edition. first is when
// the newsletter was first seen: it owes none from before.
func (s *Service) owed(ctx context.Context, n Newsletter, first, now time.Time) (owed, error) {
	last, err := s.Store.LastRun(ctx, n.Name, store.CadenceSchedule, schedule.Key(now.Add(repeated), n.Zone))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return owed{}, fmt.Errorf("look up the last run of %s: %w", n.Name, err)
	}
	after := first
	if last.Slot != "" {
		at, err := schedule.ParseKey(last.Slot, n.Zone)
		if err != nil {
			return owed{}, fmt.Errorf("the last run of %s: %w", n.Name, err)
		}
		if at.After(first) {
			after = at.Add(-time.Nanosecond) // slots in a gap share their instant
		}
	}
	var o owed
	for slot := range n.Schedule.Slots(after, now, n.Zone) {
		if ctx.Err() != nil {
			return owed{}, ctx.Err()
		}
		if slot.Key > last.Slot {
			o.add(slot)
		}
	}
	return o, nil
}

// Owed gives the oldest slot of a newsletter that is due and not on record, and
// how many there are. A newsletter that was never seen owes none.
func (s *Service) Owed(ctx context.Context, n Newsletter) (oldest schedule.Slot, runs int, err error) {
	first, err := s.Store.NewsletterSeen(ctx, n.Name)
	if err != nil || first.IsZero() || n.Schedule == nil {
		return schedule.Slot{}, 0, err
	}
	o, err := s.owed(ctx, n, first, s.Clock.Now())
	return o.first, o.older + len(o.slots), err
}

func (o *owed) add(slot schedule.Slot) {
	if o.first.Key == "" {
		o.first = slot
	}
	o.slots = append(o.slots, slot)
	if len(o.slots) == 2*keptSlots { // rather than moving all for each
		o.older += keptSlots
		o.until = o.slots[keptSlots-1]
		o.slots = append(o.slots[:0], o.slots[keptSlots:]...)
	}
}

// split gives the slots whose time passed unattended, and those that are to be
// run: the ones that are no later than punctual, or, if there is none, the
// last of all.
func (o *owed) split(now time.Time, punctual time.Duration) (missed, runs []schedule.Slot) {
	i := len(o.slots)
	for i > 0 && now.Sub(o.slots[i-1].At) <= punctual {
		i--
	}
	if i == len(o.slots) {
		i = max(i-1, 0)
	}
	return o.slots[:i], o.slots[i:]
}
