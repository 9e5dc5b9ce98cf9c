package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/publish"
)

func TestAWindowHoldsSoManyPostsAndSoManyDays(t *testing.T) {
	// posts of the 1st, 2nd, 3rd, 4th and 5th of May
	for _, c := range []struct{ items, days, want int }{
		{items: 3, days: 0, want: 3},
		{items: 1, days: 2, want: 2}, // the 3rd, 9:00, is two days old to the second
		{items: 1, days: 3, want: 3},
		{items: 4, days: 1, want: 4},
		{items: 2, days: 100, want: 5},
		{items: 9, days: 9, want: 5},
	} {
		cfg := config()
		cfg.Items, cfg.Days = c.items, c.days
		set := update(t, newPublisher(cfg, nil, nil), some()...).Set
		if got := strings.Count(text(t, set, "/atom.xml"), "<entry>"); got != c.want {
			t.Errorf("%d items, %d days: %d entries, want %d", c.items, c.days, got, c.want)
		}
	}
}

func TestALargeFeedIsShortenedBeforeItIsCut(t *testing.T) {
	const megabyte = 1 << 20
	entries := func(n, body, summary int) []*catalog.Entry {
		var list []*catalog.Entry
		for i := range n {
			e := newEntry(1+i, name(i))
			e.Body, e.Summary = strings.Repeat("x", body), strings.Repeat("s", summary)
			list = append(list, e)
		}
		return list
	}
	huge := func(i, body int) *catalog.Entry {
		e := newEntry(i, name(i-1))
		e.Body, e.Summary = strings.Repeat("x", body), "s"
		return e
	}
	for _, c := range []struct {
		name             string
		posts            []*catalog.Entry
		entries, fulltxt int
	}{
		{"all fit", entries(5, 100_000, 10), 5, 5},
		{"old ones lose their text", entries(20, 100_000, 10), 20, 10},
		{"old ones go", entries(20, 100_000, 100_000), 10, 0},
		{"a huge one loses its text alone", append(entries(4, 100_000, 10), huge(5, 2*megabyte)), 5, 4},
		{"the newest stays", entries(2, 2*megabyte, 10), 2, 0},
		{"the newest stays alone", entries(2, 10, 2*megabyte), 1, 0},
	} {
		cfg := config()
		cfg.Items = 20
		p := newPublisher(cfg, nil, nil)
		p.SetRenderer(func(p *post.Post, _ *url.URL) string { return "<b>" + p.Body + "</b>" })
		set := update(t, p, c.posts...).Set
		for _, f := range []struct{ path, entry, full string }{
			{"/feed.xml", "<item>", "<b>x"}, {"/atom.xml", "<entry>", "<b>x"}, {"/feed.json", `"id":`, "<b>x"},
		} {
			doc := text(t, set, f.path)
			want := c.entries
			if f.path == "/feed.json" && c.name == "old ones go" {
				want /= 2 // JSON Feed has the summary twice, for want of a content
			}
			if got := strings.Count(doc, f.entry); got != want {
				t.Errorf("%s, %s: %d entries, want %d", c.name, f.path, got, want)
			}
			if got := strings.Count(doc, f.full); got != c.fulltxt {
				t.Errorf("%s, %s: %d with full text, want %d", c.name, f.path, got, c.fulltxt)
			}
			if len(doc) > megabyte && c.entries > 1 && c.fulltxt > 0 {
				t.Errorf("%s, %s: %d bytes", c.name, f.path, len(doc))
			}
			if first := name(len(c.posts) - 1); !strings.Contains(doc, first) {
				t.Errorf("%s, %s: the newest post is not in it", c.name, f.path)
			}
		}
	}
}

func TestSinceHoldsWhatIsNewOrChanged(t *testing.T) {
	p := newPublisher(config(), nil, nil)
	posts := some()
	first := update(t, p, posts...).Set.Lookup("/atom.xml")
	posts = append(posts, newEntry(6, "six"))
	second := update(t, p, posts...).Set.Lookup("/atom.xml")
	posts[3] = edited(posts[3], "Another body of four")
	third := update(t, p, posts...).Set.Lookup("/atom.xml")

	for _, c := range []struct {
		hash string
		want []string
	}{
		{first.Hash, []string{"Body of six", "Another body of four"}},
		{second.Hash, []string{"Another body of four"}},
	} {
		delta, ok := third.Since(c.hash, third.Modified.Add(23*time.Hour))
		if !ok || strings.Count(string(delta), "<entry>") != len(c.want) {
			t.Fatalf("since %s: %v\n%s", c.hash, ok, delta)
		}
		for _, part := range c.want {
			if !strings.Contains(string(delta), part) {
				t.Errorf("no %q in\n%s", part, delta)
			}
		}
		if whole := string(third.Bytes()); string(delta[:strings.Index(string(delta), "<entry>")]) != whole[:strings.Index(whole, "<entry>")] {
			t.Errorf("another head:\n%s", delta)
		}
	}
	if _, ok := third.Since(second.Hash, third.Modified.Add(25*time.Hour)); ok {
		t.Error("a reader that never takes a difference is never sent the whole")
	}
	if _, ok := third.Since("unknown", third.Modified); ok {
		t.Error("a version that never was is known")
	}
	gone := update(t, p, posts[:1]...).Set.Lookup("/atom.xml")
	update(t, p, posts[:2]...)
	less := update(t, p, posts[:1]...).Set.Lookup("/atom.xml")
	if _, ok := less.Since(gone.Hash, less.Modified); ok || less.Hash != gone.Hash {
		t.Error("nothing is new, and yet there is a difference")
	}
	for i := range 20 {
		posts[0] = edited(posts[0], fmt.Sprint("Body ", i))
		gone = update(t, p, posts[:1]...).Set.Lookup("/atom.xml")
	}
	if _, ok := gone.Since(third.Hash, gone.Modified); ok {
		t.Error("versions are kept for ever")
	}
}

func TestAStartRendersNothingThatWasRendered(t *testing.T) {
	cfg := config()
	cfg.Cache, cfg.CacheStamp = filepath.Join(t.TempDir(), "cache", "content"), "renderer 1"
	posts := some()
	run := func(cfg publish.Config) (calls int, set *publish.Set) {
		p := newPublisher(cfg, nil, nil)
		var count atomic.Int64 // posts are rendered side by side
		p.SetRenderer(func(p *post.Post, _ *url.URL) string { count.Add(1); return "<p>" + p.Body + "</p>" })
		set = update(t, p, posts...).Set
		p.Keep(context.Background())
		return int(count.Load()), set
	}
	cold, first := run(cfg)
	warm, second := run(cfg)
	if cold != 5 || warm != 0 {
		t.Errorf("%d posts were rendered at the first start, %d at the second", cold, warm)
	}
	sameBytes(t, first, second)

	posts[0] = edited(posts[0], "Another body")
	posts[0].Hash = "another hash"
	if n, _ := run(cfg); n != 1 {
		t.Errorf("%d posts were rendered after one edit", n)
	}
	if n, _ := run(cfg); n != 0 {
		t.Errorf("%d posts were rendered after nothing changed", n)
	}
	cfg.CacheStamp = "renderer 2"
	if n, _ := run(cfg); n != 5 {
		t.Errorf("%d posts were rendered by another renderer", n)
	}
}

func TestAPostWhoseTextCannotBeReadShowsItsSummaryUntilItCan(t *testing.T) {
	broken := true
	p := publish.New(config(), publish.Deps{Now: (&clock{start}).now, Body: func(_ context.Context, e *catalog.Entry) (string, error) {
		if broken && e.Slug == "four" {
			return "", errors.New("input/output error")
		}
		return e.Body, nil
	}})
	posts := some()
	main := text(t, update(t, p, posts...).Set, "/"+feed.Atom.FileName())
	if strings.Contains(main, "Body of four") || !strings.Contains(main, "About four") || !strings.Contains(main, "Body of five") {
		t.Errorf("not the summary alone:\n%s", main)
	}
	broken = false
	if main := text(t, update(t, p, posts...).Set, "/atom.xml"); !strings.Contains(main, "Body of four") {
		t.Errorf("not the text:\n%s", main)
	}
}

func TestAFeedMayShowPostsInItsOwnWay(t *testing.T) {
	yes, no := true, false
	for _, summary := range []bool{false, true} {
		cfg := config()
		cfg.Items, cfg.Summary = 10, summary
		cfg.Contents = map[catalog.Kind]map[string]publish.Content{
			catalog.Tag: {"go": publish.Summaries, "c++": publish.Full},
		}
		cfg.Combined = []publish.Combination{
			{Name: "short", Content: publish.Summaries}, {Name: "long", Content: publish.Full}, {Name: "same"},
		}
		posts := some()
		posts[0].FullText, posts[2].FullText = &yes, &no // one, three
		set := update(t, newPublisher(cfg, nil, nil), posts...).Set
		texts := func(path string) (names []string) {
			for _, name := range []string{"one", "two", "three", "four", "five"} {
				if strings.Contains(text(t, set, path), "Body of "+name) {
					names = append(names, name)
				}
			}
			return names
		}
		most := []string{"one", "two", "four", "five"}
		if summary {
			most = []string{"one"}
		}
		for path, want := range map[string][]string{
			"/feed.xml": most, "/feeds/same/atom.xml": most, "/tags/go/feed.json": {"one"}, "/tags/cpp/feed.xml": {"two", "four"},
			"/feeds/short/feed.xml": {"one"}, "/feeds/long/feed.xml": {"one", "two", "four", "five"},
		} {
			if got := texts(path); !slices.Equal(got, want) {
				t.Errorf("summaries %v: %s has the text of %q, want %q", summary, path, got, want)
			}
		}
	}
}
