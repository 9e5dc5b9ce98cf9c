package newsletter_test

import (
	"slices"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/store"
)

func entry(title string, published, firstSeen, changed time.Time, categories ...string) *catalog.Entry {
	return &catalog.Entry{
		Post:   &post.Post{File: title, Title: title, Categories: categories},
		PostID: 1, Published: published, FirstSeen: firstSeen, Changed: changed,
	}
}

func TestSelect(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, zone)
	first := time.Date(2026, 11, 10, 15, 0, 0, 0, zone)
	day := func(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, zone) }
	unpinned := entry("unpinned", day(20, 9), day(20, 9), day(20, 9), "Go")
	unpinned.PostID = 0
	snap := &catalog.Snapshot{Entries: []*catalog.Entry{
		entry("future", day(24, 9), day(20, 9), day(20, 9), "Go"),
		entry("unsettled", day(23, 11), day(23, 11), now.Add(-10*time.Second), "Go"),
		unpinned,
		entry("new", day(20, 9), day(20, 9), day(20, 9), "Go"),
		entry("back-dated, after the newsletter", day(12, 9), day(20, 9), day(20, 9), "Go"),
		entry("dated its first day, written after", day(10, 0), day(10, 16), day(10, 16), "Go"),
		entry("there before, same day", day(10, 0), day(9, 9), day(9, 9), "Go"),
		entry("back-dated before it", day(8, 0), day(20, 9), day(20, 9), "Go"),
		entry("other topic", day(20, 9), day(20, 9), day(20, 9), "Cooking"),
		entry("old", time.Date(2026, 9, 1, 0, 0, 0, 0, zone), day(20, 9), day(20, 9), "Go"),
	}}
	n := weekly()
	n.Zone, n.Topics = zone, newsletter.NewTopics([]string{"GO"}, []string{"golang"})
	for name, c := range map[string]struct {
		since time.Time
		want  []string
	}{
		"by schedule": {want: []string{"new", "back-dated, after the newsletter", "dated its first day, written after"}},
		"since": {since: time.Date(2026, 8, 1, 0, 0, 0, 0, zone), want: []string{
			"new", "back-dated, after the newsletter", "dated its first day, written after", "there before, same day", "back-dated before it", "old"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := n.Select(snap, newsletter.Window{FirstSeen: first, Since: c.since, Now: now}, 30*time.Second)
			var got []string
			for _, e := range s.Included {
				got = append(got, e.Title)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if len(s.Included)+len(s.Excluded) != len(snap.Entries) {
				t.Error("a post is neither in nor out")
			}
		})
	}
}

func TestReadersGetTheirTopics(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(3, "", "DevOps")
	h.readers(2, "", "Cooking")
	h.readers(4, "")
	h.publish("pipelines", time.Now(), "DevOps")
	h.publish("bread", time.Now(), "Cooking")
	p := h.plan(weekly())
	if len(p.Groups) != 3 || p.Edition.Counts.Pending != 9 || p.Edition.Posts != 2 {
		t.Fatalf("%d groups, %+v", len(p.Groups), p.Edition)
	}
	h.publish("knives", time.Now(), "Cooking")
	p = h.plan(weekly())
	if c := p.Edition.Counts; c.Eligible != 9 || c.Pending != 6 || c.Empty != 3 {
		t.Errorf("account %+v, want 6 of 9 pending and 3 empty", c)
	}
}

// TestATopicThatIsRenamedKeepsItsReaders: they chose it by a name that its
// posts do not have any more.
func TestATopicThatIsRenamedKeepsItsReaders(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(3, "", "DevOps")
	e := h.publish("pipelines", time.Now(), "Platform")
	h.snap.Categories = []*catalog.Term{{
		Kind: catalog.Category, Key: "platform", Name: "Platform", Slug: "platform", Was: []string{"DevOps"}, Entries: []*catalog.Entry{e},
	}}
	if p := h.plan(weekly()); p.Edition.Counts.Pending != 3 {
		t.Errorf("%+v", p.Edition)
	}
}

func TestDryRunRecordsNothing(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(2, "")
	h.publish("one", time.Now())
	p, err := h.Plan(t.Context(), newsletter.Request{Newsletter: weekly(), DryRun: true})
	if err != nil || p.Edition.Counts.Pending != 2 {
		t.Fatalf("%+v, %v", p.Edition, err)
	}
	es, err := h.Store.ListEditions(t.Context(), "", 0)
	if err != nil || len(es) != 0 {
		t.Errorf("%d editions, %v", len(es), err)
	}
}

func TestMinPosts(t *testing.T) {
	n := weekly()
	n.MinPosts = 2
	h := newHouse(t, n)
	h.readers(1, "")
	h.publish("one", time.Now())
	p, err := h.Plan(t.Context(), newsletter.Request{Newsletter: n, Cadence: store.CadenceSchedule, Slot: "2026-01-05T08:00"})
	if err != nil || p.Edition.Status != store.EditionSkipped || p.Edition.Reason != "1 new, fewer than min_posts (2)" {
		t.Errorf("%+v, %v", p.Edition, err)
	}
}

func TestPreviewForOneReader(t *testing.T) {
	h := newHouse(t, weekly())
	cook := h.readers(1, "", "Cooking")[0]
	dev := h.readers(1, "", "DevOps")[0]
	h.publish("pipelines", time.Now(), "DevOps")
	r := newsletter.Request{Newsletter: weekly()}
	g, err := h.Preview(t.Context(), r, dev)
	if err != nil || g.Subject != "pipelines" {
		t.Errorf("preview for %s: %q, %v", dev, g.Subject, err)
	}
	if _, err := h.Preview(t.Context(), r, cook); err == nil {
		t.Errorf("preview for %s, who is due nothing", cook)
	}
}
