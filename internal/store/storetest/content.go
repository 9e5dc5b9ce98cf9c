package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

func testPosts(t *testing.T, f *fixture) {
	at := func(n int) time.Time { return epoch.Add(time.Duration(n)*time.Hour + 7*time.Millisecond) }
	a := &store.Post{
		GUID: "tag:a", File: "2026/a.md", FileHash: "f", BodyHash: "b", Title: "Ä", Path: "/a/",
		Published: time.Unix(0, 0).UTC(), FirstSeen: at(1), Changed: at(2), Gone: at(3), Size: 42, ModTime: at(4),
		Departed: at(5), Dated: at(6), Announce: "again", Announced: at(7), Source: []byte("# a"),
	}
	b := &store.Post{GUID: "tag:b", Path: "/b/"}
	f.check(f.SavePosts(f.ctx, []*store.Post{a, b}))
	if a.ID == 0 || b.ID == 0 || a.ID == b.ID {
		t.Fatalf("numbers %d and %d", a.ID, b.ID)
	}

	loaded, err := f.LoadPosts(f.ctx)
	f.check(err)
	want := *a
	want.Source = nil
	f.equal("posts", loaded, []store.Post{want, *b})
	sources, err := f.PostSources(f.ctx, []int64{b.ID, a.ID, 999})
	f.check(err)
	f.equal("sources", sources, map[int64][]byte{a.ID: []byte("# a")})
}

func testPostUpdates(_ *testing.T, f *fixture) {
	a, b := &store.Post{GUID: "a", Path: "/a/", Source: []byte("# a")}, &store.Post{GUID: "b", Path: "/b/"}
	f.check(f.SavePosts(f.ctx, []*store.Post{a, b}))
	a.Path, a.Source, a.Title = "/new/", nil, "New"
	f.check(f.SavePosts(f.ctx, []*store.Post{a}))
	sources, err := f.PostSources(f.ctx, []int64{a.ID})
	f.check(err)
	f.equal("a source left alone", sources, map[int64][]byte{a.ID: []byte("# a")})
	a.Source = []byte("# new")
	f.check(f.SavePosts(f.ctx, []*store.Post{a}))
	sources, err = f.PostSources(f.ctx, []int64{a.ID})
	f.check(err)
	f.equal("new source", sources, map[int64][]byte{a.ID: []byte("# new")})

	// What readers know a post by stays, unless it is said to be new.
	a.GUID, a.Published, a.FirstSeen = "stale", epoch, epoch
	f.check(f.SavePosts(f.ctx, []*store.Post{a}))
	a.GUID, a.Published, a.FirstSeen = "a3", epoch.Add(time.Hour), epoch.Add(time.Hour)
	f.check(f.SavePosts(f.ctx, []*store.Post{a}))
	loaded, err := f.LoadPosts(f.ctx)
	f.check(err)
	f.equal("what was pinned", words(loaded[0].GUID, loaded[0].Published, loaded[0].FirstSeen), words("a", epoch, epoch))

	// An announcement never goes back in time.
	for _, hour := range []time.Duration{2, 1, 0} {
		if a.Announced = epoch.Add(hour * time.Hour); hour == 0 {
			a.Announced = time.Time{}
		}
		f.check(f.SavePosts(f.ctx, []*store.Post{a}))
		loaded, err := f.LoadPosts(f.ctx)
		f.check(err)
		f.equal("announced", loaded[0].Announced, epoch.Add(2*time.Hour))
	}
	a.GUID, a.Renamed = "b", true
	f.fails("a GUID of another post", f.SavePosts(f.ctx, []*store.Post{a}), store.ErrExists)
	a.GUID = "a4"
	f.check(f.SavePosts(f.ctx, []*store.Post{a}))

	// A path belongs to the post that came to it last.
	b.Gone = epoch
	heir := &store.Post{GUID: "heir", Path: "/b/"}
	f.check(f.SavePosts(f.ctx, []*store.Post{heir, b}))
	paths, err := f.PostPaths(f.ctx)
	f.check(err)
	f.equal("paths", paths, map[string]int64{"/a/": a.ID, "/b/": heir.ID, "/new/": a.ID})

	// All or none.
	fresh := &store.Post{GUID: "fresh"}
	f.fails("a GUID twice", f.SavePosts(f.ctx, []*store.Post{fresh, {GUID: "a4"}}), store.ErrExists)
	f.fails("a number that is not there", f.SavePosts(f.ctx, []*store.Post{fresh, {ID: 999, GUID: "x"}}), store.ErrNotFound)
	f.equal("number after a failure", fresh.ID, 0)
	loaded, err = f.LoadPosts(f.ctx)
	f.check(err)
	f.equal("posts", len(loaded), 3)
	f.equal("GUID", loaded[0].GUID, "a4")
	f.equal("title", loaded[0].Title, "New")
}

func testDocuments(t *testing.T, f *fixture) {
	docs, err := f.LoadDocuments(f.ctx)
	f.check(err)
	f.equal("none", len(docs), 0)
	doc := func(path, hash string, at time.Time) store.Document {
		return store.Document{Path: path, Hash: hash, Modified: at}
	}
	feed, atom := doc("/feed.xml", "1", epoch), doc("/atom.xml", "2", epoch)
	f.check(f.SaveDocuments(f.ctx, []store.Document{feed, atom}))
	feed = doc("/feed.xml", "3", epoch.Add(time.Second))
	f.check(f.SaveDocuments(f.ctx, []store.Document{feed}))
	docs, err = f.LoadDocuments(f.ctx)
	f.check(err)
	f.equal("documents", docs, map[string]store.Document{"/feed.xml": feed, "/atom.xml": atom})
}

func testUpkeep(t *testing.T, f *fixture) {
	for range 2 {
		f.check(f.CheckWritable(f.ctx))
	}
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	f.fails("a write with an ended context", f.CheckWritable(over), context.Canceled)
	_, err := f.LoadPosts(over)
	f.fails("a read with an ended context", err, context.Canceled)

	// What fn returns comes back, and no connection is lost on the way.
	f.reader("a@example.com", "weekly")
	stop := errors.New("enough")
	for range 100 {
		err := f.EachSubscriber(f.ctx, store.SubscriberFilter{}, func(store.Subscriber) error { return stop })
		f.fails("fn's error", err, stop)
	}
	f.check(f.EachSubscriber(f.ctx, store.SubscriberFilter{}, func(p store.Subscriber) error {
		_, err := f.Subscriber(f.ctx, p.ID)
		return err
	}))
}

func testAdopt(_ *testing.T, f *fixture) {
	adoptions := func() int64 {
		n, err := f.Adoptions(f.ctx)
		f.check(err)
		return n
	}
	f.equal("adoptions at first", adoptions(), int64(0))
	a, b, c := &store.Post{GUID: "a", Title: "A", Published: epoch}, &store.Post{GUID: "b", Published: epoch}, &store.Post{GUID: "c"}
	f.check(f.SavePosts(f.ctx, []*store.Post{a, b, c}))
	day := epoch.Add(24 * time.Hour)
	f.check(f.Adopt(f.ctx, []store.Adoption{{PostID: a.ID, GUID: "b"}, {PostID: b.ID, GUID: "a", Published: day}}))
	f.fails("an id of another post", f.Adopt(f.ctx, []store.Adoption{{PostID: a.ID, GUID: "x"}, {PostID: b.ID, GUID: "c"}}), store.ErrExists)
	f.fails("a post that is not there", f.Adopt(f.ctx, []store.Adoption{{PostID: a.ID, GUID: "x", Published: epoch}, {PostID: 999, GUID: "y"}}), store.ErrNotFound)
	f.equal("adoptions", adoptions(), int64(1))
	f.check(f.SavePosts(f.ctx, []*store.Post{a, b})) // by somebody who does not know yet
	posts, err := f.LoadPosts(f.ctx)
	f.check(err)
	a.GUID, b.GUID, b.Published = "b", "a", day
	f.equal("posts", posts, []store.Post{*a, *b, *c})
}

// A first look at a blog saves many posts at once.
func testManyPosts(t *testing.T, f *fixture) {
	var posts []*store.Post
	for i := range 300 {
		p := &store.Post{GUID: fmt.Sprint("g", i), File: fmt.Sprint(i, ".md"), Path: fmt.Sprintf("/%d/", i), Published: epoch, Source: fmt.Append(nil, "source ", i)}
		switch i % 100 {
		case 70:
			p.Gone = epoch
		case 71:
			p.Path = ""
		case 72:
			p.Source = nil
		}
		posts = append(posts, p)
	}
	f.check(f.SavePosts(f.ctx, posts))
	loaded, err := f.LoadPosts(f.ctx)
	f.check(err)
	sources, err := f.PostSources(f.ctx, ids(posts))
	f.check(err)
	paths, err := f.PostPaths(f.ctx)
	f.check(err)
	byID := map[int64]store.Post{}
	for _, p := range loaded {
		byID[p.ID] = p
	}
	for _, p := range posts {
		want := *p
		want.Source = nil
		f.equal(p.GUID, byID[p.ID], want)
		if string(sources[p.ID]) != string(p.Source) {
			t.Errorf("%s: source %q, want %q", p.GUID, sources[p.ID], p.Source)
		}
		if p.Path != "" && paths[p.Path] != p.ID {
			t.Errorf("%s is at %d, want %d", p.Path, paths[p.Path], p.ID)
		}
	}
	var again []*store.Post
	for i := range 100 {
		again = append(again, &store.Post{GUID: fmt.Sprint("h", i), File: "x", Path: fmt.Sprintf("/h%d/", i), Source: []byte("x")})
	}
	again[40].GUID = "g7"
	f.fails("a GUID that is taken", f.SavePosts(f.ctx, again), store.ErrExists)
	again[40].GUID = "h1"
	f.fails("a GUID twice", f.SavePosts(f.ctx, again), store.ErrExists)
	again[40].GUID, again[40].Path = "h40", "/7/"
	f.check(f.SavePosts(f.ctx, again))
	paths, err = f.PostPaths(f.ctx)
	f.check(err)
	f.equal("a path that went over", paths["/7/"], again[40].ID)
}

func ids(posts []*store.Post) []int64 {
	var list []int64
	for _, p := range posts {
		list = append(list, p.ID)
	}
	return list
}
