package catalog

import (
	"context"
	"testing"
	"time"

	"tidings/internal/store"
)

// A running daemon takes over ids that were adopted beside it, and does not
// undo that with what it saves next.
func TestAdoptedIdsAreTakenOver(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01")
	s.post("b.md", "Bees", "2026-01-02")
	ctx := context.Background()
	k, err := open(ctx, s.cfg)
	must(t, err)
	snap, err := k.first(ctx)
	must(t, err)
	a, b := find(t, snap, "a.md"), find(t, snap, "b.md")
	must(t, s.cfg.Store.Adopt(ctx, []store.Adoption{{PostID: a.PostID, GUID: b.ID}, {PostID: b.PostID, GUID: "https://old.example/?p=2", Published: time.Date(2025, 12, 24, 18, 0, 0, 0, time.UTC)}}))

	s.post("a.md", "Better ants", "2026-01-01")
	change, err := k.pass(ctx, map[string]bool{"a.md": true}, false)
	must(t, err)
	check(t, change.Snapshot)
	if now := find(t, change.Snapshot, "a.md"); now.ID != b.ID || now.Title != "Better ants" {
		t.Errorf("a: %q, %s", now.ID, now.Title)
	}
	if now := find(t, change.Snapshot, "b.md"); now.ID != "https://old.example/?p=2" {
		t.Errorf("b: %q", now.ID)
	}
	if now := find(t, change.Snapshot, "b.md"); !now.Published.Equal(time.Date(2025, 12, 24, 18, 0, 0, 0, time.UTC)) {
		t.Errorf("b was published %s", now.Published)
	}
	restart()
	snap = s.load()
	if find(t, snap, "a.md").ID != b.ID || find(t, snap, "b.md").ID != "https://old.example/?p=2" {
		t.Errorf("after a restart: %q, %q", find(t, snap, "a.md").ID, find(t, snap, "b.md").ID)
	}
}

// What is saved by a process that does not know yet of an adoption leaves it
// alone; what the author asks for in the file is saved.
func TestAdoptedIdsAreNotUndone(t *testing.T) {
	s := newSite(t)
	onDisk(t, s)
	s.post("a.md", "Ants", "2026-01-01")
	ctx := context.Background()
	k, err := open(ctx, s.cfg)
	must(t, err)
	snap, err := k.first(ctx)
	must(t, err)
	e := find(t, snap, "a.md")
	must(t, s.cfg.Store.Adopt(ctx, []store.Adoption{{PostID: e.PostID, GUID: "old"}}))
	k.roll.save(k.roll.byID[e.PostID]) // as a pass would that was under way
	k.save(ctx)
	s.post("a.md", "Ants", "2026-01-01", "tags: [x]")
	change, err := k.pass(ctx, nil, false)
	must(t, err)
	if id := find(t, change.Snapshot, "a.md").ID; id != "old" {
		t.Errorf("the id is %s", id)
	}
	s.post("a.md", "Ants", "2026-01-01", "id: mine")
	_, err = k.pass(ctx, nil, false)
	must(t, err)
	s.post("a.md", "Ants", "2026-01-01")
	if id := find(t, s.load(), "a.md").ID; id != "mine" {
		t.Errorf("in the end the id is %s", id)
	}
}
