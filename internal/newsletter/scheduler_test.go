package newsletter_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// scheduled runs a Scheduler for a while of the bubble's time.
func (h *house) scheduled(d time.Duration) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := newsletter.NewScheduler(h.Service, func() {}, nil)
	go func() { done <- s.Run(ctx) }()
	time.Sleep(d)
	stop()
	if err := <-done; err != nil {
		h.t.Error(err)
	}
}

// runs lists the scheduled editions, oldest first: slot, status.
func (h *house) runs() []string {
	h.t.Helper()
	es, err := h.Store.ListEditions(context.Background(), "", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range slices.Backward(es) {
		if !e.Manual {
			out = append(out, e.Slot+" "+e.Status)
		}
	}
	slices.Sort(out)
	return out
}

// bubble runs a test in fake time, which begins on Saturday 2000-01-01 UTC,
// with a database that is closed inside the bubble.
func bubble(t *testing.T, n newsletter.Newsletter, f func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, freshHouse(t, n)) })
}

func scheduled(t *testing.T, cron string) newsletter.Newsletter {
	n := weekly()
	n.Schedule = spec(t, cron)
	return n
}

func TestEverySlotLeavesARecord(t *testing.T) {
	bubble(t, scheduled(t, "0 */6 * * *"), func(t *testing.T, h *house) {
		h.readers(2, "")
		go func() {
			time.Sleep(8 * time.Hour)
			h.publish("one", time.Now())
		}()
		h.scheduled(19 * time.Hour)
		want := []string{"2000-01-01T06:00 skipped", "2000-01-01T12:00 sending", "2000-01-01T18:00 skipped"}
		if got := h.runs(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestMissedRuns(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*newsletter.Newsletter)
		down   time.Duration
		want   []string
	}{
		{"caught up once", nil, 2*24*time.Hour + 9*time.Hour,
			[]string{"2000-01-01T08:00 skipped", "2000-01-02T08:00 skipped", "2000-01-03T08:00 sending"}},
		{"not caught up", func(n *newsletter.Newsletter) { n.CatchUp = false }, 2*24*time.Hour + 9*time.Hour,
			[]string{"2000-01-01T08:00 skipped", "2000-01-02T08:00 skipped", "2000-01-03T08:00 skipped"}},
		{"too late", func(n *newsletter.Newsletter) { n.MaxLateness = time.Hour }, 24*time.Hour + 10*time.Hour,
			[]string{"2000-01-01T08:00 skipped", "2000-01-02T08:00 skipped"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := scheduled(t, "0 8 * * *")
			if c.change != nil {
				c.change(&n)
			}
			bubble(t, n, func(t *testing.T, h *house) {
				h.readers(1, "")
				h.scheduled(time.Minute) // the newsletter is seen
				h.publish("one", time.Now())
				time.Sleep(c.down)
				h.scheduled(time.Minute)
				if got := h.runs(); !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				h.scheduled(time.Hour) // and nothing twice
				if got := h.runs(); !slices.Equal(got, c.want) {
					t.Errorf("after another start: %q", got)
				}
			})
		})
	}
}

func TestANewNewsletterOwesNothing(t *testing.T) {
	bubble(t, scheduled(t, "*/10 * * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		h.publish("old", time.Now().Add(-48*time.Hour))
		time.Sleep(25 * time.Minute)
		h.scheduled(11 * time.Minute)
		want := []string{"2000-01-01T00:30 skipped"}
		if got := h.runs(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestTwoSchedulersMakeOneEdition(t *testing.T) {
	bubble(t, scheduled(t, "* * * * *"), func(t *testing.T, h *house) {
		h.readers(1, "")
		start, second := time.Now(), make(chan struct{})
		go func() { defer close(second); h.scheduled(5*time.Minute + time.Second) }()
		go func() {
			for pause := 30 * time.Second; pause < 5*time.Minute; pause += time.Minute {
				time.Sleep(time.Until(start.Add(pause)))
				h.publish(pause.String(), time.Now())
			}
		}()
		h.scheduled(5*time.Minute + time.Second)
		<-second
		got := h.runs()
		if len(got) != 5 {
			t.Errorf("%d runs in five minutes: %q", len(got), got)
		}
		for _, run := range got {
			if run[17:] != store.EditionSending {
				t.Errorf("run %q, want sending", run)
			}
		}
	})
}

func TestLocalSlots(t *testing.T) {
	n := scheduled(t, "30 2 * * *")
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	n.Zone = zone
	bubble(t, n, func(t *testing.T, h *house) {
		time.Sleep(time.Until(time.Date(2000, 3, 26, 0, 0, 0, 0, zone)))
		h.scheduled(28 * time.Hour) // over the gap of 26 March
		want := []string{"2000-03-26T02:30 skipped", "2000-03-27T02:30 skipped"}
		if got := h.runs(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
