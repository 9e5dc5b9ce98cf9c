package publish_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/publish"
	"tidings/internal/store/sqlite"
)

func TestModifiedMovesWithTheBytesAlone(t *testing.T) {
	c := &clock{start}
	posts := some()
	p := newPublisher(config(), nil, c)
	modified := func(set *publish.Set) time.Time { return set.Lookup("/feed.xml").Modified }

	set := update(t, p, posts...).Set
	if got := modified(set); !got.Equal(start.Truncate(time.Second)) {
		t.Errorf("first time %v, want now in whole seconds", got)
	}
	c.t = c.t.Add(time.Hour)
	if got := modified(update(t, p, posts...).Set); !got.Equal(modified(set)) {
		t.Errorf("moved to %v without a change", got)
	}
	posts[4] = edited(posts[4], "Second version")
	second := update(t, p, posts...).Set
	if got := modified(second); !got.Equal(c.t.Truncate(time.Second)) {
		t.Errorf("second version of %v, want %v", got, c.t)
	}
	if f := second.Feeds[0]; !f.Modified.Equal(modified(second)) {
		t.Errorf("the feed says %v, its document %v", f.Modified, modified(second))
	}
	if got := second.Lookup("/tags/go/feed.xml").Modified; !got.Equal(start.Truncate(time.Second)) {
		t.Errorf("an untouched document moved to %v", got)
	}
	posts[4] = edited(posts[4], "Third version, at the same instant")
	third := modified(update(t, p, posts...).Set)
	if !third.Equal(modified(second).Add(time.Second)) {
		t.Errorf("third version of %v, the second was of %v", third, modified(second))
	}
	c.t = c.t.Add(-24 * time.Hour)
	posts[4] = edited(posts[4], "Fourth version, the clock was set back")
	if got := modified(update(t, p, posts...).Set); !got.After(third) {
		t.Errorf("fourth version of %v, the third was of %v", got, third)
	}
}

func TestARestartMovesNothing(t *testing.T) {
	c, docs := &clock{start}, &documents{}
	before := update(t, newPublisher(config(), docs, c), some()...)
	if len(before.Changed) != len(before.Set.Documents()) {
		t.Errorf("%d of %d documents are new to a fresh database", len(before.Changed), len(before.Set.Documents()))
	}
	c.t = c.t.Add(time.Hour)
	after := update(t, newPublisher(config(), docs, c), some()...)
	if len(after.Changed) != 0 {
		t.Errorf("the restart changed %q", paths(after.Changed))
	}
	for _, d := range before.Set.Documents() {
		got := after.Set.Lookup(d.Path)
		if got.ETag() != d.ETag() || !got.Modified.Equal(d.Modified) {
			t.Errorf("%s: %s of %v, was %s of %v", d.Path, got.ETag(), got.Modified, d.ETag(), d.Modified)
		}
	}
	if docs.saves != 1 {
		t.Errorf("saved %d times", docs.saves)
	}
}

func TestTheDatabaseKeepsTheTimes(t *testing.T) {
	c, file := &clock{start}, filepath.Join(t.TempDir(), "tidings.db")
	var sets []*publish.Set
	for range 2 {
		db, err := sqlite.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, update(t, newPublisher(config(), db, c), some()...).Set)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		c.t = c.t.Add(time.Hour)
	}
	for _, d := range sets[0].Documents() {
		if got := sets[1].Lookup(d.Path); !got.Modified.Equal(d.Modified) {
			t.Errorf("%s: of %v, was of %v", d.Path, got.Modified, d.Modified)
		}
	}
}

func TestAFailingDatabaseStopsNoFeed(t *testing.T) {
	c, docs := &clock{start}, &documents{err: errors.New("disk full")}
	var log bytes.Buffer
	p := publish.New(config(), publish.Deps{Documents: docs, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: c.now})
	posts := some()
	first := update(t, p, posts...).Set
	c.t = c.t.Add(time.Hour)
	posts[4] = edited(posts[4], "Second version")
	second := update(t, p, posts...).Set
	if n := strings.Count(log.String(), "disk full"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
	if len(docs.rows) != 0 {
		t.Fatalf("rows %v", docs.rows)
	}

	docs.err = nil
	third := update(t, p, posts...)
	if len(third.Changed) != 0 || !strings.Contains(log.String(), "again") {
		t.Errorf("changed %q, log\n%s", paths(third.Changed), log.String())
	}
	if row := docs.rows["/feed.xml"]; row.Hash != second.Lookup("/feed.xml").Hash || !row.Modified.Equal(c.t.Truncate(time.Second)) {
		t.Errorf("kept %+v", row)
	}
	if row := docs.rows["/tags/go/feed.xml"]; !row.Modified.Equal(first.Lookup("/tags/go/feed.xml").Modified) {
		t.Errorf("kept %+v", row)
	}
}

// TestATermWithoutPostsKeepsAnEmptyFeed: its subscribers get no 404, but it
// is not listed, and after a restart it is the same.
func TestATermWithoutPostsKeepsAnEmptyFeed(t *testing.T) {
	c, docs := &clock{start}, &documents{}
	p := newPublisher(config(), docs, c)
	posts := some()
	update(t, p, posts...)
	c.t = c.t.Add(time.Hour)
	r := update(t, p, slices.Delete(slices.Clone(posts), 2, 3)...) // the only post in Life
	empty := r.Set.Lookup("/categories/life/feed.json")
	if empty == nil || !strings.Contains(string(empty.Bytes()), `"items": []`) {
		t.Fatalf("document %v", empty)
	}
	if !slices.Contains(paths(r.Changed), empty.Path) || !empty.Modified.Equal(c.t.Truncate(time.Second)) {
		t.Errorf("the change is not reported, or of %v", empty.Modified)
	}
	if slices.Contains(paths(r.Set.Documents()), empty.Path) || strings.Contains(string(r.Set.OPML.Bytes()), "life") || len(r.Set.Feeds) != 5 {
		t.Error("it is listed")
	}
	c.t = c.t.Add(time.Hour)
	again := update(t, newPublisher(config(), docs, c), slices.Delete(slices.Clone(posts), 2, 3)...)
	if d := again.Set.Lookup(empty.Path); len(again.Changed) != 0 || d == nil || d.Hash != empty.Hash {
		t.Errorf("after a restart it is %v; changed %q", d, paths(again.Changed))
	}
	back := update(t, p, posts...)
	if len(back.Set.Feeds) != 6 || !strings.Contains(text(t, back.Set, empty.Path), "Body of three") {
		t.Error("the term came back, but not its feed")
	}
}
