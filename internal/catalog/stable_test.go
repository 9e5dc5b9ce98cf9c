package catalog

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// identity is what must not change of an entry, whatever happens to its file.
func identity(e *Entry) string {
	return fmt.Sprint(e.PostID, " ", e.ID, " ", e.Published.UTC(), " ", e.FirstSeen)
}

// TestWhatNeverChanges does to one of three posts all that people and machines
// do, with a restart after each, and holds its identity to the first one.
func TestWhatNeverChanges(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01")
	s.post("b.md", "Bees", "2026-01-02T10:00:00Z", "lastmod: 2026-01-05T10:00:00Z")
	s.post("c.md", "Cats", "2026-01-03")
	first := find(t, s.load(), "b.md")
	if first.ID != "tag:localhost,2026-01-02:/posts/b/" || !first.Updated.Equal(time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)) {
		t.Fatalf("at first %+v", first)
	}
	file, updated := "b.md", first.Updated
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a typo", func() {
			s.write(file, "---\ntitle: Bees\ndate: 2026-01-02T10:00:00Z\nlastmod: 2026-01-05T10:00:00Z\n---\n"+long)
		}},
		{"another title", func() { s.post(file, "Bumblebees", "2026-01-02T10:00:00Z", "lastmod: 2026-01-05T10:00:00Z") }},
		{"a rename", func() { s.rename(file, "bees.md"); file = "bees.md" }},
		{"a move to a folder", func() { s.rename(file, "2026/bees/index.md"); file = "2026/bees/index.md" }},
		{"another slug", func() {
			s.post(file, "Bumblebees", "2026-01-02T10:00:00Z", "lastmod: 2026-01-05T10:00:00Z", "slug: hum")
		}},
		{"another permalink", func() { s.cfg.Permalink = "/:year/:slug.html" }},
		{"https", func() { s.cfg.SiteURL = mustURL(t, "https://localhost:8080") }},
		{"another host", func() { s.cfg.SiteURL = mustURL(t, "https://example.org/blog") }},
		{"another zone", func() { s.cfg.Location = time.FixedZone("", 9*3600) }},
		{"a new checkout", func() {
			for _, name := range []string{"a.md", file, "c.md"} {
				must(t, os.Chtimes(s.path(name), s.clock(), s.clock()))
			}
		}},
		{"an earlier date in the file", func() {
			s.post(file, "Bumblebees", "2025-01-02T10:00:00Z", "lastmod: 2026-01-05T10:00:00Z", "slug: hum")
		}},
		{"a later date in the file", func() {
			s.post(file, "Bumblebees", "2026-01-04T10:00:00Z", "lastmod: 2026-01-05T10:00:00Z", "slug: hum")
		}},
		{"a declared change", func() {
			s.post(file, "Bumblebees", "2026-01-04T10:00:00Z", "lastmod: 2026-02-01T10:00:00Z", "slug: hum")
			updated = time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)
		}},
		{"none declared any more", func() {
			s.post(file, "Bumblebees", "2026-01-04T10:00:00Z", "slug: hum")
			updated = first.Published
		}},
	} {
		s.pass(time.Hour)
		step.do()
		restart()
		e := find(t, s.load(), file)
		if got, want := identity(e), identity(first); got != want {
			t.Errorf("after %s: %s, was %s", step.what, got, want)
		}
		if !e.Updated.Equal(updated) {
			t.Errorf("after %s: updated %s, want %s", step.what, e.Updated, updated)
		}
	}
}

const long = "What there is to say of bees, at a length at which nobody would take it for the text of another post.\n"

// Databases that start with the same files agree on all that readers see,
// whenever they start and whatever the times of the files.
func TestFreshDatabasesAgree(t *testing.T) {
	var first []string
	for i := range 2 {
		s := newSite(t)
		s.pass(time.Duration(i) * 24 * time.Hour)
		for n := range 12 {
			name := fmt.Sprintf("%d/post.md", n)
			s.post(name, fmt.Sprint("Title ", n/2), fmt.Sprintf("2026-01-%02d", 1+n/3), "lastmod: 2026-02-01")
			if i == 1 {
				must(t, os.Chtimes(s.path(name), s.clock(), s.clock()))
			}
		}
		var all []string
		for _, e := range s.load().Entries {
			all = append(all, fmt.Sprint(e.ID, " ", e.URL, " ", e.File, " ", e.Published, " ", e.Updated))
		}
		if i == 0 {
			first = all
		} else if !slices.Equal(all, first) {
			t.Errorf("one has\n%q\nthe other\n%q", first, all)
		}
	}
}

func TestKeepsAddress(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-31T23:30:00Z")
	s.post("b.md", "Bees", "2026-01-31T23:30:00Z", "permalink: /fixed/")
	for permalink, want := range map[string][3]bool{
		"":                           {true, true, true},
		"/:year/:slug/":              {true, true, false},
		"/:year/:month/:slug/":       {true, false, false},
		"/:year/:month/:day/:slug/":  {true, false, false},
		"/:category/:month-:slug.md": {true, false, true},
	} {
		s.cfg.Permalink = permalink
		snap := s.load()
		for i, at := range []string{"2026-01-31T00:10:00Z", "2026-02-01T00:10:00Z", "2025-01-31T00:10:00Z"} {
			when, err := time.Parse(time.RFC3339, at)
			must(t, err)
			if got := s.cfg.KeepsAddress(find(t, snap, "a.md"), when); got != want[i] {
				t.Errorf("%s at %s: %v", permalink, at, got)
			}
			if !s.cfg.KeepsAddress(find(t, snap, "b.md"), when) {
				t.Errorf("%s at %s: the fixed address changes", permalink, at)
			}
		}
	}
}
