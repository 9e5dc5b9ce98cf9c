package catalog

import (
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
)

// TestForesight looks ahead at posts that appear and expire, and compares with
// what is there when the time has come.
func TestForesight(t *testing.T) {
	s := newSite(t)
	s.post("old.md", "Old", "2026-01-02")
	s.post("leaves.md", "Leaves", "2026-01-03", "expires: 2026-03-05T12:00:00Z")
	s.post("second.md", "Second", "2026-03-04T12:00:00Z", "slug: same")
	s.post("third.md", "Third", "2026-03-05T12:00:00Z", "slug: same")
	s.post("draft.md", "Draft", "2026-03-04", "draft: true")
	s.post("brief.md", "Brief", "2026-03-03T12:00:00Z", "expires: 2026-03-04T12:00:00Z")
	s.load()
	rows, err := s.db.LoadPosts(t.Context())
	must(t, err)

	f, err := Foresee(t.Context(), s.cfg, s.clock())
	must(t, err)
	var told [][]string
	for day := range 6 {
		snap, err := f.At(t.Context(), noon.AddDate(0, 0, day))
		must(t, err)
		told = append(told, visible(snap))
		for _, e := range snap.Entries {
			if known := slices.ContainsFunc(rows, func(r store.Post) bool { return r.ID == e.PostID }); known == (e.PostID == 0) {
				t.Errorf("%s has number %d", e.File, e.PostID)
			}
		}
	}
	if after, err := s.db.LoadPosts(t.Context()); err != nil || len(after) != len(rows) {
		t.Errorf("looking ahead saved something: %d posts, then %d (%v)", len(rows), len(after), err)
	}
	for _, want := range told {
		if got := visible(s.load()); !slices.Equal(got, want) {
			t.Errorf("at %v: %q, foreseen %q", s.clock(), got, want)
		}
		s.pass(24 * time.Hour)
	}
	if len(told[0]) != 2 || len(told[5]) != 3 || !slices.Contains(told[5], "Third /posts/same-2/") {
		t.Errorf("foreseen %q", told)
	}
}

// visible gives the posts that readers see, with their addresses.
func visible(snap *Snapshot) (list []string) {
	for _, e := range snap.Entries {
		list = append(list, e.Title+" "+e.Path)
	}
	return list
}

// TestForesightOfThePast shows what was published by then.
func TestForesightOfThePast(t *testing.T) {
	s := newSite(t)
	s.post("old.md", "Old", "2026-01-02")
	s.post("new.md", "New", "2026-02-02")
	s.load()
	f, err := Foresee(t.Context(), s.cfg, noon.AddDate(0, -2, 5))
	must(t, err)
	snap, err := f.At(t.Context(), noon.AddDate(0, -2, 5))
	must(t, err)
	if got := titles(snap.Entries); !slices.Equal(got, []string{"Old"}) || len(snap.Held) != 1 || snap.Held[0].Until.IsZero() {
		t.Errorf("%q, held %v", got, snap.Held)
	}
	if e := find(t, s.load(), "new.md"); e.PostID == 0 || !e.Published.Equal(time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", e)
	}
}
