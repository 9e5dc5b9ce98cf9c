package catalog

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// looked walks or looks and gives what was found, by file.
func looked(t *testing.T, f *folder, names ...string) map[string]kind {
	t.Helper()
	var found []finding
	var err error
	if len(names) == 0 {
		found, err = f.walk(t.Context())
	} else {
		force := map[string]bool{}
		for _, name := range names {
			force[name] = true
		}
		found, err = f.look(t.Context(), force)
	}
	must(t, err)
	kinds := map[string]kind{}
	for _, f := range found {
		kinds[f.file] = f.kind
	}
	return kinds
}

func expectKinds(t *testing.T, got, want map[string]kind) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func TestFolderReadsOnlyWhatChanged(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	var read []string
	f := newFolder(s.dir, time.UTC)
	f.read = func(name string) ([]byte, stamp, error) {
		mu.Lock()
		defer mu.Unlock()
		rel, _ := filepath.Rel(s.dir, name)
		read = append(read, filepath.ToSlash(rel))
		return readFile(name)
	}
	reads := func(want ...string) {
		t.Helper()
		slices.Sort(read)
		if !slices.Equal(read, want) {
			t.Errorf("read %q, want %q", read, want)
		}
		read = nil
	}
	s.post("a.md", "Ants", "2026-01-01")
	looked(t, f)
	reads("a.md")
	s.post("b.md", "Bees", "2026-01-01")
	s.post("sub/c.md", "Cats", "2026-01-01")
	looked(t, f, "b.md")
	reads("b.md")
	looked(t, f, "sub")
	reads("sub/c.md")
	expectKinds(t, looked(t, f), map[string]kind{})
	reads()
	must(t, os.Chtimes(s.path("a.md"), noon, noon))
	expectKinds(t, looked(t, f), map[string]kind{}) // other time, same bytes
	reads("a.md")
	s.post("a.md", "Bugs", "2026-01-01")
	looked(t, f)
	reads("a.md")
	s.post("a.md", "Flys", "2026-01-01") // same size, same time
	expectKinds(t, looked(t, f, "a.md"), map[string]kind{"a.md": good})
	reads("a.md")
	s.post("a.md", "Bees", "2026-01-01")
	f.doubt(map[string]bool{"a.md": true, "b.md": false})
	expectKinds(t, looked(t, f), map[string]kind{"a.md": good})
	reads("a.md")
	f.doubt(map[string]bool{"sub": true})
	expectKinds(t, looked(t, f), map[string]kind{})
	reads("a.md", "b.md", "sub/c.md")
}

func TestFolderSubtrees(t *testing.T) {
	s := newSite(t)
	f := newFolder(s.dir, time.UTC)
	s.post("x/y/a.md", "Ants", "2026-01-01")
	s.post("x/b.md", "Bees", "2026-01-01")
	s.post("xy/c.md", "Cats", "2026-01-01")
	looked(t, f)
	s.rename("x", "z")
	expectKinds(t, looked(t, f, "x", "z"), map[string]kind{"x/y/a.md": vanished, "x/b.md": vanished, "z/y/a.md": good, "z/b.md": good})
	if f.dirs["x"] || f.dirs["x/y"] || !f.dirs["z/y"] || !f.dirs["xy"] {
		t.Errorf("directories %v", f.dirs)
	}
	s.remove("z/y")
	expectKinds(t, looked(t, f, "z/y"), map[string]kind{"z/y/a.md": vanished})
}

func TestFolderLinks(t *testing.T) {
	s := newSite(t)
	away := t.TempDir()
	must(t, os.WriteFile(filepath.Join(away, "far.md"), []byte(postText("Far", "2026-01-01")), 0o644))
	must(t, os.MkdirAll(filepath.Join(away, "deep"), 0o755))
	must(t, os.WriteFile(filepath.Join(away, "deep", "deep.md"), []byte(postText("Deep", "2026-01-01")), 0o644))
	s.post("real/a.md", "Ants", "2026-01-01")
	links := map[string]string{
		"aaa":         s.path("real"),                // the real name counts, whatever sorts first
		"real/loop":   s.dir,                         // back to the start
		"away":        away,                          // followed
		"again":       away,                          // was followed already: the first name by order counts
		"far2.md":     filepath.Join(away, "far.md"), // a linked file is a post
		"nowhere.md":  "missing",
		"nowhere.txt": "missing",
	}
	for name, target := range links {
		must(t, os.Symlink(target, s.path(name)))
	}
	must(t, os.Symlink(away, filepath.Join(away, "deep", "up")))
	f := newFolder(s.dir, time.UTC)
	expectKinds(t, looked(t, f), map[string]kind{
		"real/a.md": good, "again/far.md": good, "again/deep/deep.md": good, "far2.md": good, "nowhere.md": broken,
	})
	if p := f.problems["nowhere.md"]; len(p) != 1 || !strings.Contains(p[0].Message, "symbolic link") {
		t.Errorf("problems %v", f.problems)
	}
	must(t, os.Symlink(t.TempDir(), s.path("fresh")))
	if _, err := f.look(t.Context(), map[string]bool{"fresh": true}); err != errLinked {
		t.Errorf("a new linked directory gives %v", err)
	}
}

func TestFolderOddFiles(t *testing.T) {
	s := newSite(t)
	must(t, os.MkdirAll(s.path("dir.md"), 0o755))
	s.post("dir.md/inside.md", "Inside", "2026-01-01")
	must(t, syscall.Mkfifo(s.path("pipe.md"), 0o644))
	s.write("huge.md", strings.Repeat("x", 10<<20+1))
	s.write(".hidden.md", "x")
	s.write("notes.txt", "x")
	s.write(".git/a.md", postText("No", "2026-01-01"))
	s.write("a.md~", "x")
	s.write("page.md", "x")
	f := newFolder(s.dir, time.UTC)
	want := map[string]kind{"dir.md/inside.md": good, "pipe.md": broken, "huge.md": broken, "page.md": notPost}
	expectKinds(t, looked(t, f), want)
	for name, part := range map[string]string{"pipe.md": "not a regular file", "huge.md": "10485761 bytes"} {
		if p := f.problems[name]; len(p) != 1 || !strings.Contains(p[0].Message, part) {
			t.Errorf("%s: problems %v", name, p)
		}
	}
	s.remove("pipe.md", "huge.md")
	s.post("pipe.md", "Mended", "2026-01-01")
	expectKinds(t, looked(t, f, "pipe.md", "huge.md"), map[string]kind{"pipe.md": good, "huge.md": vanished})
	if len(f.problems) != 0 {
		t.Errorf("problems %v", f.problems)
	}
}

func TestFolderUnreadable(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	f := newFolder(s.dir, time.UTC)
	refuse := true
	f.read = func(name string) ([]byte, stamp, error) {
		if refuse {
			return nil, stamp{}, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
		}
		return readFile(name)
	}
	expectKinds(t, looked(t, f), map[string]kind{"a.md": broken})
	if p := f.problems["a.md"]; len(p) != 1 || p[0].Message != "the file cannot be read: permission denied; let the tidings process read it" {
		t.Errorf("problems %v", f.problems)
	}
	refuse = false // chmod changes neither size nor time
	expectKinds(t, looked(t, f), map[string]kind{"a.md": good})
	refuse = true
	expectKinds(t, looked(t, f, "a.md"), map[string]kind{"a.md": broken})
	refuse = false
	expectKinds(t, looked(t, f), map[string]kind{"a.md": good})
	if len(f.problems) != 0 {
		t.Errorf("problems %v", f.problems)
	}
}

// TestFolderBundles: an index file makes the files around it its resources,
// and when it leaves they are posts again.
func TestFolderBundles(t *testing.T) {
	s := newSite(t)
	f := newFolder(s.dir, time.UTC)
	s.post("trip/notes.md", "Notes", "2026-01-01")
	s.post("trip/more/deep.md", "Deep", "2026-01-01")
	expectKinds(t, looked(t, f), map[string]kind{"trip/notes.md": good, "trip/more/deep.md": good})
	s.post("trip/index.md", "Trip", "2026-01-01")
	expectKinds(t, looked(t, f, "trip/index.md"), map[string]kind{"trip/index.md": good, "trip/notes.md": vanished, "trip/more/deep.md": vanished})
	s.post("trip/notes.md", "Notes!", "2026-01-01")
	if got := looked(t, f, "trip/notes.md"); got["trip/notes.md"] == good {
		t.Errorf("a resource was taken for a post: %v", got)
	}
	s.remove("trip/index.md")
	expectKinds(t, looked(t, f), map[string]kind{"trip/index.md": vanished, "trip/notes.md": good, "trip/more/deep.md": good})
	s.post("trip/index.fr.md", "Voyage", "2026-01-01")
	expectKinds(t, looked(t, f), map[string]kind{"trip/index.fr.md": good, "trip/notes.md": vanished, "trip/more/deep.md": vanished})
}

// TestFolderExpects: files the database speaks of are news when they are not
// there, but not when nobody knows.
func TestFolderExpects(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	f := newFolder(s.dir, time.UTC)
	f.expect("a.md")
	f.expect("b.md")
	expectKinds(t, looked(t, f), map[string]kind{"a.md": good, "b.md": vanished})

	must(t, os.Remove(s.path("a.md")))
	must(t, os.Remove(s.dir))
	must(t, os.WriteFile(s.dir, nil, 0o644)) // not a directory
	t.Cleanup(func() { _ = os.Remove(s.dir) })
	expectKinds(t, looked(t, f), map[string]kind{})
	if p := f.problems["."]; len(p) != 1 || !strings.Contains(p[0].Message, "not a directory") {
		t.Errorf("problems %v", f.problems)
	}
}

func TestReadAllStops(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newFolder(s.dir, time.UTC).walk(ctx); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

// TestLookSeesWhereAMovedFileCameFrom: the event of the old name comes later.
func TestLookSeesWhereAMovedFileCameFrom(t *testing.T) {
	s := newSite(t)
	s.post("old/a.md", "Ants", "2026-01-01")
	s.post("old/b.md", "Bees", "2026-01-02")
	f := newFolder(s.dir, time.UTC)
	if _, err := f.walk(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.rename("old/a.md", "new/a.md")
	s.post("new/copy.md", "Bees", "2026-01-02")
	found, err := f.look(t.Context(), map[string]bool{"new": true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]kind{}
	for _, x := range found {
		got[x.file] = x.kind
	}
	if want := map[string]kind{"old/a.md": vanished, "new/a.md": good, "new/copy.md": good}; !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
