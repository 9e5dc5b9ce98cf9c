package catalog

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

// onDisk gives the site a real database and returns what starts the program
// anew with it.
func onDisk(t *testing.T, s *site) (restart func(opts ...sqlite.Option)) {
	file := filepath.Join(t.TempDir(), "tidings.db")
	var db store.Store
	stop := func() {
		if db != nil {
			must(t, db.Close())
		}
	}
	t.Cleanup(func() { stop() })
	restart = func(opts ...sqlite.Option) {
		t.Helper()
		stop()
		var err error
		db, err = sqlite.Open(context.Background(), file, opts...)
		must(t, err)
		s.cfg.Store = db
	}
	restart()
	return restart
}

func TestRestart(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01T10:00:00.123456789+02:00", "tags: [x]")
	s.post("b.md", "Bees", "2026-01-02")
	first := s.load()
	for round := range 3 {
		s.pass(1)
		restart()
		again := s.load()
		for i, e := range again.Entries {
			was := first.Entries[i]
			if e.PostID != was.PostID || e.ID != was.ID || e.URL != was.URL || e.FirstSeen != was.FirstSeen || e.Changed != was.Changed ||
				e.Published.String() != was.Published.String() || e.Updated.String() != was.Updated.String() {
				t.Errorf("round %d: entry %+v, was %+v", round, *e, *was)
			}
		}
	}
}

func TestRestartWithDamage(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01")
	s.post("b.md", "Bees", "2026-01-02")
	s.post("c.md", "Cats", "2026-01-03")
	before := s.load()
	s.write("a.md", brokenText)
	s.rename("b.md", "d.md")
	restart()
	snap := s.load()
	a, d := find(t, snap, "a.md"), find(t, snap, "d.md")
	if a.ID != find(t, before, "a.md").ID || a.Title != "Ants" || len(snap.Problems) != 1 {
		t.Errorf("broken: %+v, problems %v", a, snap.Problems)
	}
	if d.ID != find(t, before, "b.md").ID || snap.Redirects["/posts/b/"] != "/posts/d/" {
		t.Errorf("renamed: %+v, redirects %v", d, snap.Redirects)
	}

	body := s.cfg.text(t, find(t, before, "c.md"))
	must(t, os.RemoveAll(s.dir))
	restart()
	snap = s.load()
	if snap.Alarm == nil || len(snap.Entries) != 3 || find(t, snap, "a.md").Title != "Ants" || s.cfg.text(t, find(t, snap, "c.md")) != body {
		t.Fatalf("alarm %+v, entries %q", snap.Alarm, titles(snap.Entries))
	}

	s.post("c.md", "Cats", "2026-01-03")
	if n, err := Accept(t.Context(), s.cfg); n != 2 || err != nil {
		t.Fatalf("accepted %d: %v", n, err)
	}
	restart()
	snap = s.load()
	if snap.Alarm != nil || len(snap.Entries) != 1 || snap.Entries[0].ID != find(t, before, "c.md").ID {
		t.Errorf("alarm %+v, entries %q", snap.Alarm, titles(snap.Entries))
	}

	s.post("back.md", "Ants", "2026-01-01")
	restart()
	if e := find(t, s.load(), "back.md"); e.ID != a.ID || e.PostID != a.PostID || !e.Published.Equal(a.Published) {
		t.Errorf("back: %+v, was %+v", e, a)
	}
}

func TestRestartReadOnlyDatabase(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01")
	s.load()
	restart(sqlite.ReadOnly())
	s.post("b.md", "Bees", "2026-01-02")
	snap := s.load()
	if a, b := find(t, snap, "a.md"), find(t, snap, "b.md"); a.PostID == 0 || b.PostID != 0 || b.ID != "tag:localhost,2026-01-02:/posts/b/" {
		t.Errorf("entries %+v, %+v", a, b)
	}
	if !strings.Contains(s.log.String(), "cannot be saved") {
		t.Errorf("log:\n%s", s.log)
	}
	restart()
	if b := find(t, s.load(), "b.md"); b.PostID == 0 || b.ID != "tag:localhost,2026-01-02:/posts/b/" {
		t.Errorf("saved as %+v", b)
	}
}
