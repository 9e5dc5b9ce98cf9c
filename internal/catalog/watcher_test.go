package catalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A running watcher, whose changes are checked one by one.
type running struct {
	*site
	w       *Watcher
	changes chan Change
	replay  map[string]*Entry // what the changes so far add up to
	removed []string          // titles that ever left
}

// watch starts a watcher that runs until the test ends.
func (s *site) watch() *running {
	s.t.Helper()
	w, err := Open(context.Background(), s.cfg)
	must(s.t, err)
	r := &running{site: s, w: w, changes: make(chan Change, 1000), replay: map[string]*Entry{}}
	for _, e := range w.Current().Entries {
		r.replay[e.ID] = e
	}
	w.OnChange(func(c Change) { r.changes <- c })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
	return r
}

// await takes in changes until the snapshot is as wanted.
func (r *running) await(what string, ok func(*Snapshot) bool) *Snapshot {
	r.t.Helper()
	snap := r.w.Current()
	limit := time.After(20 * time.Second)
	for {
		if len(r.changes) == 0 && ok(snap) {
			return snap
		}
		select {
		case c := <-r.changes:
			r.apply(c)
			snap = c.Snapshot
		case <-limit:
			r.t.Fatalf("waited in vain for: %s; there are %q, alarm %+v, problems %v\n%s", what, titles(snap.Entries), snap.Alarm, snap.Problems, r.log)
		}
	}
}

// apply holds a change to what the changes before add up to.
func (r *running) apply(c Change) {
	r.t.Helper()
	check(r.t, c.Snapshot)
	for _, e := range c.Removed {
		delete(r.replay, e.ID)
		r.removed = append(r.removed, e.Title)
	}
	for _, e := range append(c.Added, c.Changed...) {
		r.replay[e.ID] = e
	}
	for _, e := range c.Snapshot.Entries {
		if r.replay[e.ID] != e {
			r.t.Errorf("entry %s differs from what the changes said", e.File)
		}
	}
	if len(r.replay) != len(c.Snapshot.Entries) {
		r.t.Errorf("the changes add up to %d entries, the snapshot has %d", len(r.replay), len(c.Snapshot.Entries))
	}
}

func (r *running) awaitTitles(want ...string) *Snapshot {
	r.t.Helper()
	return r.await(fmt.Sprintf("titles %q", want), func(s *Snapshot) bool {
		return strings.Join(titles(s.Entries), "|") == strings.Join(want, "|")
	})
}

func TestWatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	r := s.watch()
	before := r.awaitTitles("Ants")
	s.post("b.md", "Bees", "2026-01-02")
	snap := r.awaitTitles("Bees", "Ants")
	if snap.Entries[1] != before.Entries[0] {
		t.Error("the entry of an unchanged post is another pointer")
	}
	s.post("b.md", "Bugs", "2026-01-02")
	r.awaitTitles("Bugs", "Ants")
	for i := range 6 {
		s.post(fmt.Sprintf("c%d.md", i), fmt.Sprintf("Cat %d", i), "2025-01-01")
	}
	r.await("eight entries", func(s *Snapshot) bool { return len(s.Entries) == 8 })
	s.remove("b.md")
	r.await("one less", func(s *Snapshot) bool { return len(s.Entries) == 7 })
	if log := s.log.String(); !strings.Contains(log, "posts changed") || !strings.Contains(log, "removed=1") {
		t.Errorf("log:\n%s", log)
	}
}

// TestWatchEditors saves as editors do. The post must not leave meanwhile.
func TestWatchEditors(t *testing.T) {
	for name, save := range map[string]func(s *site, text string){
		"temporary file": func(s *site, text string) {
			must(s.t, os.WriteFile(s.path("a.md___jb_tmp___"), []byte(text), 0o644))
			must(s.t, os.Rename(s.path("a.md"), s.path("a.md___jb_old___")))
			must(s.t, os.Rename(s.path("a.md___jb_tmp___"), s.path("a.md")))
			must(s.t, os.Remove(s.path("a.md___jb_old___")))
		},
		"backup": func(s *site, text string) {
			must(s.t, os.WriteFile(s.path("4913"), nil, 0o644))
			must(s.t, os.Remove(s.path("4913")))
			must(s.t, os.Rename(s.path("a.md"), s.path("a.md~")))
			must(s.t, os.WriteFile(s.path("a.md"), []byte(text), 0o644))
			must(s.t, os.Remove(s.path("a.md~")))
		},
		"lock and in place": func(s *site, text string) {
			must(s.t, os.Symlink("user@host.1", s.path(".#a.md")))
			must(s.t, os.WriteFile(s.path("#a.md#"), []byte(text), 0o644))
			must(s.t, os.WriteFile(s.path("a.md"), []byte(text), 0o644))
			must(s.t, os.Remove(s.path(".#a.md")))
			must(s.t, os.Remove(s.path("#a.md#")))
		},
		"slowly": func(s *site, text string) {
			f, err := os.Create(s.path("a.md"))
			must(s.t, err)
			for i := range text {
				_, err = f.WriteString(text[i : i+1])
				must(s.t, err)
			}
			must(s.t, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.post("a.md", "Ants", "2026-01-01")
			r := s.watch()
			id := r.awaitTitles("Ants").Entries[0].ID
			for i := range 3 {
				title := fmt.Sprintf("Ants %d", i)
				save(s, postText(title, "2026-01-01"))
				if e := r.awaitTitles(title).Entries[0]; e.ID != id {
					t.Errorf("id %s, was %s", e.ID, id)
				}
			}
			if len(r.removed) > 0 {
				t.Errorf("left meanwhile: %q", r.removed)
			}
		})
	}
}

// TestWatchBurst changes many files at once, as "git pull" does.
func TestWatchBurst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 50 {
		s.post(fmt.Sprintf("%d/%02d.md", i%5, i), fmt.Sprintf("Post %02d", i), "2026-01-01")
	}
	r := s.watch()
	ids := map[string]string{}
	for _, e := range r.await("fifty", func(s *Snapshot) bool { return len(s.Entries) == 50 }).Entries {
		ids[e.Title] = e.ID
	}
	s.rename("0", "deep/er/0") // ten posts move
	s.rename("1", "one")       // and ten more
	for i := range 5 {
		s.remove(fmt.Sprintf("2/%02d.md", 5*i+2))
		s.post(fmt.Sprintf("new/%d/index.md", i), fmt.Sprintf("New %d", i), "2026-01-02")
	}
	snap := r.await("the end of the burst", func(s *Snapshot) bool {
		return len(s.Entries) == 50 && strings.HasPrefix(s.Entries[0].Title, "New") && s.Entries[5].Title == "Post 00"
	})
	for _, e := range snap.Entries {
		if id, old := ids[e.Title]; old && e.ID != id {
			t.Errorf("%s has id %s, had %s", e.Title, e.ID, id)
		}
	}
	for _, title := range r.removed {
		if i := strings.TrimPrefix(title, "Post "); i != "02" && i != "07" && i != "12" && i != "17" && i != "22" {
			t.Errorf("%s left meanwhile", title)
		}
	}
	if snap.Alarm != nil {
		t.Errorf("alarm %+v", snap.Alarm)
	}
}

// TestWatchNewFolders: what lands in a new folder before it is watched is
// seen, and so is what comes later, also after the folder was renamed.
func TestWatchNewFolders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.watch()
	s.post("x/y/z/a.md", "Ants", "2026-01-01")
	r.awaitTitles("Ants")
	s.post("x/y/z/b.md", "Bees", "2026-01-02")
	r.awaitTitles("Bees", "Ants")
	s.rename("x/y", "moved")
	r.await("the new names", func(s *Snapshot) bool { return strings.HasPrefix(s.Entries[0].File, "moved/z/") })
	s.post("moved/z/a.md", "Ants 2", "2026-01-01")
	r.awaitTitles("Bees", "Ants 2")
	s.post("x/y/z/c.md", "Cats", "2026-01-03")
	r.awaitTitles("Cats", "Bees", "Ants 2")
	if len(r.removed) > 0 {
		t.Errorf("left meanwhile: %q", r.removed)
	}
}

// TestWatchRootLeavesAndReturns as when a volume is unmounted: nothing leaves
// the feeds, and when the folder is back, it is watched again.
func TestWatchRootLeavesAndReturns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("sub/a.md", "Ants", "2026-01-01")
	r := s.watch()
	r.awaitTitles("Ants")
	away := filepath.Join(t.TempDir(), "away")
	must(t, os.Rename(s.dir, away))
	snap := r.await("the alarm", func(s *Snapshot) bool { return s.Alarm != nil })
	if len(snap.Entries) != 1 || len(snap.Problems) != 1 || !strings.Contains(snap.Problems[0].Message, "does not exist") {
		t.Errorf("entries %q, problems %v", titles(snap.Entries), snap.Problems)
	}
	must(t, os.Rename(away, s.dir))
	r.await("the end of the alarm", func(s *Snapshot) bool { return s.Alarm == nil && len(s.Problems) == 0 })
	s.post("sub/a.md", "Ants 2", "2026-01-01")
	r.awaitTitles("Ants 2")
}

// TestWatchRootSwitches as deployment tools do: the folder is a link to a
// release, and the link is replaced.
func TestWatchRootSwitches(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	base := t.TempDir()
	for _, release := range []string{"1", "2"} {
		s.dir = filepath.Join(base, release)
		s.post("a.md", "Ants "+release, "2026-01-01")
	}
	s.cfg.Dir = filepath.Join(base, "current")
	must(t, os.Symlink("1", s.cfg.Dir))
	r := s.watch()
	r.awaitTitles("Ants 1")
	must(t, os.WriteFile(filepath.Join(base, "1", "b.md"), []byte(postText("Bees", "2026-01-02")), 0o644))
	r.awaitTitles("Bees", "Ants 1")
	must(t, os.Rename(filepath.Join(base, "1", "b.md"), filepath.Join(base, "2", "b.md")))
	must(t, os.Symlink("2", filepath.Join(base, "next")))
	must(t, os.Rename(filepath.Join(base, "next"), s.cfg.Dir))
	r.awaitTitles("Bees", "Ants 2")
	s.post("a.md", "Ants 2, edited", "2026-01-01") // in release 2
	r.awaitTitles("Bees", "Ants 2, edited")
}

// TestWatchRescan finds what no event tells: a file behind a link.
func TestWatchRescan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.Rescan = 30 * time.Millisecond
	target := filepath.Join(t.TempDir(), "target")
	must(t, os.WriteFile(target, []byte(postText("Ants", "2026-01-01")), 0o644))
	must(t, os.Symlink(target, s.path("a.md")))
	r := s.watch()
	r.awaitTitles("Ants")
	must(t, os.WriteFile(target, []byte(postText("Ants, edited", "2026-01-01")), 0o644))
	r.awaitTitles("Ants, edited")
}

func TestWatchAccept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	s.post("b.md", "Bees", "2026-01-02")
	r := s.watch()
	r.awaitTitles("Bees", "Ants")
	s.remove("a.md")
	r.await("the alarm", func(s *Snapshot) bool { return s.Alarm != nil && len(s.Entries) == 2 })
	if n, err := Accept(context.Background(), s.cfg); n != 1 || err != nil {
		t.Fatalf("accepted %d: %v", n, err)
	}
	snap := r.awaitTitles("Bees")
	if snap.Alarm != nil {
		t.Errorf("alarm %+v", snap.Alarm)
	}
}

// TestWatchSchedule lets a post appear and another expire by time alone.
func TestWatchSchedule(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.Now = time.Now
	appears, expires := time.Now().Add(400*time.Millisecond), time.Now().Add(600*time.Millisecond)
	s.post("soon.md", "Soon", appears.Format(time.RFC3339Nano), "tags: [secret]")
	s.post("brief.md", "Brief", "2026-01-01", "expiryDate: "+expires.Format(time.RFC3339Nano))
	r := s.watch()
	snap := r.w.Current()
	for len(snap.Entries) != 1 || snap.Entries[0].Title != "Soon" {
		c := <-r.changes
		r.apply(c)
		snap = c.Snapshot
		now := time.Now()
		if now.Before(appears) && (snap.ByPath["/posts/soon/"] != nil || len(snap.Tags) > 0) {
			t.Error("the post leaked early")
		}
		if now.Before(expires) && snap.ByPath["/posts/brief/"] == nil {
			t.Error("the post expired early")
		}
	}
	if e := snap.Entries[0]; e.Published.Sub(appears).Abs() > time.Millisecond {
		t.Errorf("published %s, want %s", e.Published, appears)
	}
}

func TestWatchBrokenAndMended(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01")
	r := s.watch()
	before := r.awaitTitles("Ants")
	s.write("a.md", brokenText)
	snap := r.await("the problem", func(s *Snapshot) bool { return len(s.Problems) == 1 })
	if len(snap.Entries) != 1 || snap.Entries[0] != before.Entries[0] {
		t.Errorf("entries %q", titles(snap.Entries))
	}
	s.post("a.md", "Ants, mended", "2026-01-01")
	snap = r.awaitTitles("Ants, mended")
	if len(snap.Problems) != 0 || strings.Count(s.log.String(), "problem with a post") != 1 {
		t.Errorf("problems %v, log:\n%s", snap.Problems, s.log)
	}
}

// TestWatchOverflow: after lost events everything is looked at.
func TestWatchOverflow(t *testing.T) {
	s := newSite(t)
	w, err := Open(t.Context(), s.cfg)
	must(t, err)
	defer w.watches.close()
	w.rearm()
	w.work(t.Context())
	s.post("sub/a.md", "Ants", "2026-01-01")
	w.work(t.Context())
	if n := len(w.Current().Entries); n != 0 {
		t.Fatalf("%d entries without an event", n)
	}
	w.deafened(fsnotify.ErrEventOverflow)
	w.work(t.Context())
	if n := len(w.Current().Entries); n != 1 {
		t.Errorf("%d entries after an overflow", n)
	}
}

// TestWatchLimit: without watches the directory is polled.
func TestWatchLimit(t *testing.T) {
	s := newSite(t)
	w, err := Open(t.Context(), s.cfg)
	must(t, err)
	defer w.watches.close()
	w.rearm()
	if got := w.pause(time.Millisecond); got != time.Minute {
		t.Errorf("pause %s while everything is watched", got)
	}
	w.watches.warn(&os.SyscallError{Syscall: "inotify_add_watch", Err: syscall.ENOSPC})
	w.watches.warn(&os.SyscallError{Syscall: "inotify_add_watch", Err: syscall.ENOSPC})
	if got := w.pause(time.Millisecond); got != poll {
		t.Errorf("pause %s while deaf, want %s", got, poll)
	}
	if got := w.pause(time.Second); got != 10*time.Second {
		t.Errorf("pause %s when a look takes a second", got)
	}
	if log := s.log.String(); strings.Count(log, "fs.inotify.max_user_watches") != 1 {
		t.Errorf("log:\n%s", log)
	}
}

func TestQuiet(t *testing.T) {
	const ms = time.Millisecond
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	q := newQuiet(100 * ms)
	if !q.due().IsZero() || q.ripe(noon) != nil {
		t.Error("something is due before any event")
	}
	q.note("a", false, at(0))
	q.note("b", false, at(90*ms))
	q.note("a", true, at(95*ms))
	q.note("a", false, at(99*ms))
	if got := q.ripe(at(198 * ms)); got != nil || !q.due().Equal(at(199*ms)) {
		t.Errorf("ripe %v, due %s", got, q.due())
	}
	if got := q.ripe(at(199 * ms)); len(got) != 2 || !got["a"] || got["b"] {
		t.Errorf("ripe %v", got)
	}
	// One file is written for minutes, another once.
	q.note("once", true, at(1000*ms))
	var seen []string
	for d := 1000 * ms; d < 60_000*ms; d += 50 * ms {
		q.note("busy", true, at(d))
		for name := range q.ripe(at(d)) {
			seen = append(seen, fmt.Sprint(name, d))
		}
	}
	if len(seen) != 1 || seen[0] != "once3s" {
		t.Errorf("ripe meanwhile: %v", seen)
	}
	if got := q.ripe(at(61_000 * ms)); !got["busy"] || len(got) != 1 || !q.due().IsZero() {
		t.Errorf("at last %v, due %s", got, q.due())
	}
}
