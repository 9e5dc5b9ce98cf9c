package catalog

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// indexed gives the site an index file and returns what starts the program
// anew and tells which files that read.
func indexed(t *testing.T, s *site) (start func() (*Snapshot, []string)) {
	restart := onDisk(t, s)
	s.cfg.Index, s.cfg.IndexStamp = filepath.Join(t.TempDir(), "index"), "program 1"
	return func() (*Snapshot, []string) {
		t.Helper()
		restart()
		k, err := open(context.Background(), s.cfg)
		must(t, err)
		var mu sync.Mutex // files are read side by side
		var read []string
		k.folder.read = func(name string) ([]byte, stamp, error) {
			rel, err := filepath.Rel(s.dir, name)
			must(t, err)
			mu.Lock()
			defer mu.Unlock()
			read = append(read, rel)
			return readFile(name)
		}
		change, err := k.pass(context.Background(), nil, false)
		must(t, err)
		check(t, change.Snapshot)
		k.writeIndex(context.Background())
		slices.Sort(read)
		return change.Snapshot, read
	}
}

func TestAStartReadsOnlyWhatChanged(t *testing.T) {
	s := newSite(t)
	start := indexed(t, s)
	s.post("a.md", "Ants", "2026-01-01T10:00:00+02:00", "tags: [x, y]", "description: About ants", "draft: false")
	s.post("b.md", "Bees", "2026-01-02", "lastmod: 2026-01-03", "fulltext: true")
	s.post("draft.md", "Draft", "2026-01-02", "draft: true")
	s.post("future.md", "Future", "2026-03-02")
	s.post("odd.md", "Odd", "2026-01-05", "lastmod: nonsense")
	s.write("broken.md", brokenText)
	s.write("README.md", "no post\n")
	s.post("bundle/index.md", "Bundle", "2026-01-04")
	s.post("bundle/part.md", "Part", "2026-01-04")

	cold, read := start()
	if len(read) < 7 || len(cold.Entries) != 4 {
		t.Fatalf("a first start read %q and shows %q", read, titles(cold.Entries))
	}
	same := func(now *Snapshot) {
		t.Helper()
		if !slices.Equal(titles(now.Entries), titles(cold.Entries)) || !slices.Equal(now.Problems, cold.Problems) || len(now.Held) != len(cold.Held) {
			t.Errorf("entries %q, problems %v, held %v; want %q, %v, %v", titles(now.Entries), now.Problems, now.Held, titles(cold.Entries), cold.Problems, cold.Held)
		}
		for i, e := range now.Entries {
			was := *cold.Entries[i].Post
			if e.Summary != was.Summary || !slices.Equal(e.Tags, was.Tags) || e.Updated.String() != cold.Entries[i].Updated.String() || e.PostID == 0 {
				t.Errorf("entry %+v of %+v, was %+v", *e, *e.Post, was)
			}
			if s.cfg.text(t, e) == "" {
				t.Errorf("%s has no text", e.File)
			}
		}
	}
	for range 2 {
		warm, read := start()
		if len(read) > 0 {
			t.Errorf("a second start read %q", read)
		}
		same(warm)
	}

	s.post("b.md", "Better bees", "2026-01-02")
	if now, read := start(); !slices.Equal(read, []string{"b.md"}) || find(t, now, "b.md").Title != "Better bees" {
		t.Errorf("after an edit: read %q", read)
	}
	later := noon.Add(-time.Minute)
	must(t, os.Chtimes(s.path("a.md"), later, later))
	if _, read := start(); !slices.Equal(read, []string{"a.md"}) {
		t.Errorf("after a touch: read %q", read)
	}
	s.cfg.IndexStamp = "program 2"
	if _, read := start(); len(read) < 7 {
		t.Errorf("another program read only %q", read)
	}
	must(t, os.WriteFile(s.cfg.Index, []byte("damage"), 0o600))
	if _, read := start(); len(read) < 7 {
		t.Errorf("with a damaged index only %q were read", read)
	}
}

// A future post that the index knows is saved with its text when its time
// comes, so that its last good version survives.
func TestAPostFromTheIndexIsSavedWithItsText(t *testing.T) {
	s := newSite(t)
	start := indexed(t, s)
	s.post("future.md", "Future", "2026-03-02")
	start()
	s.pass(24 * time.Hour)
	snap, read := start()
	if len(snap.Entries) != 1 || !slices.Equal(read, []string{"future.md"}) {
		t.Fatalf("entries %q, read %q", titles(snap.Entries), read)
	}
	s.write("future.md", brokenText)
	if snap, _ := start(); len(snap.Entries) != 1 || s.cfg.text(t, snap.Entries[0]) == "" {
		t.Errorf("the last good version is lost: %q, %v", titles(snap.Entries), snap.Problems)
	}
}

func TestAFileWrittenJustNowIsReadAgain(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 500, time.UTC)
	for _, c := range []struct {
		before time.Duration
		want   bool
	}{{0, true}, {10 * time.Millisecond, true}, {30 * time.Millisecond, false}, {-time.Hour, true}} {
		if got := racy(at.Add(-c.before), at); got != c.want {
			t.Errorf("written %s before it was read: racy %v", c.before, got)
		}
	}
	if whole := at.Truncate(time.Second); !racy(whole, whole.Add(time.Second)) || racy(whole, whole.Add(3*time.Second)) {
		t.Error("a file system that counts whole seconds")
	}
}

// Of a large blog the daemon shows what it knew, and then what has become of it.
func TestALargeBlogStartsFromTheIndex(t *testing.T) {
	s := newSite(t)
	start := indexed(t, s)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		s.post(name+".md", "Title "+name, "2026-01-01")
	}
	s.post("bundle/index.md", "Bundle", "2026-01-01")
	s.post("bundle/part.md", "Part", "2026-01-01")
	s.write("broken.md", brokenText)
	cold, _ := start()

	s.cfg.LongLook = 5
	s.post("a.md", "Edited", "2026-01-01")
	s.remove("b.md")
	s.post("new.md", "New", "2026-01-01")
	w, err := Open(t.Context(), s.cfg)
	must(t, err)
	check(t, w.Current())
	if got := titles(w.Current().Entries); !slices.Equal(got, titles(cold.Entries)) || !slices.Equal(w.Current().Problems, cold.Problems) {
		t.Errorf("at first %q, %v; it was %q, %v", got, w.Current().Problems, titles(cold.Entries), cold.Problems)
	}
	change, err := w.k.pass(t.Context(), nil, true)
	must(t, err)
	check(t, change.Snapshot)
	got := titles(change.Snapshot.Entries)
	slices.Sort(got)
	if want := []string{"Bundle", "Edited", "New", "Title c", "Title d", "Title e", "Title f", "Title g"}; !slices.Equal(got, want) {
		t.Errorf("then %q, want %q", got, want)
	}
	snap, err := Load(t.Context(), s.cfg)
	must(t, err)
	if len(snap.Entries) != 8 {
		t.Errorf("a build goes by the index alone: %q", titles(snap.Entries))
	}
}
