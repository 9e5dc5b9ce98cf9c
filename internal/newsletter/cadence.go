package newsletter

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// offers reports whether a reader may choose a frequency.
func (n Newsletter) offers(frequency string) bool {
	return len(n.Frequencies) == 0 || slices.Contains(n.Frequencies, frequency)
}

// cadences gives those by which the newsletter is mailed by itself.
func (n Newsletter) cadences() []string {
	return slices.DeleteFunc(slices.Clone(store.Cadences), func(c string) bool {
		if c == store.CadenceSchedule {
			return n.Schedule == nil
		}
		return !n.offers(c)
	})
}

// frequencies gives those of the subscriptions that go by a cadence. Whoever
// chose one that is not offered any more goes by the schedule.
func (n Newsletter) frequencies(cadence string) []string {
	if cadence != store.CadenceSchedule {
		return []string{cadence}
	}
	return slices.DeleteFunc(slices.Clone(store.Cadences), func(f string) bool {
		return f != store.CadenceSchedule && n.offers(f)
	})
}

// cadenceOf gives the cadence that a frequency goes by.
func (n Newsletter) cadenceOf(frequency string) string {
	if n.offers(frequency) {
		return frequency
	}
	return store.CadenceSchedule
}

// spec says when a cadence comes due for a band; it is not for CadenceEach.
func (n Newsletter) spec(cadence string, b store.Band) schedule.Spec {
	hour, err := strconv.Atoi(b.Hour)
	if err != nil || hour < 0 || hour > 23 {
		hour = n.Hour
	}
	switch cadence {
	case store.CadenceDaily:
		return schedule.Daily(hour)
	case store.CadenceWeekly:
		return schedule.Weekly(n.Weekday, hour)
	case store.CadenceMonthly:
		return schedule.Monthly(min(max(n.MonthDay, 1), 28), hour)
	}
	return *n.Schedule
}

// zone gives a reader's time zone; the newsletter's, if they have none that is
// known.
func (s *Service) zone(n Newsletter, name string) *time.Location {
	if name == "" {
		return n.Zone
	}
	if known, ok := s.zones.Load(name); ok {
		return known.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		s.Log.Warn("a time zone is not known; its readers have the newsletter's", "timezone", name, "newsletter", n.Name)
		zone = n.Zone
	}
	s.zones.Store(name, zone)
	return zone
}

// A standing is how one of a newsletter's cadences stands now.
type standing struct {
	store.Cadence
	first   time.Time // when the newsletter was first seen
	changed bool      // it is not as it is on record
}

// standing looks at a cadence. A band that is new owes nothing from before its
// first reader; the schedule, whoever reads it, nothing from before the
// newsletter was first seen.
func (s *Service) standing(ctx context.Context, n Newsletter, cadence string, first, now time.Time) (standing, error) {
	c, err := s.Store.Cadence(ctx, n.Name, cadence, n.frequencies(cadence))
	if err != nil {
		return standing{}, fmt.Errorf("look up the cadence %s of %s: %w", cadence, n.Name, err)
	}
	st := standing{Cadence: c, first: first}
	if st.Until.IsZero() {
		st.Until = first
	}
	if st.Until.After(now.Add(store.ClockSlack)) { // of a rehearsal of a later time
		st.Until = now
	}
	if cadence == store.CadenceSchedule && len(st.Bands) == 0 {
		st.Bands[store.Band{}] = time.Time{}
	}
	known := 0
	for b, since := range st.Bands {
		switch {
		case !since.IsZero():
			known++
		case cadence == store.CadenceSchedule && b.Zone == "":
			st.Bands[b], st.changed = first, true
		default:
			st.Bands[b], st.changed = later(first, now.Add(-s.punctual())), true
		}
	}
	st.changed = st.changed || known != c.Kept
	return st, nil
}

// after is when the waves of a band are on record.
func (st standing) after(b store.Band) time.Time { return later(st.Until, st.Bands[b]) }

// bands gives those there are, in a fixed order.
func (st standing) bands() []store.Band {
	all := make([]store.Band, 0, len(st.Bands))
	for b := range st.Bands {
		all = append(all, b)
	}
	slices.SortFunc(all, compareBands)
	return all
}
