package newsletter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// duePosts gives the slots of the posts that fell due for CadenceEach since the
// waves on record, in the order in which they did. lookBack is how much longer
// ago they may have: a post may come to be seen a moment after its time.
func (s *Service) duePosts(n Newsletter, st standing, now time.Time, lookBack time.Duration) []schedule.Slot {
	since, ok := st.Bands[store.Band{}]
	if !ok {
		return nil
	}
	after := later(st.Until.Add(-lookBack), since)
	w := Window{FirstSeen: st.first, Now: now}
	var due []schedule.Slot
	for _, e := range s.Posts().Entries {
		at := s.falls(e)
		if at.After(after) && !at.After(now) && n.exclude(e, w, s.Settle) == "" {
			due = append(due, schedule.Slot{Key: postSlot(e), At: at})
		}
	}
	slices.SortFunc(due, func(a, b schedule.Slot) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return due
}

// falls gives when a post may be mailed by itself.
func (s *Service) falls(e *catalog.Entry) time.Time {
	at := e.Changed.Add(s.Settle)
	for _, t := range []time.Time{e.Published, e.FirstSeen, e.Announced} {
		at = later(at, t)
	}
	return at
}

// postSlot names the edition of a single post; announced anew, it has another.
func postSlot(e *catalog.Entry) string {
	if e.Announced.IsZero() {
		return fmt.Sprintf("post-%d", e.PostID)
	}
	return fmt.Sprintf("post-%d-%d", e.PostID, e.Announced.Unix())
}

// nextPost gives when the next post is due by itself, if that is before soon.
func (s *Service) nextPost(n Newsletter, now, soon time.Time) time.Time {
	next := soon
	for _, e := range s.Posts().Entries {
		if at := s.falls(e); at.After(now) && at.Before(next) && n.Topics.Match(e.Post) {
			next = at
		}
	}
	return next
}

// checkEach makes the edition of the posts that are due for those who want each
// by itself: those that are due together share one mail.
func (s *Scheduler) checkEach(ctx context.Context, n Newsletter, st standing, now time.Time) error {
	s.wake(s.service.nextPost(n, now, now.Add(checkEvery)))
	lookBack := max(time.Hour, 2*s.service.punctual())
	due := s.service.duePosts(n, st, now, lookBack)
	fresh := slices.ContainsFunc(due, func(slot schedule.Slot) bool { return slot.At.After(st.Until) })
	due = slices.DeleteFunc(due, func(slot schedule.Slot) bool { return s.made[n.Name+" "+slot.Key] })
	if len(due) > 0 {
		last := due[len(due)-1]
		others := due[:len(due)-1]
		if len(others) > 0 {
			if err := s.skip(ctx, n, store.CadenceEach, store.Band{}, "in the mail of "+last.Key, false, others...); err != nil {
				return err
			}
		}
		if err := s.run(ctx, n, run{cadence: store.CadenceEach, Slot: last}, now); err != nil {
			return err
		}
		for _, slot := range due {
			s.made[n.Name+" "+slot.Key] = true
		}
	}
	return s.keep(ctx, st, now, fresh || len(due) > 0)
}
