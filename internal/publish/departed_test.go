package publish_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/publish"
	"tidings/internal/term"
)

// left is a post that readers do not see any more.
func left(e *catalog.Entry, when time.Time) *catalog.Departed {
	d := &catalog.Departed{Post: e.Post, ID: e.ID, When: when}
	for kind, names := range map[catalog.Kind][]string{catalog.Category: e.Categories, catalog.Tag: e.Tags} {
		for _, name := range names {
			d.Terms = append(d.Terms, catalog.TermRef{TermKey: catalog.TermKey{Kind: kind, Key: term.Key(name)}, Slug: term.Slug(name)})
		}
	}
	return d
}

func TestPostsThatLeftHaveTombstonesWhereTheyWere(t *testing.T) {
	cfg := config()
	cfg.Combined = []publish.Combination{
		{Name: "either", Any: publish.Names{Tags: []string{"日本語", "Rust"}}},
		{Name: "both", All: publish.Names{Categories: []string{"DevOps"}, Tags: []string{"c++"}}},
		{Name: "neither", Any: publish.Names{Categories: []string{"DevOps"}}, Not: publish.Names{Tags: []string{"c++"}}},
		{Name: "nobody", Any: publish.Names{Tags: []string{"Rust"}}},
	}
	p := newPublisher(cfg, nil, nil)
	posts := some()
	before := update(t, p, posts...).Set
	gone := posts[3] // DevOps, C++, 日本語
	snap := snapshot(append(posts[:3:3], posts[4])...)
	at := time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)
	snap.Departed = []*catalog.Departed{left(gone, at)}
	r, err := p.Update(context.Background(), snap)
	if err != nil {
		t.Fatal(err)
	}
	stone := `<at:deleted-entry ref="` + gone.ID + `" when="2026-05-20T08:00:00Z"></at:deleted-entry>`
	for path, want := range map[string]bool{
		"/atom.xml": true, "/categories/devops/atom.xml": true, "/tags/cpp/atom.xml": true, "/tags/日本語/atom.xml": true,
		"/tags/go/atom.xml": false, "/categories/life/atom.xml": false, "/feed.xml": false, "/feed.json": false,
		"/feeds/either/atom.xml": true, "/feeds/both/atom.xml": true, "/feeds/neither/atom.xml": false, "/feeds/nobody/atom.xml": false,
	} {
		doc := text(t, r.Set, path)
		if strings.Contains(doc, stone) != want || strings.Contains(doc, "deleted-entry") != want {
			t.Errorf("%s: tombstone %v, want %v\n%s", path, !want, want, doc)
		}
		if want && !strings.Contains(doc, "<updated>2026-05-20T08:00:00Z</updated>") {
			t.Errorf("%s: updated did not move\n%s", path, doc)
		}
		if !want && path == "/tags/go/atom.xml" && r.Set.Lookup(path) != before.Lookup(path) {
			t.Errorf("%s is another document", path)
		}
	}
	snap.Retired = map[catalog.Kind]map[string]string{catalog.Tag: {"日本語": "日本語"}}
	for raw, want := range map[string]bool{"tag=cpp": true, "category=devops&not-tag=cpp": false, "tag=日本語&tag=日本語": true, "tag=go&all-tag=日本語": false} {
		f, err := p.Combine(context.Background(), snap, query(t, snap, raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(f.Docs[feed.Atom].Bytes()), stone); got != want {
			t.Errorf("%s: tombstone %v, want %v", raw, got, want)
		}
	}
	snap.Departed = nil
	if r, err = p.Update(context.Background(), snap); err != nil || strings.Contains(text(t, r.Set, "/atom.xml"), "deleted-entry") {
		t.Errorf("the tombstone stays: %v", err)
	}
}

func TestAGreatCleanUpDoesNotFillTheFeed(t *testing.T) {
	p := newPublisher(config(), nil, nil)
	snap := snapshot(some()...)
	for i := range 1000 {
		e := newEntry(1, name(i), "DevOps")
		snap.Departed = append(snap.Departed, left(e, start))
	}
	r, err := p.Update(context.Background(), snap)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/atom.xml", "/categories/devops/atom.xml"} {
		if n := strings.Count(text(t, r.Set, path), "deleted-entry ref"); n != 100 {
			t.Errorf("%s: %d tombstones", path, n)
		}
	}
}
