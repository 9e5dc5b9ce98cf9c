package newsletter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// A told run is what a reader of a plan, or of the records, learns of it.
type toldRun struct {
	slot, status, reason     string
	posts, pending, eligible int
	subjects                 []string
	holds                    [][]int64
}

func tellRun(e store.Edition, groups []store.Group) toldRun {
	r := toldRun{slot: e.Slot, status: e.Status, reason: e.Reason, posts: e.Posts, pending: e.Counts.Pending, eligible: e.Counts.Eligible}
	for _, g := range groups {
		r.subjects = append(r.subjects, g.Subject)
		r.holds = append(r.holds, g.PostIDs)
	}
	return r
}

// TestForecastEqualsTheRuns foresees three weeks of runs, lets them come, and
// compares: posts that appear, that become too old, that too few readers of a
// topic have, and readers who follow different topics.
func TestForecastEqualsTheRuns(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := scheduled(t, []string{"0 8 * * MON", "30 2 * * *", "0 9 1,15 * *", "0 */12 * * *"}[seed%4])
		n.MaxPostAge = time.Duration(1+r.IntN(20)) * 24 * time.Hour
		n.MinPosts = 1 + r.IntN(3)
		n.Approve = r.IntN(4) == 0
		n.Zone = []*time.Location{time.UTC, time.FixedZone("east", 9*3600)}[r.IntN(2)]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, n, func(t *testing.T, h *house) { h.compareForecast(n, r) })
		})
	}
}

func (h *house) compareForecast(n newsletter.Newsletter, r *rand.Rand) {
	ctx, start := context.Background(), time.Now()
	if _, err := h.Store.SeeNewsletter(ctx, start, n.Name); err != nil {
		h.t.Fatal(err)
	}
	for _, topics := range [][]string{{}, {"a"}, {"b"}, {"a", "b"}} {
		h.readers(1+r.IntN(3), "", topics...)
	}
	for i := range r.IntN(12) {
		h.publish(fmt.Sprint("post ", i), start.Add(time.Duration(r.IntN(20*24))*time.Hour), []string{"a", "b", "c"}[r.IntN(3)])
	}
	f, err := h.Foresee(ctx, n, start, func(time.Time) (*catalog.Snapshot, error) { return h.posts(), nil })
	if err != nil {
		h.t.Fatal(err)
	}
	var told []toldRun
	for slot := range n.Schedule.Slots(start, start.Add(21*24*time.Hour), n.Zone) {
		p, err := f.Run(ctx, store.CadenceSchedule, slot)
		if err != nil {
			h.t.Fatal(err)
		}
		told = append(told, tellRun(p.Edition, p.Groups))
	}
	for slot := range n.Schedule.Slots(start, start.Add(21*24*time.Hour), n.Zone) {
		time.Sleep(time.Until(slot.At) - time.Minute) // the rest of the time nothing happens
		h.scheduled(2 * time.Minute)
	}
	runs := h.scheduledRuns()
	if len(runs) < len(told) || len(told) == 0 {
		h.t.Fatalf("%d runs were foreseen, %d came", len(told), len(runs))
	}
	for i, want := range told {
		groups, err := h.Store.EditionGroups(ctx, runs[i].ID)
		if err != nil {
			h.t.Fatal(err)
		}
		got := tellRun(runs[i], groups)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			h.t.Errorf("came      %+v\nforeseen %+v", got, want)
		}
	}
	if mailed := slices.ContainsFunc(told, func(r toldRun) bool { return r.posts > 0 }); !mailed && len(h.posts().Entries) > 8 {
		h.t.Error("no run holds any of many posts: nothing was compared")
	}
}

// TestForecastOfEveryCadence foresees two weeks of readers of every frequency
// in several zones, lets them come, and compares wave by wave.
func TestForecastOfEveryCadence(t *testing.T) {
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := scheduled(t, "15 5,17 * * *")
		n.MinPosts, n.Hour, n.Weekday, n.MonthDay = 1+r.IntN(2), r.IntN(24), time.Weekday(r.IntN(7)), 1+r.IntN(14)
		n.Zone, n.QuietHours = mustZone(t, "Europe/Berlin"), []string{"", "22-7"}[r.IntN(2)]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, n, func(t *testing.T, h *house) { h.compareWaves(n, r) })
		})
	}
}

func (h *house) compareWaves(n newsletter.Newsletter, r *rand.Rand) {
	ctx, start := context.Background(), time.Now()
	if _, err := h.Store.SeeNewsletter(ctx, start, n.Name); err != nil {
		h.t.Fatal(err)
	}
	for i := range 15 {
		p := store.Subscriber{Email: fmt.Sprint("r", i), Timezone: someZones[r.IntN(len(someZones))]}
		h.enrol(p, store.Subscription{Frequency: store.Cadences[i%5], Hour: someHours[r.IntN(len(someHours))], Categories: someTopics[r.IntN(3)]})
	}
	h.scheduled(time.Second) // the bands are known
	for i := range 10 {
		h.publish(fmt.Sprint("post ", i), start.Add(time.Hour+time.Duration(r.IntN(10*24*60))*time.Minute), []string{"a", "b", "c"}[r.IntN(3)])
	}
	end := start.Add(14 * 24 * time.Hour)
	told := h.foretell(n, end)
	for now := start; now.Before(end); now = time.Now() {
		at, _, err := h.NextRun(ctx, n, now)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, e := range h.posts().Entries {
			if e.Published.After(now) && e.Published.Before(at) {
				at = e.Published
			}
		}
		time.Sleep(max(0, time.Until(at)-20*time.Second))
		h.delivered(40 * time.Second)
	}
	came := map[string]string{}
	for _, e := range h.scheduledRuns() {
		waves, err := h.Store.EditionWaves(ctx, e.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, w := range waves {
			if w.At.Before(end) {
				came[words(e.Cadence, e.Slot, w.Band)] = words(w.At.UTC(), w.Status, w.Reason, w.Readers, w.Due)
			}
		}
	}
	for wave, what := range came {
		if told[wave] != what {
			h.t.Errorf("%s\ncame     %s\nforeseen %s", wave, what, told[wave])
		}
	}
	for wave, what := range told {
		if came[wave] == "" {
			h.t.Errorf("%s\nnever came, foreseen %s", wave, what)
		}
	}
	if len(came) < 30 {
		h.t.Errorf("only %d waves came", len(came))
	}
}

// foretell gives the waves of all cadences before an instant.
func (h *house) foretell(n newsletter.Newsletter, end time.Time) map[string]string {
	ctx := context.Background()
	f, err := h.Foresee(ctx, n, time.Now(), func(time.Time) (*catalog.Snapshot, error) { return h.posts(), nil })
	if err != nil {
		h.t.Fatal(err)
	}
	told := map[string]string{}
	for _, c := range f.Cadences() {
		slot, ok, err := f.Next(c, time.Now())
		for ; ok && err == nil && slot.At.Before(end.Add(48*time.Hour)); slot, ok, err = f.After(c, slot) {
			p, err := f.Run(ctx, c, slot)
			if err != nil {
				h.t.Fatal(err)
			}
			for _, w := range p.Waves {
				if w.Wave.At.Before(end) {
					told[words(c, slot.Key, w.Wave.Band)] = words(w.Wave.At.UTC(), w.Wave.Status, w.Wave.Reason, w.Wave.Readers, w.Wave.Due)
				}
			}
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return told
}

func words(args ...any) string { return fmt.Sprintln(args...) }
