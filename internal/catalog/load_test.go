package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
)

func TestLoad(t *testing.T) {
	s := newSite(t)
	s.post("2026/ants.md", "Ants", "2026-01-02", "tags: [Insects, go]", "categories: [Nature]", "lastmod: 2026-02-01")
	s.post("bees.md", "Bees", "2026-01-03", "tags: [insects]")
	s.write("about.md", "Just a page.\n")
	snap := s.load()
	if got := titles(snap.Entries); !slices.Equal(got, []string{"Bees", "Ants"}) {
		t.Fatalf("entries %q", got)
	}
	e := find(t, snap, "2026/ants.md")
	if e.ID != "tag:localhost,2026-01-02:/posts/ants/" || e.Path != "/posts/ants/" || e.URL != "http://localhost:8080/posts/ants/" || e.PostID == 0 {
		t.Errorf("identity %q %q %q %d", e.ID, e.Path, e.URL, e.PostID)
	}
	if day := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC); !e.Updated.Equal(day) {
		t.Errorf("updated %s, want %s", e.Updated, day)
	}
	if !e.FirstSeen.Equal(noon) || !e.Changed.Equal(noon.Add(-time.Hour)) {
		t.Errorf("first seen %s, changed %s", e.FirstSeen, e.Changed)
	}
	if len(snap.Tags) != 2 || snap.Tags[1].Name != "Insects" || len(snap.Tags[1].Entries) != 2 || len(snap.Categories) != 1 {
		t.Errorf("tags %v, categories %v", snap.Tags, snap.Categories)
	}
	if snap.Posts != 2 || len(snap.Problems) != 0 || !snap.Next.IsZero() {
		t.Errorf("posts %d, problems %v, next %s", snap.Posts, snap.Problems, snap.Next)
	}
}

func TestAddresses(t *testing.T) {
	s := newSite(t)
	s.cfg.SiteURL = mustURL(t, "https://Blog.Example.org:8443/me/")
	s.cfg.Permalink = "/:category/:year/:month/:day/:slug/"
	s.cfg.Location = time.FixedZone("", 9*3600)
	day := "2026-01-02T23:00:00Z" // the third at the site
	s.post("plain.md", "Plain", day, "categories: [C++]")
	s.post("bare.md", "Bare", day)
	s.post("link.md", "Link", day, "permalink: /here/x.html")
	s.post("escaped.md", "Escaped", day, "permalink: /caf%C3%A9/")
	s.post("own.md", "Own", day, "url: https://blog.example.org:8443/me/mine/")
	s.post("away.md", "Away", day, "url: https://elsewhere.example/a?b=c")
	s.post("日本.md", "日本", day)
	tests := []struct{ file, path, url, id string }{
		{"plain.md", "/cpp/2026/01/03/plain/", "https://Blog.Example.org:8443/me/cpp/2026/01/03/plain/", "tag:blog.example.org,2026-01-03:/me/cpp/2026/01/03/plain/"},
		{"bare.md", "/2026/01/03/bare/", "https://Blog.Example.org:8443/me/2026/01/03/bare/", ""},
		{"link.md", "/here/x.html", "https://Blog.Example.org:8443/me/here/x.html", "tag:blog.example.org,2026-01-03:/me/here/x.html"},
		{"escaped.md", "/café/", "https://Blog.Example.org:8443/me/caf%C3%A9/", "tag:blog.example.org,2026-01-03:/me/caf%C3%A9/"},
		{"own.md", "/mine/", "https://Blog.Example.org:8443/me/mine/", ""},
		{"away.md", "", "https://elsewhere.example/a?b=c", "tag:blog.example.org,2026-01-03:/me/2026/01/03/a/"},
		{"日本.md", "/2026/01/03/日本/", "https://Blog.Example.org:8443/me/2026/01/03/%E6%97%A5%E6%9C%AC/", ""},
	}
	snap := s.load()
	for _, tt := range tests {
		e := find(t, snap, tt.file)
		if e.Path != tt.path || e.URL != tt.url {
			t.Errorf("%s: path %q url %q, want %q %q", tt.file, e.Path, e.URL, tt.path, tt.url)
		}
		if tt.id != "" && e.ID != tt.id {
			t.Errorf("%s: id %q, want %q", tt.file, e.ID, tt.id)
		}
	}
}

func TestAuthority(t *testing.T) {
	for host, want := range map[string]string{
		"Example.ORG": "example.org", "bücher.example": "xn--bcher-kva.example",
		"localhost": "localhost", "127.0.0.1": "127.0.0.1", "::1": "--1",
	} {
		if got := authority(host); got != want {
			t.Errorf("authority(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestClash(t *testing.T) {
	s := newSite(t)
	s.post("new.md", "New", "2026-01-03", "slug: same")
	s.post("old.md", "Old", "2026-01-01", "slug: same")
	s.post("mid.md", "Mid", "2026-01-02", "slug: same")
	s.post("page.md", "Page", "2026-01-04", "url: /p.html")
	s.post("page2.md", "Page 2", "2026-01-05", "url: /p.html")
	want := map[string]string{"old.md": "/posts/same/", "mid.md": "/posts/same-2/", "new.md": "/posts/same-3/", "page.md": "/p.html", "page2.md": "/p-2.html"}
	snap := s.load()
	compare := func(when string) {
		t.Helper()
		for file, path := range want {
			if e := find(t, snap, file); e.Path != path {
				t.Errorf("%s: %s is at %s, want %s", when, file, e.Path, path)
			}
		}
	}
	compare("first")
	if len(snap.Problems) != 3 || !snap.Problems[0].Warning || !strings.Contains(snap.Problems[0].Message, "old.md") {
		t.Errorf("problems %v", snap.Problems)
	}
	s.post("older.md", "Older", "2025-01-01", "slug: same")
	want["older.md"] = "/posts/same-4/"
	snap = s.load()
	compare("an older date does not take an address from those who have it")
	s.remove("old.md")
	delete(want, "old.md")
	snap = s.load()
	compare("a free address moves nobody")
	s.post("mid.md", "Mid", "2026-01-02", "slug: mine")
	want["mid.md"] = "/posts/mine/"
	snap = s.load()
	compare("a new wish is granted")
	if got := snap.Redirects["/posts/same-2/"]; got != "/posts/mine/" {
		t.Errorf("the former address leads to %q", got)
	}
	if _, ok := snap.Redirects["/posts/same/"]; ok {
		t.Error("the address of a deleted post leads somewhere")
	}
}

func TestRedirects(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01", "aliases: [/old/, /posts/b/, /gone/]")
	s.post("b.md", "Bees", "2026-01-02")
	s.load()
	s.rename("a.md", "c.md")
	s.load()
	s.rename("c.md", "d.md")
	snap := s.load()
	want := map[string]string{"/old/": "/posts/d/", "/gone/": "/posts/d/", "/posts/a/": "/posts/d/", "/posts/c/": "/posts/d/"}
	if !maps.Equal(snap.Redirects, want) {
		t.Errorf("redirects %v, want %v", snap.Redirects, want)
	}
	s.post("a.md", "Another", "2026-02-01") // a new post may have a former address
	s.post("d.md", "Ants", "2026-01-01", "url: https://elsewhere.example/")
	snap = s.load()
	if len(snap.Redirects) != 0 || snap.ByPath["/posts/a/"].Title != "Another" {
		t.Errorf("redirects %v, want none to another site", snap.Redirects)
	}
}

func TestNothingLeaksEarly(t *testing.T) {
	s := newSite(t)
	s.post("draft.md", "Draft", "2026-01-01", "draft: true", "tags: [secret]")
	s.post("soon.md", "Soon", noon.Add(time.Hour).Format(time.RFC3339), "tags: [secret]")
	s.post("brief.md", "Brief", "2026-01-01", "expiryDate: "+noon.Add(2*time.Hour).Format(time.RFC3339))
	s.post("past.md", "Past", "2026-01-01", "expiryDate: 2026-02-01")
	snap := s.load()
	if got := titles(snap.Entries); !slices.Equal(got, []string{"Brief"}) || len(snap.Tags) != 0 || len(snap.ByPath) != 1 {
		t.Errorf("entries %q, tags %v", got, snap.Tags)
	}
	if snap.Posts != 4 || !snap.Next.Equal(noon.Add(time.Hour)) {
		t.Errorf("%d posts, next %s", snap.Posts, snap.Next)
	}
	var why []string
	for _, h := range snap.Held {
		why = append(why, h.File+": "+h.Why)
	}
	if want := []string{"draft.md: draft", "past.md: expired 2026-02-01 00:00 UTC", "soon.md: dated 2026-03-01 13:00 UTC"}; !slices.Equal(why, want) {
		t.Errorf("held %q, want %q", why, want)
	}
	if !snap.Held[2].Until.Equal(noon.Add(time.Hour)) || !snap.Held[0].Until.IsZero() {
		t.Errorf("until %s, %s", snap.Held[2].Until, snap.Held[0].Until)
	}
	if len(s.db.rows) != 1 {
		t.Errorf("%d posts are pinned, want the visible one alone", len(s.db.rows))
	}

	s.pass(time.Hour)
	if snap = s.load(); !slices.Equal(titles(snap.Entries), []string{"Soon", "Brief"}) || !snap.Next.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("an hour later: %q, next %s", titles(snap.Entries), snap.Next)
	}
	s.pass(time.Hour)
	if snap = s.load(); !slices.Equal(titles(snap.Entries), []string{"Soon"}) || !snap.Next.Equal(noon.Add(2*time.Hour+remembrance)) {
		t.Errorf("two hours later: %q, next %s", titles(snap.Entries), snap.Next)
	}
}

func TestPublishedNeverMoves(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	before := *find(t, s.load(), "a.md")
	for _, edit := range []struct{ date, more string }{
		{"2026-02-02", "slug: x"}, {"2020-01-01", "slug: y"}, {"2026-01-01", "draft: true"}, {"2030-01-01", "slug: z"},
	} {
		s.pass(time.Minute)
		s.post("a.md", "Ants", edit.date, edit.more)
		snap := s.load()
		if edit.more == "draft: true" || edit.date == "2030-01-01" {
			if len(snap.Entries) != 0 {
				t.Errorf("%v: published", edit)
			}
			continue
		}
		e := find(t, snap, "a.md")
		if !e.Published.Equal(before.Published) || e.ID != before.ID || e.PostID != before.PostID || !e.FirstSeen.Equal(before.FirstSeen) {
			t.Errorf("%v: published %s, id %s, first seen %s", edit, e.Published, e.ID, e.FirstSeen)
		}
		if !e.Changed.Equal(s.clock()) {
			t.Errorf("%v: changed %s, want %s", edit, e.Changed, s.clock())
		}
	}
	s.post("a.md", "Ants", "2026-01-05", "id: https://example.org/mine")
	if e := find(t, s.load(), "a.md"); !e.Published.Equal(before.Published) || e.ID != "https://example.org/mine" || e.PostID != before.PostID {
		t.Errorf("back: published %s, id %s", e.Published, e.ID)
	}
}

// TestScheduledMayMove: until readers see a post, its date and address follow
// the file.
func TestScheduledMayMove(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-05-01")
	s.load()
	s.rename("a.md", "b.md")
	s.load()
	s.post("b.md", "Ants", "2026-02-01")
	if e := find(t, s.load(), "b.md"); e.ID != "tag:localhost,2026-02-01:/posts/b/" {
		t.Errorf("id %s", e.ID)
	}
}

func TestEqualIDs(t *testing.T) {
	s := newSite(t)
	s.post("new.md", "New", "2026-01-03", "id: https://example.org/1")
	s.post("old.md", "Old", "2026-01-01", "id: https://example.org/1")
	for range 2 {
		snap := s.load()
		if got := find(t, snap, "old.md").ID; got != "https://example.org/1" {
			t.Errorf("the oldest has %s", got)
		}
		if got := find(t, snap, "new.md").ID; got != "tag:localhost,2026-01-03:/posts/new/" {
			t.Errorf("the second has %s", got)
		}
		if len(snap.Problems) != 1 || snap.Problems[0].File != "new.md" || !snap.Problems[0].Warning {
			t.Errorf("problems %v", snap.Problems)
		}
	}
}

const brokenText = "---\ntitle: [\n---\nBody.\n"

// TestLastGoodVersion breaks a file, restarts, and mends it.
func TestLastGoodVersion(t *testing.T) {
	for name, spoil := range map[string]func(s *site){
		"front matter": func(s *site) { s.write("a.md", brokenText) },
		"empty":        func(s *site) { s.write("a.md", "") },
		"a page":       func(s *site) { s.write("a.md", "No front matter.\n") },
		"binary":       func(s *site) { s.write("a.md", "---\ntitle: x\ndate: 2026-01-01\n---\n\x00\x01") },
		"huge":         func(s *site) { s.write("a.md", strings.Repeat("x", 11<<20)) },
		"dangling":     func(s *site) { s.remove("a.md"); must(s.t, os.Symlink("nowhere", s.path("a.md"))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.post("a.md", "Ants", "2026-01-01", "tags: [x]")
			s.post("b.md", "Bees", "2026-01-02")
			before := *find(t, s.load(), "a.md")
			body := s.cfg.text(t, &before)
			spoil(s)
			s.write("never.md", brokenText)
			for range 2 {
				snap := s.load()
				e := find(t, snap, "a.md")
				if e.ID != before.ID || s.cfg.text(t, e) != body || len(snap.Entries) != 2 || snap.Posts != 2 {
					t.Errorf("entry %+v, %d entries, %d posts", e, len(snap.Entries), snap.Posts)
				}
				if len(snap.Problems) != 2 || snap.Problems[0].File != "a.md" || !strings.Contains(snap.Problems[0].Message, "last good version stays") ||
					snap.Problems[1].File != "never.md" || snap.Problems[0].Warning {
					t.Errorf("problems %v", snap.Problems)
				}
			}
			s.remove("a.md")
			s.post("a.md", "Ants mended", "2026-01-01")
			s.remove("never.md")
			snap := s.load()
			if e := find(t, snap, "a.md"); e.ID != before.ID || e.Title != "Ants mended" || len(snap.Problems) != 0 {
				t.Errorf("mended: %+v, problems %v", e, snap.Problems)
			}
		})
	}
}

// TestLastGoodVersionUnreadable: if even the database's copy is no post, that
// is logged once and harms no other post.
func TestLastGoodVersionUnreadable(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	s.post("b.md", "Bees", "2026-01-02")
	s.load()
	row := s.db.rows[1]
	row.Source = []byte(brokenText)
	s.db.rows[1] = row
	s.write("a.md", brokenText)
	k, err := open(t.Context(), s.cfg)
	must(t, err)
	for range 2 {
		change, err := k.pass(t.Context(), nil, true)
		must(t, err)
		if got := titles(change.Snapshot.Entries); !slices.Equal(got, []string{"Bees"}) {
			t.Errorf("entries %q", got)
		}
	}
	if n := strings.Count(s.log.String(), "cannot be read any more"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}

func TestDatabaseUnwritable(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	s.db.fail(store.ErrUnwritable)
	ctx := context.Background()
	k, err := open(ctx, s.cfg)
	must(t, err)
	for range 3 {
		change, err := k.pass(ctx, nil, false)
		must(t, err)
		if e := find(t, change.Snapshot, "a.md"); e.PostID != 0 || e.ID != "tag:localhost,2026-01-01:/posts/a/" {
			t.Errorf("post %d, id %s", e.PostID, e.ID)
		}
	}
	if n := strings.Count(s.log.String(), "cannot be saved"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
	s.db.fail(nil)
	change, err := k.pass(ctx, nil, false)
	must(t, err)
	if e := find(t, change.Snapshot, "a.md"); e.PostID == 0 || len(change.Changed) != 1 {
		t.Errorf("post %d, %d changed", e.PostID, len(change.Changed))
	}
	if src, _ := s.db.PostSources(ctx, []int64{1}); !strings.Contains(string(src[1]), "Ants") {
		t.Errorf("source %q", src[1])
	}
}

// TestTwoProcesses pins the same new posts from two sides at once.
func TestTwoProcesses(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	daemon, err := open(ctx, s.cfg)
	must(t, err)
	_, err = daemon.pass(ctx, nil, false)
	must(t, err)
	s.post("a.md", "Ants", "2026-01-01")
	other := find(t, s.load(), "a.md")
	s.pass(time.Hour)
	s.post("b.md", "Bees", "2026-01-02")
	change, err := daemon.pass(ctx, nil, false)
	must(t, err)
	e := find(t, change.Snapshot, "a.md")
	if e.PostID != other.PostID || e.ID != other.ID || !e.FirstSeen.Equal(other.FirstSeen) {
		t.Errorf("daemon has %+v, the other process %+v", e, other)
	}
	if find(t, change.Snapshot, "b.md").PostID == 0 || len(s.db.rows) != 2 {
		t.Errorf("%d posts are saved, want 2", len(s.db.rows))
	}
}

// TestIDHandedOn: one post gives up its id and an older one takes it, at once.
func TestIDHandedOn(t *testing.T) {
	s := newSite(t)
	s.post("old.md", "Old", "2026-01-01")
	s.post("new.md", "New", "2026-01-02", "id: https://example.org/x")
	before := s.load()
	s.post("old.md", "Old", "2026-01-01", "id: https://example.org/x")
	s.post("new.md", "New", "2026-01-02", "id: https://example.org/z")
	for range 3 {
		snap := s.load()
		for _, file := range []string{"old.md", "new.md"} {
			if e := find(t, snap, file); e.PostID != find(t, before, file).PostID {
				t.Errorf("%s is post %d, was %d", file, e.PostID, find(t, before, file).PostID)
			}
		}
	}
	snap := s.load()
	if o, n := find(t, snap, "old.md"), find(t, snap, "new.md"); o.ID != "https://example.org/x" || n.ID != "https://example.org/z" {
		t.Errorf("ids %s, %s", o.ID, n.ID)
	}
}

func TestReadOnly(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	s.cfg.ReadOnly = true
	if e := find(t, s.load(), "a.md"); e.PostID != 0 || s.db.writes != 0 {
		t.Errorf("post %d, %d writes", e.PostID, s.db.writes)
	}
	s.cfg.Store = nil
	find(t, s.load(), "a.md")
}

func TestUnchangedIsNotSavedAgain(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	s.load()
	must(t, os.Chtimes(s.path("a.md"), noon, noon)) // as a fresh clone would
	writes, before := s.db.writes, s.db.rows[1].Changed
	if e := find(t, s.load(), "a.md"); s.db.writes != writes || !e.Changed.Equal(before) {
		t.Errorf("%d writes, changed %s", s.db.writes-writes, e.Changed)
	}
}

func TestMissingDirectory(t *testing.T) {
	s := newSite(t)
	s.cfg.Dir = s.path("nowhere")
	if _, err := Load(context.Background(), s.cfg); err == nil || !strings.Contains(err.Error(), "posts.dir") {
		t.Errorf("error %v", err)
	}
}

func TestLoadStops(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, s.cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestTermSlugs: two terms that would share an address are told apart in the
// same way whatever is read first.
func TestTermSlugs(t *testing.T) {
	s := newSite(t)
	for i, tag := range []string{"a/b", "a-b", "A B", "a.b"} {
		s.post(fmt.Sprintf("%d.md", i), fmt.Sprintf("Post %d", i), "2026-01-01", fmt.Sprintf("tags: [%q]", tag))
	}
	snap := s.load()
	if len(snap.Tags) != 3 || snap.Tags[0].Slug != "a-b" || snap.Tags[0].Name != "A B" {
		t.Errorf("tags %+v", snap.Tags)
	}
	if len(snap.Problems) != 2 || !snap.Problems[0].Warning {
		t.Errorf("problems %v", snap.Problems)
	}
	for _, tag := range snap.Tags[1:] {
		if !strings.HasPrefix(tag.Slug, "a-b-") {
			t.Errorf("tag %+v", tag)
		}
	}
}
