package publish_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/publish"
	"tidings/internal/store"
	"tidings/internal/term"
)

var start = time.Date(2026, 6, 1, 12, 0, 0, 500, time.UTC)

// clock is a hand-moved clock.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func config() publish.Config {
	return publish.Config{Title: "Field Notes", Language: "en", SiteURL: "https://example.org/blog", Items: 3}
}

// newEntry is a post of the given day of May 2026; terms that begin with # are
// tags.
func newEntry(day int, name string, terms ...string) *catalog.Entry {
	when := time.Date(2026, 5, day, 9, 0, 0, 0, time.UTC)
	e := &catalog.Entry{
		Post: &post.Post{File: name + ".md", Title: name, Slug: name, Summary: "About " + name + ".", Body: "Body of " + name},
		ID:   "tag:example.org,2026:/posts/" + name + "/", Path: "/posts/" + name + "/",
		URL:       "https://example.org/blog/posts/" + name + "/",
		Published: when, Updated: when,
	}
	for _, t := range terms {
		if tag, ok := strings.CutPrefix(t, "#"); ok {
			e.Tags = append(e.Tags, tag)
		} else {
			e.Categories = append(e.Categories, t)
		}
	}
	return e
}

// edited is e with another body.
func edited(e *catalog.Entry, body string) *catalog.Entry {
	p, next := *e.Post, *e
	p.Body, next.Post = body, &p
	return &next
}

// snapshot sorts and indexes the entries as the catalog does.
func snapshot(entries ...*catalog.Entry) *catalog.Snapshot {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b *catalog.Entry) int {
		return cmp.Or(b.Published.Compare(a.Published), cmp.Compare(a.ID, b.ID))
	})
	return &catalog.Snapshot{
		Entries:    entries,
		Categories: terms(catalog.Category, entries, func(e *catalog.Entry) []string { return e.Categories }),
		Tags:       terms(catalog.Tag, entries, func(e *catalog.Entry) []string { return e.Tags }),
	}
}

func terms(kind catalog.Kind, entries []*catalog.Entry, names func(*catalog.Entry) []string) []*catalog.Term {
	byKey, spellings := map[string]*catalog.Term{}, map[string]map[string]int{}
	for _, e := range entries {
		for _, name := range names(e) {
			key := term.Key(name)
			if byKey[key] == nil {
				byKey[key] = &catalog.Term{Kind: kind, Key: key, Slug: term.Slug(name)}
				spellings[key] = map[string]int{}
			}
			byKey[key].Entries = append(byKey[key].Entries, e)
			spellings[key][name]++
		}
	}
	out := slices.Collect(maps.Values(byKey))
	for _, t := range out {
		t.Name = slices.MaxFunc(slices.Sorted(maps.Keys(spellings[t.Key])), func(a, b string) int {
			return cmp.Compare(spellings[t.Key][a], spellings[t.Key][b])
		})
	}
	slices.SortFunc(out, func(a, b *catalog.Term) int { return cmp.Compare(a.Slug, b.Slug) })
	return out
}

// documents stands for the database, and fails on demand.
type documents struct {
	mu    sync.Mutex
	rows  map[string]store.Document
	saves int
	err   error
}

func (d *documents) LoadDocuments(context.Context) (map[string]store.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.rows), d.err
}

func (d *documents) SaveDocuments(_ context.Context, docs []store.Document) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	if d.rows == nil {
		d.rows = map[string]store.Document{}
	}
	d.saves++
	for _, doc := range docs {
		d.rows[doc.Path] = doc
	}
	return nil
}

func newPublisher(cfg publish.Config, docs store.Documents, c *clock) *publish.Publisher {
	if c == nil {
		c = &clock{start}
	}
	return publish.New(cfg, publish.Deps{Documents: docs, Now: c.now})
}

func update(t testing.TB, p *publish.Publisher, entries ...*catalog.Entry) publish.Result {
	t.Helper()
	r, err := p.Update(context.Background(), snapshot(entries...))
	if err != nil {
		t.Fatal(err)
	}
	if p.Current() != r.Set {
		t.Fatal("the set is not the current one")
	}
	return r
}

func paths(docs []*publish.Document) []string {
	var out []string
	for _, d := range docs {
		out = append(out, d.Path)
	}
	return out
}

// feedPaths are the paths of a feed in every format, sorted.
func feedPaths(folders ...string) []string {
	var out []string
	for _, folder := range folders {
		for _, f := range []feed.Format{feed.RSS, feed.Atom, feed.JSON} {
			out = append(out, folder+f.FileName())
		}
	}
	slices.Sort(out)
	return out
}

func text(t testing.TB, set *publish.Set, path string) string {
	t.Helper()
	d := set.Lookup(path)
	if d == nil {
		t.Fatalf("no document at %s", path)
	}
	return string(d.Bytes())
}

// sameBytes fails the test unless both sets hold the same documents.
func sameBytes(t interface{ Fatalf(string, ...any) }, a, b *publish.Set) {
	left, right := a.Documents(), b.Documents()
	if len(left) != len(right) {
		t.Fatalf("%d documents and %d", len(left), len(right))
	}
	for i := range left {
		if left[i].Path != right[i].Path || string(left[i].Bytes()) != string(right[i].Bytes()) {
			t.Fatalf("%s and %s differ:\n%s\n%s", left[i].Path, right[i].Path, left[i].Bytes(), right[i].Bytes())
		}
	}
}

// some are five posts in two categories and with three tags.
func some() []*catalog.Entry {
	return []*catalog.Entry{
		newEntry(1, "one", "DevOps", "#go"),
		newEntry(2, "two", "DevOps", "#go", "#C++"),
		newEntry(3, "three", "Life"),
		newEntry(4, "four", "DevOps", "#c++", "#日本語"),
		newEntry(5, "five", "DevOps"),
	}
}

func name(i int) string { return fmt.Sprintf("post-%d", i) }
