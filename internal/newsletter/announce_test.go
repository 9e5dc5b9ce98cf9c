package newsletter_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/store"
)

// change puts another version of a post in.
func (h *house) change(e *catalog.Entry, f func(*catalog.Entry)) *catalog.Entry {
	h.t.Helper()
	c, p := *e, *e.Post
	c.Post = &p
	f(&c)
	row := &store.Post{ID: c.PostID, GUID: c.ID, File: c.File, Path: c.Path, Title: c.Title, Changed: c.Changed,
		Announce: c.Announce, Announced: c.Announced}
	if err := h.Store.SavePosts(context.Background(), []*store.Post{row}); err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	entries := slices.Clone(h.snap.Entries)
	entries[slices.Index(entries, e)] = &c
	h.snap = &catalog.Snapshot{Entries: entries}
	return &c
}

func TestAHeldPostIsNotMailed(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(2, "")
	e := h.change(h.publish("one", time.Now()), func(e *catalog.Entry) { e.Announce = post.Hold })
	p := h.plan(weekly())
	if len(p.Groups) != 0 || len(p.Selection.Excluded) != 1 || p.Selection.Excluded[0].Reason != "held (hold: true)" {
		t.Fatalf("%d groups, %+v", len(p.Groups), p.Selection.Excluded)
	}
	h.change(e, func(e *catalog.Entry) { e.Announce = "" })
	if p := h.plan(weekly()); p.Edition.Counts.Pending != 2 {
		t.Errorf("%+v", p.Edition.Counts)
	}
}

func TestAPinnedPostComesFirst(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(1, "")
	now := time.Now() // and not before this day, on which the newsletter begins
	old := h.publish("old", now.Add(-2*time.Millisecond))
	h.publish("older", now.Add(-3*time.Millisecond))
	h.publish("new", now.Add(-time.Millisecond))
	h.change(old, func(e *catalog.Entry) { e.Pinned = true })
	p := h.plan(weekly())
	if len(p.Groups) != 1 || p.Groups[0].Subject != "old and 2 more posts" || p.Groups[0].PostIDs[0] != old.PostID {
		t.Errorf("%+v", p.Groups)
	}
}

// TestAnnouncedAgain: who has a post gets it once more, and only once; one that
// is older than max_post_age as well.
func TestAnnouncedAgain(t *testing.T) {
	n := weekly()
	bubble(t, n, func(t *testing.T, h *house) {
		h.readers(2, "")
		e := h.publish("one", time.Now())
		ancient := h.publish("ancient", time.Now().Add(-3*n.MaxPostAge))
		if p := h.plan(n); p.Edition.Counts.Pending != 2 || p.Edition.Posts != 1 {
			t.Fatalf("%+v", p.Edition)
		}
		time.Sleep(time.Hour)
		for i, e := range []*catalog.Entry{e, ancient} {
			again := h.change(e, func(e *catalog.Entry) { e.Announce, e.Announced = "again", time.Now() })
			time.Sleep(10 * time.Second)
			before := newsletter.Request{Newsletter: n, At: again.Announced.Add(-time.Millisecond), DryRun: true}
			if p, err := h.Plan(t.Context(), before); err != nil || p.Edition.Posts != 0 {
				t.Errorf("%d posts in an edition of the time before, %v", p.Edition.Posts, err)
			}
			for _, want := range []int{2, 0} {
				time.Sleep(10 * time.Second)
				if p := h.plan(n); p.Edition.Counts.Pending != want {
					t.Errorf("post %d: %+v, want %d", i, p.Edition.Counts, want)
				}
			}
		}
	})
}
