package catalog

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"tidings/internal/store"
)

// slugStore remembers slugs in memory, and fails on demand.
type slugStore struct {
	rows map[string]store.TermSlug
	err  error
}

func (s *slugStore) LoadTermSlugs(context.Context) (rows []store.TermSlug, err error) {
	for _, r := range s.rows {
		rows = append(rows, r)
	}
	return rows, s.err
}

func (s *slugStore) SaveTermSlugs(_ context.Context, rows []store.TermSlug) error {
	if s.err != nil {
		return s.err
	}
	for _, r := range rows {
		for at, old := range s.rows {
			if old.Kind == r.Kind && old.Key == r.Key {
				old.Present = false
				s.rows[at] = old
			}
		}
		r.Present = true
		s.rows[r.Kind+"/"+r.Slug] = r
	}
	return nil
}

func TestRenamedTerms(t *testing.T) {
	s := newSite(t)
	slugs := &slugStore{rows: map[string]store.TermSlug{}}
	s.cfg.Slugs = slugs
	s.post("a.md", "A", "2026-02-01", "categories: [DevOps, Life]", "tags: [a/b]")
	before := s.load()
	if len(slugs.rows) != 3 {
		t.Errorf("remembered: %v", slugs.rows)
	}
	s.cfg.Terms = []TermRule{{Kind: Category, Name: "Platform", Was: []string{"devops"}}}
	s.post("b.md", "B", "2026-02-02", "categories: [devops, platform]", "tags: [a-b]")
	after := s.load()
	if got := termsOf(after.Categories); !slices.Equal(got, []string{"Life=life", "Platform=platform"}) {
		t.Errorf("categories %q", got)
	}
	if n := len(after.Categories[1].Entries); n != 2 {
		t.Errorf("%d posts in the renamed category", n)
	}
	if to := after.Former[Category]["devops"]; to != "platform" {
		t.Errorf("the former address leads to %q", to)
	}
	// a-b would have the slug on a fresh database, but a/b had it first.
	if got := termsOf(after.Tags); got[0] != "a/b=a-b" || len(got) != 2 {
		t.Errorf("tags %q", got)
	}
	if before.ByPath["/posts/a/"].ID != after.ByPath["/posts/a/"].ID {
		t.Error("a post got another id")
	}

	s.cfg.Terms = nil
	if back := s.load(); back.Former[Category]["platform"] != "" || back.Categories[0].Slug != "devops" {
		t.Errorf("without the rule: %q, %v", termsOf(back.Categories), back.Former)
	}
}

// TestSlugsAreSavedLater: a database that cannot be written keeps nobody from
// being published.
func TestSlugsAreSavedLater(t *testing.T) {
	s := newSite(t)
	slugs := &slugStore{rows: map[string]store.TermSlug{}}
	s.cfg.Slugs = slugs
	s.post("a.md", "A", "2026-02-01", "tags: [go]")
	k, err := open(t.Context(), s.cfg)
	must(t, err)
	slugs.err = errors.New("locked")
	change, err := k.pass(t.Context(), nil, true)
	if err != nil || len(change.Snapshot.Tags) != 1 {
		t.Fatalf("%v, %v", change.Snapshot, err)
	}
	slugs.err = nil
	_, err = k.pass(t.Context(), nil, true)
	must(t, err)
	if len(slugs.rows) != 1 || len(k.shelf.tags.news()) != 0 {
		t.Errorf("not saved with the next pass: %v", slugs.rows)
	}
}

func TestAuthorsAndSections(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "A", "2026-02-01", "author: Jane Doe")
	s.post("blog/b.md", "B", "2026-02-02")
	s.post("blog/c.md", "C", "2026-02-03", "authors: [Jane Doe, Joe]")
	if got := s.load(); got.Authors != nil || got.Sections != nil {
		t.Errorf("without being asked: %v, %v", got.Authors, got.Sections)
	}
	s.cfg.Authors, s.cfg.Author, s.cfg.Sections = true, "The Editor", true
	got := s.load()
	if want := []string{"Jane Doe=jane-doe", "Joe=joe", "The Editor=the-editor"}; !slices.Equal(termsOf(got.Authors), want) {
		t.Errorf("authors %q, want %q", termsOf(got.Authors), want)
	}
	if len(got.Sections) != 1 || got.Sections[0].Name != filepath.Base(s.dir) || len(got.Sections[0].Entries) != 3 {
		t.Errorf("a folder of another name than content is one section: %q", termsOf(got.Sections))
	}
	for file, want := range map[string][]string{"blog/b.md": {"blog"}, "blog/x/index.md": {"blog"}, "about.md": nil} {
		if got := (Config{Dir: "/srv/content"}).section(file); !slices.Equal(got, want) {
			t.Errorf("%s is in %q, want %q", file, got, want)
		}
	}
}

func termsOf(terms []*Term) []string {
	var all []string
	for _, x := range terms {
		all = append(all, x.Name+"="+x.Slug)
	}
	return all
}
