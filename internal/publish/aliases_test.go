package publish_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/publish"
)

// library is a snapshot with terms of all taxonomies, and a tag that had
// another name.
func library() *catalog.Snapshot {
	entries := []*catalog.Entry{newEntry(2, "two", "Open Science", "#C++"), newEntry(1, "one", "DevOps", "#c", "#Große Übersicht")}
	snap := snapshot(entries...)
	slugs := map[string]string{"große übersicht": "grosse-übersicht"}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		t.Spellings = []string{t.Name}
		if slug := slugs[t.Key]; slug != "" {
			t.Slug = slug
		}
	}
	snap.Authors = []*catalog.Term{{
		Kind: catalog.Author, Key: "jane-doe", Name: "Jane Doe", Slug: "jane-doe", Spellings: []string{"Jane Doe"}, Entries: entries,
	}}
	snap.Sections = []*catalog.Term{{Kind: catalog.Section, Key: "blog", Name: "blog", Slug: "blog", Spellings: []string{"blog"}, Entries: entries}}
	snap.Former = map[catalog.Kind]map[string]string{catalog.Category: {"ops": "devops"}}
	for _, t := range snap.Categories {
		if t.Key == "devops" {
			t.Was = []string{"Ops"}
		}
	}
	return snap
}

func with(preset publish.Preset) publish.Config {
	cfg := config()
	cfg.Preset = preset
	return cfg
}

func published(t *testing.T, cfg publish.Config, snap *catalog.Snapshot) *publish.Set {
	t.Helper()
	if !cfg.HasAuthors() {
		snap.Authors = nil
	}
	if !cfg.HasSections() {
		snap.Sections = nil
	}
	r, err := newPublisher(cfg, nil, nil).Update(context.Background(), snap)
	if err != nil {
		t.Fatal(err)
	}
	return r.Set
}

func TestPresets(t *testing.T) {
	for preset, want := range map[publish.Preset]map[string]string{ // path → path of the document
		publish.NoPreset: {
			"/feed": "/feed.xml", "/feed/": "/feed.xml", "/rss": "/feed.xml", "/index.xml": "/feed.xml", "/feed.atom": "/atom.xml", "/index.json": "/feed.json",
			"/feed/atom/": "", "/categories/devops/index.xml": "", "/authors/jane-doe/feed.xml": "", "/feed/devops.xml": "", "/rss.xml": "/feed.xml",
		},
		publish.Hugo: {
			"/index.xml": "/feed.xml", "/categories/open-science/index.xml": "/categories/open-science/feed.xml",
			"/tags/c++/index.xml": "/tags/cpp/feed.xml", "/tags/cpp/index.xml": "/tags/cpp/feed.xml", "/tags/c/index.xml": "/tags/c/feed.xml",
			"/tags/große-übersicht/index.xml": "/tags/grosse-übersicht/feed.xml", "/categories/ops/index.xml": "/categories/devops/feed.xml",
			"/authors/jane-doe/feed.xml": "", "/blog/index.xml": "/sections/blog/feed.xml", "/sections/blog/atom.xml": "/sections/blog/atom.xml",
		},
		publish.WordPress: {
			"/feed/": "/feed.xml", "/feed/rss2": "/feed.xml", "/feed/atom/": "/atom.xml", "/?feed=rss2": "/feed.xml", "/?feed=atom": "/atom.xml",
			"/category/open-science/feed/": "/categories/open-science/feed.xml", "/category/devops/feed/atom": "/categories/devops/atom.xml",
			"/category/ops/feed": "/categories/devops/feed.xml", "/tag/c/feed": "/tags/c/feed.xml", "/tag/cpp/feed/": "/tags/cpp/feed.xml",
			"/tag/grose-ubersicht/feed/": "/tags/grosse-übersicht/feed.xml", "/author/jane-doe/feed/": "/authors/jane-doe/feed.xml",
			"/authors/jane-doe/atom.xml": "/authors/jane-doe/atom.xml", "/wp-rss2.php": "/feed.xml", "/tag/devops/feed/": "",
		},
		publish.Ghost: {
			"/rss/": "/feed.xml", "/tag/c/rss/": "/tags/c/feed.xml", "/tag/devops/rss": "/categories/devops/feed.xml",
			"/tag/dev-ops/rss": "/categories/devops/feed.xml", "/author/jane-doe/rss/": "/authors/jane-doe/feed.xml",
			"/tag/grosse-ubersicht/rss/": "/tags/grosse-übersicht/feed.xml",
		},
		publish.Jekyll: {
			"/feed.xml": "/feed.xml", "/atom.xml": "/feed.xml", "/rss.xml": "/rss.xml", "/feed/": "/rss.xml", "/index.xml": "/rss.xml",
			"/feed/DevOps.xml": "/categories/devops/atom.xml", "/feed/devops.xml": "/categories/devops/atom.xml",
			"/feed/Open Science.xml": "/categories/open-science/atom.xml", "/feed/by_tag/C++.xml": "/tags/cpp/atom.xml", "/feed/by_tag/c.xml": "/tags/c/atom.xml",
		},
	} {
		t.Run(string(preset), func(t *testing.T) {
			set := published(t, with(preset), library())
			for path, document := range want {
				switch d := set.Lookup(path); {
				case d == nil && document != "":
					t.Errorf("%s: nothing, want %s", path, document)
				case d != nil && d.Path != document:
					t.Errorf("%s: %s, want %q", path, d.Path, document)
				}
			}
			for _, d := range set.Documents() {
				if set.Lookup(d.Path) != d {
					t.Errorf("an alias hides %s", d.Path)
				}
			}
		})
	}
}

// TestJekyllSelf: where /feed.xml is Atom, each document still says where it is.
func TestJekyllSelf(t *testing.T) {
	set := published(t, with(publish.Jekyll), library())
	for path, start := range map[string]string{"/feed.xml": "<feed", "/rss.xml": "<rss"} {
		got := text(t, set, path)
		if !strings.Contains(got, start) || !strings.Contains(got, `href="https://example.org/blog`+path+`"`) {
			t.Errorf("%s does not begin with %s or name itself:\n%.600s", path, start, got)
		}
	}
	if opml := text(t, set, "/feeds.opml"); !strings.Contains(opml, "https://example.org/blog/rss.xml") {
		t.Errorf("the OPML names another address:\n%s", opml)
	}
}

func TestReserved(t *testing.T) {
	for preset, want := range map[publish.Preset][]string{
		publish.NoPreset:  nil,
		publish.Hugo:      {"/sections/x/"},
		publish.WordPress: {"/author/x/", "/authors/x/", "/category/x/", "/tag/", "/wp-rss2.php"},
		publish.Ghost:     {"/author/x/", "/authors/x/", "/tag/"},
		publish.Jekyll:    nil,
	} {
		var got []string
		for _, path := range []string{"/author/x/", "/authors/x/", "/category/x/", "/tag/", "/wp-rss2.php", "/posts/x/", "/", "/authorship/", "/sections/x/"} {
			if (publish.Config{Preset: preset}).Reserved(path) {
				got = append(got, path)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s reserves %q, want %q", preset, got, want)
		}
	}
	if !(publish.Config{Authors: true}).Reserved("/authors/x/") {
		t.Error("the feeds of authors are not reserved")
	}
}

func TestAuthorsHaveFeeds(t *testing.T) {
	set := published(t, with(publish.Ghost), library())
	last := set.Feeds[len(set.Feeds)-1]
	if last.Kind != catalog.Author || last.Path != "/authors/jane-doe/" || last.Posts != 2 || last.Title != "Field Notes: Jane Doe" {
		t.Errorf("%+v", last)
	}
	if opml := text(t, set, "/feeds.opml"); !strings.Contains(opml, `text="Authors"`) {
		t.Errorf("the OPML has no authors:\n%s", opml)
	}
}

// TestFormerSlugs: the addresses of a slug that a term left lead to the
// present ones; in a folder there is a file with the present feed.
func TestFormerSlugs(t *testing.T) {
	docs := &documents{}
	p := newPublisher(config(), docs, nil)
	update(t, p, newEntry(1, "one", "Ops"))
	r, err := p.Update(context.Background(), library())
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"/categories/ops/": "/categories/devops/", "/categories/ops/feed.xml": "/categories/devops/feed.xml",
		"/categories/ops/atom.xml": "/categories/devops/atom.xml", "/categories/devops/feed.xml": "", "/tags/ops/": "", "/categories/ops": "",
	} {
		if got := r.Set.Moved(from); got != to {
			t.Errorf("%s leads to %q, want %q", from, got, to)
		}
	}
	if d := r.Set.Lookup("/categories/ops/feed.xml"); d != nil {
		t.Errorf("the former address still has a document of its own: %s", d.Path)
	}
	dir := t.TempDir()
	report := write(t, dir, r.Set)
	got := files(t, dir)
	if got["categories/ops/feed.json"] != string(r.Set.Lookup("/categories/devops/feed.json").Bytes()) {
		t.Error("the file at the former address is not the present feed")
	}
	if n := len(r.Set.Documents()); report.Files != n {
		t.Errorf("%d files are counted, want %d", report.Files, n)
	}

	// The feed of a term that lost its posts goes on answering, everywhere.
	cfg := config()
	cfg.Preset = publish.Hugo
	p = newPublisher(cfg, docs, nil)
	// A term without posts is not known to have moved; its feed is empty.
	r, err = p.Update(context.Background(), snapshot(newEntry(2, "two", "Life")))
	if err != nil || r.Set.Lookup("/categories/ops/feed.xml") == nil || r.Set.Moved("/categories/ops/feed.xml") != "" {
		t.Errorf("the feed of a term that lost its posts is gone (%v)", err)
	}
	if d := r.Set.Lookup("/categories/ops/index.xml"); d == nil || d.Path != "/categories/ops/feed.xml" {
		t.Errorf("at its other address there is %v", d)
	}
}

// TestTermsAsFiles: names as people write them make as many feeds as they
// are terms, which stay within the folder and apart where case is ignored.
func TestTermsAsFiles(t *testing.T) {
	e := newEntry(1, "one", "#C++", "#C#", "#C", "#.NET", "#c++", "#Open Science", "#open-science", "#日本語", "#a/b", "#..")
	set := update(t, newPublisher(config(), nil, nil), e).Set
	if len(set.Feeds) != 1+8 {
		t.Errorf("%d feeds", len(set.Feeds))
	}
	dir := t.TempDir()
	write(t, dir, set)
	folded := map[string]bool{}
	for name := range maps.Keys(files(t, dir)) {
		if f := strings.ToLower(name); folded[f] {
			t.Errorf("%s is there twice where case is ignored", name)
		} else {
			folded[f] = true
		}
	}
	for _, slug := range []string{"cpp", "csharp", "c", "dotnet", "open-science", "日本語", "a-b"} {
		if !folded["tags/"+slug+"/"+feed.RSS.FileName()] {
			t.Errorf("no feed for %s", slug)
		}
	}
}
