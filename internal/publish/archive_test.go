package publish_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/publish"
)

// years gives posts of three years, of which the second is crowded; the oldest
// come first.
func years() []*catalog.Entry {
	var list []*catalog.Entry
	add := func(n int, from time.Time, step time.Duration) {
		for i := range n {
			e := newEntry(1, fmt.Sprintf("p%d", len(list)), "DevOps")
			e.Published = from.Add(time.Duration(i) * step)
			e.Updated = e.Published
			list = append(list, e)
		}
	}
	add(5, time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC), 24*time.Hour)
	add(120, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), 3*24*time.Hour)
	add(10, time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC), 24*time.Hour)
	return list
}

// follow walks the archives from a feed back, as a reader does, and gives all
// ids that it meets.
func follow(t *testing.T, set *publish.Set, path string) (ids map[string]bool, pages []string) {
	t.Helper()
	ids = map[string]bool{}
	for path != "" {
		doc := text(t, set, path)
		for _, part := range strings.Split(doc, "<entry>")[1:] {
			_, id, _ := strings.Cut(part, "<id>")
			id, _, _ = strings.Cut(id, "</id>")
			ids[id] = true
		}
		pages = append(pages, path)
		_, rest, ok := strings.Cut(doc, `rel="prev-archive" href="https://example.org/blog`)
		path, _, _ = strings.Cut(rest, `"`)
		if !ok {
			path = ""
		}
	}
	return ids, pages
}

func TestArchivesHoldEveryPost(t *testing.T) {
	cfg := config()
	cfg.Archives = true
	p := newPublisher(cfg, nil, nil)
	posts := years()
	set := update(t, p, posts...).Set
	for _, path := range []string{"/atom.xml", "/categories/devops/atom.xml"} {
		ids, pages := follow(t, set, path)
		if len(ids) != len(posts) {
			t.Errorf("%s leads to %d posts, want %d; pages %q", path, len(ids), len(posts), pages)
		}
		if len(pages) != 1+1+12+1 || !strings.HasSuffix(pages[1], "/archive/2025/atom.xml") || !strings.HasSuffix(pages[2], "/archive/2024-12/atom.xml") || !strings.HasSuffix(pages[14], "/archive/2023/atom.xml") {
			t.Errorf("%s: pages %q", path, pages)
		}
	}
	old := text(t, set, "/feeds/archive/2023/atom.xml")
	id := func(doc string) string {
		_, id, _ := strings.Cut(doc, "<id>")
		id, _, _ = strings.Cut(id, "</id>")
		return id
	}
	for _, part := range []string{"<fh:archive>", `rel="current" href="https://example.org/blog/atom.xml"`, `rel="next-archive" href="https://example.org/blog/feeds/archive/2024-01/atom.xml"`, `rel="self" type="application/atom+xml" href="https://example.org/blog/feeds/archive/2023/atom.xml"`} {
		if !strings.Contains(old, part) {
			t.Errorf("no %s in\n%s", part, old)
		}
	}
	if id(old) != id(text(t, set, "/atom.xml")) {
		t.Error("an archive is another feed")
	}
	if json := text(t, set, "/feed.json"); !strings.Contains(json, `"next_url": "https://example.org/blog/feeds/archive/2025/feed.json"`) {
		t.Error("JSON Feed does not lead on")
	}
	if n := len(set.Documents()); n != 3*2+1 {
		t.Errorf("%d documents are counted", n)
	}
}

func TestAnArchiveStaysAsItIs(t *testing.T) {
	cfg := config()
	cfg.Archives = true
	p := newPublisher(cfg, nil, nil)
	posts := years()
	before := update(t, p, posts...).Set
	e := newEntry(1, "newest", "DevOps")
	e.Published = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	r := update(t, p, append(posts, e)...)
	for _, d := range r.Changed {
		if strings.Contains(d.Path, "/archive/") && !strings.Contains(d.Path, "/archive/2025/") {
			t.Errorf("%s changed with a new post", d.Path)
		}
	}
	if before.Lookup("/feeds/archive/2024-06/feed.xml") != r.Set.Lookup("/feeds/archive/2024-06/feed.xml") {
		t.Error("a closed archive is another document")
	}
	without := update(t, p, slices.Delete(slices.Clone(posts), 2, 3)...)
	for _, d := range without.Changed {
		if strings.Contains(d.Path, "/archive/2024") {
			t.Errorf("%s changed with a post of another year", d.Path)
		}
	}
}

func TestAFeedThatHoldsEverythingIsComplete(t *testing.T) {
	cfg := config()
	cfg.Archives = true
	set := update(t, newPublisher(cfg, nil, nil), some()...).Set
	if doc := text(t, set, "/tags/cpp/feed.xml"); !strings.Contains(doc, "<fh:complete>") || strings.Contains(doc, "archive") {
		t.Errorf("not complete:\n%s", doc)
	}
	if doc := text(t, set, "/feed.xml"); strings.Contains(doc, "<fh:complete>") {
		t.Error("a part passes for the whole")
	}
	plain := update(t, newPublisher(config(), nil, nil), some()...).Set
	if doc := text(t, plain, "/tags/cpp/feed.xml"); strings.Contains(doc, "fh:") || plain.Lookup("/feeds/archive/2026/feed.xml") != nil {
		t.Error("archives that nobody asked for")
	}
}

func TestArchivesAreFilesToo(t *testing.T) {
	cfg := config()
	cfg.Archives, cfg.Formats = true, []feed.Format{feed.Atom}
	dir := t.TempDir()
	report, err := writeTo(t, dir, update(t, newPublisher(cfg, nil, nil), years()...).Set, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Files != 2+1 {
		t.Errorf("%d files are counted", report.Files)
	}
	if _, err := os.Stat(filepath.Join(dir, "feeds", "archive", "2024-06", "atom.xml")); err != nil {
		t.Error(err)
	}
}
