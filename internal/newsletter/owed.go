package newsletter

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// owed are the slots of one band that are due and not on record, in order. Of
// very many, the oldest are counted only.
type owed struct {
	band  store.Band
	slots []schedule.Slot
	older int           // further ones, before them
	first schedule.Slot // the oldest
	until schedule.Slot // the last of those that are only counted
	next  time.Time     // the first slot that is not due yet, if it comes soon
	kept  int           // how many slots get a record of their own
}

// keptSlots is how many slots of a cadence get a record of their own when it
// owes more than that: a month of every minute, and some.
const keptSlots = 50_000

// owed gives what a band owes now. It looks ahead until soon.
func (s *Service) owed(ctx context.Context, n Newsletter, st standing, b store.Band, now, soon time.Time) (owed, error) {
	o := owed{band: b, kept: max(keptSlots/len(st.Bands), 100)}
	for slot := range n.spec(st.Name, b).Slots(st.after(b), soon, s.zone(n, b.Zone)) {
		if slot.At.After(now) {
			o.next = slot.At
			break
		}
		if ctx.Err() != nil {
			return owed{}, ctx.Err()
		}
		o.add(slot)
	}
	return o, nil
}

func (o *owed) add(slot schedule.Slot) {
	if o.first.Key == "" {
		o.first = slot
	}
	o.slots = append(o.slots, slot)
	if len(o.slots) == 2*o.kept { // rather than moving all for each
		o.older += o.kept
		o.until = o.slots[o.kept-1]
		o.slots = append(o.slots[:0], o.slots[o.kept:]...)
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

// A run is a wave that is due.
type run struct {
	cadence string
	schedule.Slot
	band store.Band
}

func compareRuns(a, b run) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key), compareBands(a.band, b.band))
}

func compareBands(a, b store.Band) int {
	return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(len(a.Hour), len(b.Hour)), cmp.Compare(a.Hour, b.Hour))
}

// Owed gives the oldest slot of a newsletter that is due and not on record for
// some of its readers, and how many such waves there are. A newsletter that was
// never seen owes none.
func (s *Service) Owed(ctx context.Context, n Newsletter) (oldest schedule.Slot, waves int, err error) {
	first, err := s.Store.NewsletterSeen(ctx, n.Name)
	if err != nil || first.IsZero() {
		return schedule.Slot{}, 0, err
	}
	now := s.Clock.Now()
	var due []schedule.Slot
	for _, cadence := range n.cadences() {
		st, err := s.standing(ctx, n, cadence, first, now)
		if err != nil {
			return schedule.Slot{}, 0, err
		}
		if cadence == store.CadenceEach {
			if posts := s.duePosts(n, st, now, 0); len(posts) > 0 {
				due, waves = append(due, posts[0]), waves+1
			}
			continue
		}
		for _, b := range st.bands() {
			o, err := s.owed(ctx, n, st, b, now, now)
			if err != nil {
				return schedule.Slot{}, 0, err
			}
			if waves += o.older + len(o.slots); o.first.Key != "" {
				due = append(due, o.first)
			}
		}
	}
	if len(due) == 0 {
		return schedule.Slot{}, 0, nil
	}
	return slices.MinFunc(due, func(a, b schedule.Slot) int { return a.At.Compare(b.At) }), waves, nil
}

// NextRun gives when the next wave of a newsletter is due; ok is false if none
// is foreseen. Posts of which each has a mail of its own are not foreseen.
func (s *Service) NextRun(ctx context.Context, n Newsletter, now time.Time) (at time.Time, ok bool, err error) {
	for _, cadence := range n.cadences() {
		if cadence == store.CadenceEach {
			continue
		}
		st, err := s.standing(ctx, n, cadence, now, now)
		if err != nil {
			return time.Time{}, false, err
		}
		for _, b := range st.bands() {
			slot, found := n.spec(cadence, b).Next(now, s.zone(n, b.Zone))
			if found && (!ok || slot.At.Before(at)) {
				at, ok = slot.At, true
			}
		}
	}
	return at, ok, nil
}
