package newsletter_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// slotKey is how a local slot is named.
const slotKey = "2006-01-02T15:04"

// clockChanges gives the instants at which a zone's clocks change in 2000.
func clockChanges(zone *time.Location) (at []time.Time) {
	t := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for t.Year() == 2000 {
		_, end := t.In(zone).ZoneBounds()
		if end.IsZero() {
			break
		}
		t = end.UTC()
		if t.Year() == 2000 {
			at = append(at, t)
		}
	}
	return at
}

// attended is how long the daemon runs around a change.
const attended = 2 * time.Hour

// TestAYearOfSlots runs two schedules through a year in zones whose clocks
// change in different ways, with a daemon that runs over every change and is
// down between them; in the end its clock is set back. Every local slot has
// exactly one record; those at which it ran were made in time.
func TestAYearOfSlots(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Europe/Berlin",       // at two or three in the morning
		"Africa/Cairo",        // at midnight, on a Friday
		"Australia/Lord_Howe", // by half an hour
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			hourly, weekly := scheduled(t, "30 * * * *"), scheduled(t, "0 0 * * 5")
			hourly.Name, hourly.Zone = "hourly", zone
			weekly.Name, weekly.Zone = "weekly", zone
			synctest.Test(t, func(t *testing.T) {
				h := freshHouse(t, hourly, weekly)
				start := time.Now()
				h.scheduled(time.Minute) // both are seen
				ran := []time.Time{}
				for _, change := range append(clockChanges(zone), time.Date(2000, 12, 31, 12, 0, 0, 0, zone)) {
					from := change.Add(-attended / 2)
					time.Sleep(time.Until(from))
					h.scheduled(attended)
					ran = append(ran, from)
				}
				h.Clock = clock.Rehearse(time.Now().Add(-5*time.Hour), 1) // set back
				h.scheduled(2 * time.Hour)
				h.Clock = clock.Clock{}
				h.checkYear("hourly", start, func(l time.Time) bool { return l.Minute() == 30 }, ran)
				h.checkYear("weekly", start, func(l time.Time) bool {
					return l.Weekday() == time.Friday && l.Hour() == 0 && l.Minute() == 0
				}, ran)
			})
		})
	}
}

// checkYear holds the records of a newsletter against all local slots since
// start, which wanted picks. Those in the six hours after each of ran must
// have been recorded when they were due.
func (h *house) checkYear(name string, start time.Time, wanted func(local time.Time) bool, ran []time.Time) {
	h.t.Helper()
	n, err := h.Newsletter(name)
	if err != nil {
		h.t.Fatal(err)
	}
	due := slots(start, ran[len(ran)-1].Add(attended), n.Zone, wanted)
	es, err := h.Store.ListEditions(context.Background(), name, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	recorded := map[string]store.Edition{}
	for _, e := range es {
		if _, twice := recorded[e.Slot]; twice {
			h.t.Errorf("%s: two records of %s", name, e.Slot)
		}
		recorded[e.Slot] = e
	}
	if want, got := slices.Sorted(maps.Keys(due)), slices.Sorted(maps.Keys(recorded)); !slices.Equal(got, want) {
		h.t.Errorf("%s: %d slots have records, want %d", name, len(got), len(want))
	}
	punctual := 0
	for key, at := range due {
		for _, from := range ran {
			if since := at.Sub(from); since <= time.Minute || since > attended-time.Minute {
				continue
			}
			punctual++
			if late := recorded[key].CreatedAt.Sub(at); late < 0 || late > time.Minute {
				h.t.Errorf("%s: the record of %s is %s late", name, key, late)
			}
		}
	}
	if name == "hourly" && punctual < len(ran) {
		h.t.Errorf("only %d slots were due while the schedule ran", punctual)
	}
}

// slots gives the local slots after start and when each is due, by going
// through all half hours, at which clocks change too: at the first one whose
// local time is not before it.
func slots(start, end time.Time, zone *time.Location, wanted func(local time.Time) bool) map[string]time.Time {
	due := map[string]time.Time{}
	wall := func(t time.Time) time.Time { // the local time, as if there were no zones
		l := t.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	const step = 30 * time.Minute
	reached := wall(start)
	for t := start; !t.After(end); t = t.Add(step) {
		for now := wall(t); reached.Before(now); {
			reached = reached.Add(step)
			if wanted(reached) {
				due[reached.Format(slotKey)] = t
			}
		}
	}
	return due
}

// TestRetriesUntilExpiry lets a relay put one mail off for three days.
func TestRetriesUntilExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := freshHouse(t, weekly())
		h.Clock = clock.Rehearse(time.Now(), 60) // a look a minute, not a second
		if _, err := h.Store.SeeNewsletter(t.Context(), time.Now(), "weekly"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		h.readers(1, "")
		h.publish("one", h.Clock.Now())
		e := h.plan(weekly()).Edition
		var tries []time.Time
		r := newFakeRelay(func(string, int) error {
			tries = append(tries, h.Clock.Now())
			return refusal(relay.Temporary, 451)
		})
		s := h.sender(r, func(c *newsletter.SenderConfig) { c.RetryBase, c.Connections = time.Minute, 1 })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for h.edition(e.ID).Status != store.EditionFinished {
			time.Sleep(h.Clock.Real(time.Hour))
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		checkRetries(t, tries, e.ExpiresAt)
		err := h.Store.EachDelivery(t.Context(), e.ID, "", func(d store.Delivery) error {
			if d.State != store.DeliveryFailed || d.Reason != "expired" || d.Attempts != len(tries) || d.UpdatedAt.Sub(e.ExpiresAt) > 2*time.Minute {
				t.Errorf("%+v after %d tries, expires %v", d, len(tries), e.ExpiresAt)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// checkRetries expects delays that grow threefold up to four hours, ± 20 %,
// with two minutes for looking.
func checkRetries(t *testing.T, tries []time.Time, expires time.Time) {
	t.Helper()
	for i, want := 1, time.Minute; i < len(tries); i, want = i+1, min(3*want, 4*time.Hour) {
		if got := tries[i].Sub(tries[i-1]); got < want*4/5 || got > want*6/5+2*time.Minute {
			t.Errorf("%s before try %d, want about %s", got, i+1, want)
		}
	}
	if n := len(tries); n < 18 || n > 27 || tries[n-1].After(expires) {
		t.Errorf("%d tries in three days, the last %s before the expiry", n, expires.Sub(tries[n-1]))
	}
}
