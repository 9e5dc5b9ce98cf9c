package catalog

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// noon is when the tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A site is a posts directory with its database and its clock.
type site struct {
	t   testing.TB
	dir string
	db  *memory
	cfg Config
	log *journal

	mu  sync.Mutex
	now time.Time
}

func newSite(t testing.TB) *site {
	s := &site{t: t, dir: t.TempDir(), db: newMemory(), log: &journal{}, now: noon}
	s.cfg = Config{
		Dir: s.dir, Permalink: "/posts/:slug/", SiteURL: mustURL(t, "http://localhost:8080"),
		Store: s.db, Log: slog.New(slog.NewTextHandler(s.log, nil)), Now: s.clock,
		Debounce: 20 * time.Millisecond, Grace: 50 * time.Millisecond,
	}
	return s
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// pass lets time pass.
func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *site) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// write puts a file in place as careful editors do: whole or not at all.
func (s *site) write(name, text string) {
	s.t.Helper()
	target := s.path(name)
	must(s.t, os.MkdirAll(filepath.Dir(target), 0o755))
	temp := target + "~"
	must(s.t, os.WriteFile(temp, []byte(text), 0o644))
	must(s.t, os.Chtimes(temp, noon.Add(-time.Hour), noon.Add(-time.Hour)))
	must(s.t, os.Rename(temp, target))
}

// post writes a post of some length; more is further front matter.
func (s *site) post(name, title, date string, more ...string) {
	s.t.Helper()
	s.write(name, postText(title, date, more...))
}

func postText(title, date string, more ...string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\ntitle: %s\ndate: %s\n", title, date)
	for _, line := range more {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "---\nWhat there is to say of %s, at such length that nobody would take it for the body of another post.\n", title)
	return b.String()
}

func (s *site) remove(names ...string) {
	s.t.Helper()
	for _, name := range names {
		must(s.t, os.RemoveAll(s.path(name)))
	}
}

func (s *site) rename(from, to string) {
	s.t.Helper()
	must(s.t, os.MkdirAll(filepath.Dir(s.path(to)), 0o755))
	must(s.t, os.Rename(s.path(from), s.path(to)))
}

// load is a fresh start of the program: all that outlives it is the database.
func (s *site) load() *Snapshot {
	s.t.Helper()
	snap, err := Load(context.Background(), s.cfg)
	must(s.t, err)
	check(s.t, snap)
	return snap
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// check holds a snapshot to what is true of all of them.
func check(t testing.TB, snap *Snapshot) {
	t.Helper()
	ids, paths := map[string]bool{}, map[string]bool{}
	for i, e := range snap.Entries {
		if ids[e.ID] || e.Path != "" && paths[e.Path] {
			t.Errorf("entry %s: id %q or path %q is not unique", e.File, e.ID, e.Path)
		}
		ids[e.ID], paths[e.Path] = true, true
		if e.Path != "" && snap.ByPath[e.Path] != e {
			t.Errorf("ByPath[%q] is not entry %s", e.Path, e.File)
		}
		if i > 0 && newestFirst(snap.Entries[i-1], e) >= 0 {
			t.Errorf("entries %d and %d are out of order", i-1, i)
		}
	}
	delete(paths, "")
	if len(snap.ByPath) != len(paths) {
		t.Errorf("ByPath holds %d paths, the entries have %d", len(snap.ByPath), len(paths))
	}
	for from := range snap.Redirects {
		if paths[from] {
			t.Errorf("%q is both a post and a redirect", from)
		}
	}
	checkTerms(t, snap.Entries, snap.Categories, func(e *Entry) []string { return e.Categories })
	checkTerms(t, snap.Entries, snap.Tags, func(e *Entry) []string { return e.Tags })
}

// text gives the body of an entry as it is read for the feeds.
func (c Config) text(t testing.TB, e *Entry) string {
	t.Helper()
	if e.Body != "" { // invented, not read
		return e.Body
	}
	body, err := c.Body(context.Background(), e)
	must(t, err)
	return body
}

func titles(entries []*Entry) []string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Title)
	}
	return list
}

// find gives the entry of a file.
func find(t testing.TB, snap *Snapshot, file string) *Entry {
	t.Helper()
	for _, e := range snap.Entries {
		if e.File == file {
			return e
		}
	}
	t.Fatalf("no entry of %s; there are %q, problems %v", file, titles(snap.Entries), snap.Problems)
	return nil
}

// A journal is a log that can be read while it is written.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}
