package publish_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/publish"
)

func TestWhatIsPublishedWhere(t *testing.T) {
	set := update(t, newPublisher(config(), nil, nil), some()...).Set

	var got []string
	for _, f := range set.Feeds {
		got = append(got, f.Path+" "+f.Title)
	}
	want := []string{
		"/ Field Notes",
		"/categories/devops/ Field Notes: DevOps", "/categories/life/ Field Notes: Life",
		"/tags/cpp/ Field Notes: #C++", "/tags/go/ Field Notes: #go", "/tags/日本語/ Field Notes: #日本語",
	}
	if !slices.Equal(got, want) {
		t.Errorf("feeds:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(set.Documents()); n != 3*6+1 {
		t.Errorf("%d documents, want three of each feed and the OPML", n)
	}
	for _, d := range set.Documents() {
		if set.Lookup(d.Path) != d || d.ETag() != `"`+d.Hash+`"` || len(d.Hash) != hex.EncodedLen(32) {
			t.Errorf("%s: not found at its path, or hash %q", d.Path, d.Hash)
		}
	}
	devops := set.Feeds[1]
	if devops.Kind != catalog.Category || devops.Key != "devops" || devops.Name != "DevOps" || devops.Posts != 4 {
		t.Errorf("feed of a category: %+v", devops)
	}
	if set.Lookup("/tags/none/feed.xml") != nil || set.Lookup("/categories/devops/") != nil {
		t.Error("a document where there is none")
	}
}

func TestAliases(t *testing.T) {
	set := update(t, newPublisher(config(), nil, nil), some()...).Set
	for path, alias := range map[string][]string{
		"/feed.xml":  {"/index.xml", "/rss.xml", "/feed", "/feed/", "/rss", "/rss/", "/index.rss", "/rss/feed.xml"},
		"/atom.xml":  {"/feed.atom"},
		"/feed.json": {"/index.json"},
	} {
		for _, a := range alias {
			if set.Lookup(a) == nil || set.Lookup(a) != set.Lookup(path) {
				t.Errorf("%s is not %s", a, path)
			}
		}
	}
}

func TestFormatsThatAreNotWanted(t *testing.T) {
	cfg := config()
	cfg.Formats = []feed.Format{feed.JSON, feed.Atom}
	set := update(t, newPublisher(cfg, nil, nil), some()...).Set
	for _, path := range []string{"/feed.xml", "/index.xml", "/feed", "/tags/go/feed.xml"} {
		if set.Lookup(path) != nil {
			t.Errorf("%s is published", path)
		}
	}
	if set.Lookup("/feed.atom") == nil || set.Lookup("/tags/go/feed.json") == nil {
		t.Error("a wanted format is missing")
	}
	if opml := string(set.OPML.Bytes()); !strings.Contains(opml, "https://example.org/blog/tags/go/atom.xml") {
		t.Errorf("the OPML names a format that is not there:\n%s", opml)
	}
}

func TestContentOfAFeed(t *testing.T) {
	cfg := config()
	cfg.FeedsURL = "https://cdn.example.net/feeds/"
	cfg.PagesURL = "https://app.example.org"
	p := newPublisher(cfg, nil, nil)
	if got, want := p.URL("/tags/a b/feed.xml"), "https://cdn.example.net/feeds/tags/a%20b/feed.xml"; got != want {
		t.Errorf("URL %s, want %s", got, want)
	}
	set := update(t, p, some()...).Set
	main := text(t, set, "/atom.xml")
	for _, part := range []string{
		`href="https://cdn.example.net/feeds/atom.xml"`,
		`rel="alternate" type="text/html" href="https://example.org/blog/"`,
		`<category term="DevOps" scheme="https://app.example.org/categories/devops/" label="DevOps">`,
		`<category term="C++" scheme="https://app.example.org/tags/cpp/" label="C++">`, // the post says c++
		`<id>tag:example.org,2026:/posts/five/</id>`, "Body of five", "<updated>2026-05-05T09:00:00Z</updated>",
	} {
		if !strings.Contains(main, part) {
			t.Errorf("no %s in\n%s", part, main)
		}
	}
	if strings.Count(main, "<entry>") != 3 || strings.Contains(main, "Body of two") {
		t.Errorf("not the three newest posts:\n%s", main)
	}
	tag := text(t, set, "/tags/日本語/atom.xml")
	for _, part := range []string{
		`href="https://cdn.example.net/feeds/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/atom.xml"`,
		`href="https://app.example.org/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/"`,
		"<title type=\"text\">Field Notes: #日本語</title>", "Body of four",
	} {
		if !strings.Contains(tag, part) {
			t.Errorf("no %s in\n%s", part, tag)
		}
	}
}

func TestFeedIDs(t *testing.T) {
	id := func(cfg publish.Config, path string) string {
		s := text(t, update(t, newPublisher(cfg, nil, nil), some()...).Set, path)
		_, s, _ = strings.Cut(s, "<id>")
		s, _, _ = strings.Cut(s, "</id>")
		return s
	}
	first := id(config(), "/atom.xml")
	if len(first) != len("urn:uuid:")+36 {
		t.Errorf("id %q", first)
	}
	for _, site := range []string{"http://example.org/blog/", "https://EXAMPLE.org:443/blog"} {
		cfg := config()
		cfg.SiteURL, cfg.FeedsURL, cfg.Title = site, "https://cdn.example.net", "Renamed"
		if got := id(cfg, "/atom.xml"); got != first {
			t.Errorf("with %s the id is %s, was %s", site, got, first)
		}
	}
	if id(config(), "/tags/go/atom.xml") == first {
		t.Error("two feeds share an id")
	}
	other := config()
	other.SiteURL = "https://example.org:8443/blog"
	if id(other, "/atom.xml") == first {
		t.Error("two sites share an id")
	}
}

// TestOnlyWhatAChangeTouchesIsRebuilt asserts pointers, not bytes.
func TestOnlyWhatAChangeTouchesIsRebuilt(t *testing.T) {
	posts := some()
	p := newPublisher(config(), nil, nil)
	var mu sync.Mutex // entries are rendered side by side
	var rendered []string
	p.SetRenderer(func(p *post.Post, _ *url.URL) string {
		mu.Lock()
		defer mu.Unlock()
		rendered = append(rendered, p.Slug)
		return p.Body
	})
	before := update(t, p, posts...).Set

	rendered = nil
	posts[2] = edited(posts[2], "Another life") // the main feed and the category Life
	r := update(t, p, posts...)
	if want := feedPaths("/", "/categories/life/"); !slices.Equal(paths(r.Changed), want) {
		t.Errorf("changed %q, want %q", paths(r.Changed), want)
	}
	for _, d := range before.Documents() {
		if touched := slices.Contains(paths(r.Changed), d.Path); (r.Set.Lookup(d.Path) == d) == touched {
			t.Errorf("%s: touched %t, same pointer %t", d.Path, touched, !touched)
		}
	}
	if !slices.Equal(rendered, []string{"three"}) {
		t.Errorf("rendered %q", rendered)
	}

	rendered = nil
	posts[0] = edited(posts[0], "Beyond the windows of all but its tag")
	r = update(t, p, posts...)
	if want := feedPaths("/tags/go/"); !slices.Equal(paths(r.Changed), want) {
		t.Errorf("changed %q, want %q", paths(r.Changed), want)
	}

	r = update(t, p, posts...)
	if len(r.Changed) != 0 || len(rendered) != 1 {
		t.Errorf("nothing changed, but %q did and %q were rendered", paths(r.Changed), rendered)
	}
}

func TestAnEntryThatComesOutTheSameChangesNothing(t *testing.T) {
	posts := some()
	p := newPublisher(config(), nil, nil)
	before := update(t, p, posts...).Set
	posts[4] = edited(posts[4], posts[4].Body)
	r := update(t, p, posts...)
	if len(r.Changed) != 0 || r.Set.Lookup("/feed.xml") != before.Lookup("/feed.xml") {
		t.Errorf("changed: %q", paths(r.Changed))
	}
}

// TestTheNameOfATermIsEverywhereTheSame: one more post decides which spelling
// prevails, in feeds of entries that are otherwise untouched too.
func TestTheNameOfATermIsEverywhereTheSame(t *testing.T) {
	posts := []*catalog.Entry{newEntry(1, "one", "Life", "#API"), newEntry(2, "two", "#api"), newEntry(3, "three", "#api")}
	p := newPublisher(config(), nil, nil)
	set := update(t, p, posts...).Set
	if s := text(t, set, "/categories/life/feed.json"); !strings.Contains(s, `"api"`) {
		t.Fatalf("the prevailing spelling is missing:\n%s", s)
	}
	posts = append(posts, newEntry(4, "four", "#API"), newEntry(5, "five", "#API"))
	r := update(t, p, posts...)
	if s := text(t, r.Set, "/categories/life/feed.json"); !strings.Contains(s, `"API"`) {
		t.Errorf("the new spelling is missing:\n%s", s)
	}
	sameBytes(t, r.Set, update(t, newPublisher(config(), nil, nil), posts...).Set)
}

func TestSummaries(t *testing.T) {
	no, yes := false, true
	posts := some()
	posts[4].FullText, posts[3].FullText = &no, &yes
	for _, summary := range []bool{false, true} {
		cfg := config()
		cfg.Summary = summary
		s := text(t, update(t, newPublisher(cfg, nil, nil), posts...).Set, "/feed.xml")
		for body, want := range map[string]bool{"Body of five": false, "Body of four": true, "Body of three": !summary} {
			if strings.Contains(s, body) != want {
				t.Errorf("summary %t: %q there: %t", summary, body, !want)
			}
		}
		if !strings.Contains(s, "About five.") {
			t.Error("a summary is missing")
		}
	}
}

func TestVastContentGivesWay(t *testing.T) {
	posts := some()
	p := newPublisher(config(), nil, nil)
	p.SetRenderer(func(e *post.Post, _ *url.URL) string {
		if e == posts[3].Post {
			return strings.Repeat("vast ", 1<<20)
		}
		return e.Body
	})
	s := text(t, update(t, p, posts...).Set, "/feed.xml")
	if strings.Contains(s, "vast") || !strings.Contains(s, "About four.") || !strings.Contains(s, "Body of three") {
		t.Errorf("%d bytes; the vast post should be a summary, the others whole", len(s))
	}
}

func TestTheIconOfTheSite(t *testing.T) {
	cfg := config()
	cfg.Icon = "https://example.org/icon.png"
	set := update(t, newPublisher(cfg, nil, nil), some()...).Set
	for path, want := range map[string]string{
		"/feed.xml": "<url>https://example.org/icon.png</url>", "/atom.xml": "<icon>https://example.org/icon.png</icon>",
		"/feed.json": `"icon": "https://example.org/icon.png"`,
	} {
		if s := text(t, set, path); !strings.Contains(s, want) {
			t.Errorf("%s: no %s in\n%s", path, want, s)
		}
	}
}

func TestRecordings(t *testing.T) {
	e := newEntry(1, "one")
	e.Enclosure = post.Enclosure{URL: "épisode 1.mp3", Length: 5000, Duration: time.Minute}
	e.Image, e.ImageAlt, e.ImageSize = "a.png", "An ant", post.Size{Width: 20, Height: 10}
	e.Comments = "#talk"
	set := update(t, newPublisher(config(), nil, nil), e).Set
	for path, wants := range map[string][]string{
		"/feed.xml": {
			`<enclosure url="https://example.org/blog/posts/one/%C3%A9pisode%201.mp3" length="5000" type="audio/mpeg">`,
			"<comments>https://example.org/blog/posts/one/#talk</comments>", `width="20" height="10"`, ">An ant<",
		},
		"/atom.xml":  {`rel="enclosure"`, `rel="replies"`, `width="20" height="10"`},
		"/feed.json": {`"size_in_bytes": 5000`, `"duration_in_seconds": 60`},
	} {
		for _, want := range wants {
			if s := text(t, set, path); !strings.Contains(s, want) {
				t.Errorf("%s: no %s in\n%s", path, want, s)
			}
		}
	}
}

func TestImages(t *testing.T) {
	for image, want := range map[string]string{
		"cover.png":                 "https://example.org/blog/posts/one/cover.png",
		"/img/cover one.png":        "https://example.org/img/cover%20one.png",
		"//cdn.example.net/c.png":   "https://cdn.example.net/c.png",
		"data:image/png;base64,AAA": "", "javascript:x": "", "http://[bad": "", "": "",
	} {
		e := newEntry(1, "one")
		e.Image = image
		s := text(t, update(t, newPublisher(config(), nil, nil), e).Set, "/feed.json")
		if want == "" && strings.Contains(s, `"image"`) || want != "" && !strings.Contains(s, `"image": "`+want+`"`) {
			t.Errorf("image %q: want %q in\n%s", image, want, s)
		}
	}
}

func TestAPostThatCannotBeRenderedHarmsNobody(t *testing.T) {
	p := newPublisher(config(), nil, nil)
	p.SetRenderer(func(p *post.Post, _ *url.URL) string {
		if p.Slug == "four" {
			panic("out of range")
		}
		return p.Body
	})
	s := text(t, update(t, p, some()...).Set, "/feed.xml")
	if !strings.Contains(s, "About four.") || !strings.Contains(s, "Body of five") {
		t.Errorf("feed:\n%s", s)
	}
}

func TestAPostWithAnOddAddressHarmsNobody(t *testing.T) {
	posts := some()
	posts[3].URL = "https://example.org/%zz"
	s := text(t, update(t, newPublisher(config(), nil, nil), posts...).Set, "/feed.xml")
	if !strings.Contains(s, "About four.") || !strings.Contains(s, "Body of five") {
		t.Errorf("feed:\n%s", s)
	}
}

func TestAuthorsAndLanguage(t *testing.T) {
	e := newEntry(1, "one")
	e.Authors, e.Language = []string{"Bo", "Cy"}, "fr"
	s := text(t, update(t, newPublisher(config(), nil, nil), e).Set, "/feed.xml")
	for _, part := range []string{"<dc:creator>Bo</dc:creator>", "<dc:creator>Cy</dc:creator>", "<dc:language>fr</dc:language>"} {
		if !strings.Contains(s, part) {
			t.Errorf("no %s in\n%s", part, s)
		}
	}
}

func TestEmptySite(t *testing.T) {
	set := update(t, newPublisher(config(), nil, nil)).Set
	if len(set.Feeds) != 1 || set.Lookup("/feed.json") == nil || set.OPML == nil {
		t.Errorf("feeds %v", set.Feeds)
	}
}

func TestCancelledUpdateLeavesTheSet(t *testing.T) {
	p := newPublisher(config(), nil, nil)
	if p.Current() != nil {
		t.Error("a set before the first update")
	}
	set := update(t, p, some()...).Set
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Update(ctx, snapshot()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if p.Current() != set {
		t.Error("the set was replaced")
	}
}

func TestOrderOfReadingIsOfNoConsequence(t *testing.T) {
	posts := some()
	first := update(t, newPublisher(config(), nil, nil), posts...).Set
	rand.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
	sameBytes(t, first, update(t, newPublisher(config(), nil, nil), posts...).Set)
}

// TestIncrementsEqualAColdStart: whatever happened before, the documents are
// those of a publisher that sees the last snapshot alone.
func TestIncrementsEqualAColdStart(t *testing.T) {
	pool := []string{"DevOps", "devops", "Life", "#go", "#Go", "#C++", "#c"}
	body := func(p *post.Post, _ *url.URL) string { return p.Body }
	rapid.Check(t, func(t *rapid.T) {
		p := newPublisher(config(), &documents{}, nil)
		p.SetRenderer(body)
		posts := map[int]*catalog.Entry{}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				i := rapid.IntRange(1, 8).Draw(t, "post")
				if rapid.Bool().Draw(t, "remove") {
					delete(posts, i)
				} else {
					terms := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 3, strings.ToLower).Draw(t, "terms")
					posts[i] = edited(newEntry(i, name(i), terms...), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "body"))
				}
			}
			var entries []*catalog.Entry
			for _, e := range posts {
				entries = append(entries, e)
			}
			r, err := p.Update(context.Background(), snapshot(entries...))
			if err != nil {
				t.Fatal(err)
			}
			cold := newPublisher(config(), nil, nil)
			cold.SetRenderer(body)
			want, err := cold.Update(context.Background(), snapshot(entries...))
			if err != nil {
				t.Fatal(err)
			}
			sameBytes(t, r.Set, want.Set)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	var posts []*catalog.Entry
	for i := range 2000 {
		e := newEntry(1+i%28, name(i), "Life", "#"+name(i%100))
		posts = append(posts, edited(e, strings.Repeat("Ten kilobytes of text. ", 400)))
	}
	cfg := config()
	cfg.Items = 20
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			update(b, newPublisher(cfg, nil, nil), posts...)
		}
	})
	b.Run("one edit", func(b *testing.B) {
		p := newPublisher(cfg, nil, nil)
		update(b, p, posts...)
		for i := 0; b.Loop(); i++ {
			posts[27] = edited(posts[27], name(i))
			update(b, p, posts...)
		}
	})
}
