package newsletter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// scheduledRuns gives the scheduled editions, oldest slot first.
func (h *house) scheduledRuns() []store.Edition {
	h.t.Helper()
	es, err := h.Store.ListEditions(context.Background(), "", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	es = slices.DeleteFunc(es, func(e store.Edition) bool { return e.Manual })
	slices.SortFunc(es, func(a, b store.Edition) int { return strings.Compare(a.Slot, b.Slot) })
	return es
}

func TestLatenessIsOnRecord(t *testing.T) {
	t.Parallel()
	bubble(t, scheduled(t, "0 8 * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		h.scheduled(9 * time.Hour) // the first run is in time
		h.publish("one", time.Now())
		time.Sleep(49*time.Hour + 3*time.Minute)
		h.scheduled(time.Minute)
		es := h.scheduledRuns()
		if len(es) != 3 {
			t.Fatalf("runs %v", h.runs())
		}
		if e := es[0]; !e.DueAt.Equal(time.Date(2000, 1, 1, 8, 0, 0, 0, time.UTC)) || e.Late != "" || e.Missed {
			t.Errorf("in time: due %v, late %q, missed %v", e.DueAt, e.Late, e.Missed)
		}
		if e := es[1]; !e.Missed || e.Reason != "missed while tidings was not running; the run of 2000-01-03T08:00 stands for it" {
			t.Errorf("missed: %v, %q", e.Missed, e.Reason)
		}
		if e := es[2]; e.Status != store.EditionSending || e.Why() != "late by 2h3m0s: tidings was not running" {
			t.Errorf("late: %s, %q", e.Status, e.Why())
		}
	})
}

// A machine that slept is not a program that was not running.
func TestWhyARunIsLate(t *testing.T) {
	t.Parallel()
	n := scheduled(t, "0 8 * * *")
	n.CatchUp = false
	bubble(t, n, func(t *testing.T, h *house) {
		h.readers(1, "")
		h.Clock = clock.Rehearse(time.Now(), 3600) // an hour a second: 30 s are too coarse for it
		h.scheduled(7 * time.Second)
		h.Clock = clock.Rehearse(time.Date(2000, 1, 1, 9, 0, 0, 0, time.UTC), 1)
		h.scheduled(time.Minute)
		es := h.scheduledRuns()
		if len(es) != 1 || !es[0].Missed || es[0].Reason != "missed while tidings was not running, 1h0m0s ago (catch_up: skip)" {
			t.Errorf("%+v", es)
		}
	})
}

// TestSlotsInAGap: the clocks leave out 02:00 to 03:00, and with them three
// runs, which fall on the same moment as the one of 03:00.
func TestSlotsInAGap(t *testing.T) {
	t.Parallel()
	n := scheduled(t, "*/20 * * * *")
	n.Zone = mustZone(t, "Europe/Berlin")
	bubble(t, n, func(t *testing.T, h *house) {
		h.readers(1, "")
		time.Sleep(time.Until(time.Date(2000, 3, 26, 1, 50, 0, 0, n.Zone)))
		h.publish("one", time.Now())
		h.scheduled(75 * time.Minute)
		var got []string
		for _, e := range h.scheduledRuns() {
			got = append(got, e.Slot[11:]+" "+e.Status+" "+e.Reason)
			if e.Missed || e.Late != "" {
				t.Errorf("%s: missed %v, late %q", e.Slot, e.Missed, e.Late)
			}
		}
		const out = " skipped its local time was left out that day, when the clocks were set forward; the run of 2000-03-26T03:00 stands for it"
		const had = " skipped every reader already has these posts, or follows other topics"
		want := []string{"02:00" + out, "02:20" + out, "02:40" + out, "03:00 sending ", "03:20" + had, "03:40" + had, "04:00" + had}
		if !slices.Equal(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestAMonthOff: each run of a month of every minute has its record, made in
// transactions that leave room for others.
func TestAMonthOff(t *testing.T) {
	t.Parallel()
	bubble(t, scheduled(t, "* * * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		h.scheduled(30 * time.Second)
		h.publish("one", time.Now())
		time.Sleep(30 * 24 * time.Hour)
		h.scheduled(10 * time.Second)
		es := h.scheduledRuns()
		if want := 30 * 24 * 60; len(es) != want {
			t.Fatalf("%d records, want %d", len(es), want)
		}
		for i, e := range es[:len(es)-1] {
			if e.Status != store.EditionSkipped || !e.Missed || !e.DueAt.Equal(es[0].DueAt.Add(time.Duration(i)*time.Minute)) {
				t.Fatalf("record %d: %+v", i, e)
			}
		}
		if last := es[len(es)-1]; last.Status != store.EditionSending {
			t.Errorf("the last: %+v", last)
		}
	})
}

// TestYearsOff: what is beyond any use shares a record.
func TestYearsOff(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 50,000 records")
	}
	bubble(t, scheduled(t, "* * * * *"), func(t *testing.T, h *house) {
		h.scheduled(30 * time.Second)
		time.Sleep(200 * 24 * time.Hour)
		h.scheduled(10 * time.Second)
		es, all := h.scheduledRuns(), 200*24*60
		if len(es) >= 100_000+2 || len(es) < 50_000 || !strings.Contains(es[0].Reason, "runs from 2000-01-01T00:01 to "+es[0].Slot) {
			t.Fatalf("%d records for %d runs, the first %q", len(es), all, es[0].Reason)
		}
		if shared := all - len(es) + 1; !strings.Contains(es[0].Reason, fmt.Sprintf(": %d runs", shared)) {
			t.Errorf("%d runs share %q", shared, es[0].Reason)
		}
	})
}

// TestAClockSetBackRepeatsNothing: two hours back, then, when that is
// accepted, on.
func TestAClockSetBackRepeatsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, scheduled(t, "0 * * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		start := time.Now()
		h.scheduled(150 * time.Minute) // 01:00, 02:00
		h.publish("one", start.Add(time.Minute))
		before := h.runs()

		h.Clock = clock.Rehearse(start.Add(30*time.Minute), 1) // shows 00:30
		h.scheduled(50 * time.Minute)                          // past 01:00 once more
		if got := h.runs(); !slices.Equal(got, before) {
			t.Errorf("runs after the clock was set back: %q, before: %q", got, before)
		}
		if _, err := h.Plan(context.Background(), newsletter.Request{Newsletter: h.Newsletters[0]}); !errors.Is(err, store.ErrClock) || !strings.Contains(err.Error(), "tidings db clock --accept") {
			t.Errorf("a send by that clock: %v", err)
		}
		if err := h.Store.AcceptClock(context.Background(), h.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		h.scheduled(110 * time.Minute)                                                                       // 02:00, whose run mailed nobody, and 03:00
		want := []string{"2000-01-01T01:00 skipped", "2000-01-01T02:00 skipped", "2000-01-01T03:00 sending"} // the post is of 02:30
		if got := h.runs(); !slices.Equal(got, want) {
			t.Errorf("runs after it was accepted: %q, want %q", got, want)
		}
	})
}

// TestAClockThatWasAhead: runs that a clock of another year made do not keep
// those of this year from being made.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	bubble(t, scheduled(t, "0 8 * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		start := time.Now()
		h.scheduled(9 * time.Hour)
		h.Clock = clock.Rehearse(start.AddDate(1, 0, 0), 1)
		h.scheduled(time.Hour)
		h.Clock = clock.Rehearse(start.Add(11*time.Hour), 1)
		if err := h.Store.AcceptClock(context.Background(), h.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		h.scheduled(24 * time.Hour)
		if got, want := h.runs(), []string{"2000-01-01T08:00 skipped", "2000-01-02T08:00 skipped"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
