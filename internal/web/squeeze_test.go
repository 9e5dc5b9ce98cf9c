package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"tidings/internal/catalog"
	"tidings/internal/post"
	"tidings/internal/publish"
	"tidings/internal/store"
	"tidings/internal/web"
)

// quietly is a site that logs no requests, as in service: documents then go
// the straight way.
func quietly(_ *web.Config, d *web.Deps) {
	d.Log = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func TestTheStraightWayGivesTheSameAnswers(t *testing.T) {
	long, straight := newSite(t), newSite(t, quietly)
	for _, path := range []string{"/feed.xml", "/feed", "/tags/cpp/atom.xml", "/categories/devops/feed.json", "/feeds.opml", "/tags/none/feed.xml", "//feed.xml", "/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/feed.xml"} {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "PUT"} {
			for _, opts := range [][]func(*http.Request){
				nil, {header("Accept-Encoding", "gzip")}, {header("If-None-Match", "*")}, {header("If-Modified-Since", noon.Format(http.TimeFormat))},
				{header("Sec-Fetch-Dest", "document")}, {header("A-IM", "feed"), header("If-None-Match", `"x"`)},
			} {
				a, b := long.do(request(method, path, opts...)), straight.do(request(method, path, opts...))
				if diff := cmp.Diff(a.Header(), b.Header()); a.Code != b.Code || diff != "" || !bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) {
					t.Errorf("%s %s: status %d and %d, %d bytes and %d, headers (-long +straight):\n%s", method, path, a.Code, b.Code, a.Body.Len(), b.Body.Len(), diff)
				}
			}
		}
	}
}

func TestCodings(t *testing.T) {
	s := newSite(t, quietly)
	doc := s.set.Lookup("/feed.xml")
	for _, c := range []struct{ accept, want string }{
		{"", ""}, {"*", ""}, {"identity", ""}, {"deflate", ""}, {"br;q=0, *", ""},
		{"br", "br"}, {"zstd", "zstd"}, {"gzip", "gzip"}, {"GZIP", "gzip"}, {"x-gzip", "gzip"},
		{"gzip, deflate, br, zstd", "br"}, {"br,gzip", "br"}, {"gzip, zstd", "zstd"},
		{"gzip;q=1, br;q=0.5", "gzip"}, {"identity, gzip;q=0.5", ""}, {"identity;q=0.5, gzip;q=0.5", "gzip"},
		{"identity;q=0, br", "br"}, {"identity;q=0", ""}, {"br;q=0, zstd;q=0.1", "zstd"}, {"br;q=x, gzip;q=0.2", "gzip"},
	} {
		w := settled(t, s, "/feed.xml", c.accept, c.want)
		tag := strings.TrimSuffix(doc.ETag(), `"`)
		if c.want != "" {
			tag += "-" + c.want
		}
		if got := w.Header().Get("ETag"); got != tag+`"` {
			t.Errorf("%q: tag %s", c.accept, got)
		}
		if got := decoded(t, w); !bytes.Equal(got, doc.Bytes()) {
			t.Errorf("%q: other bytes", c.accept)
		}
		if again := s.get("/feed.xml", header("Accept-Encoding", c.accept), header("If-None-Match", w.Header().Get("ETag"))); again.Code != 304 || again.Header().Get("ETag") != w.Header().Get("ETag") {
			t.Errorf("%q: %d with its own tag, headers %v", c.accept, again.Code, again.Header())
		}
	}
}

// settled asks until the background has made the coding that is wanted.
func settled(t *testing.T, s *site, path, accept, want string) *httptest.ResponseRecorder {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		w := s.get(path, header("Accept-Encoding", accept))
		if got := w.Header().Get("Content-Encoding"); got == want {
			return w
		} else if time.Now().After(deadline) {
			t.Fatalf("%s with %q comes as %q, want %q", path, accept, got, want)
		}
		time.Sleep(time.Millisecond)
	}
}

func decoded(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	var r io.Reader = w.Body
	var err error
	switch w.Header().Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(w.Body)
	case "br":
		r = brotli.NewReader(w.Body)
	case "zstd":
		r, err = zstd.NewReader(w.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whoever takes nothing else must not be sent the bytes as they are.
func TestWhoRefusesPlainBytesWaitsForOthers(t *testing.T) {
	tiny := newSiteOf(t, []*post.Post{{Title: "x", Slug: "x", Summary: strings.Repeat("x", 99), Published: noon}})
	for _, s := range []*site{newSite(t, quietly), tiny} {
		w := s.get("/feed.json", header("Accept-Encoding", "br, identity;q=0"))
		if w.Header().Get("Content-Encoding") != "br" || !bytes.Equal(decoded(t, w), s.set.Lookup("/feed.json").Bytes()) {
			t.Errorf("headers %v", w.Header())
		}
	}
}

// A reader that has everything costs no compression.
func TestNothingIsSqueezedForNothingNew(t *testing.T) {
	s := newSite(t, quietly)
	tag := s.set.Lookup("/feed.xml").ETag()
	for _, sent := range []string{tag, "W/" + tag, "*"} {
		w := s.get("/feed.xml", header("Accept-Encoding", "gzip"), header("If-None-Match", sent))
		if w.Code != 304 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: status %d, tag %s", sent, w.Code, w.Header().Get("ETag"))
		}
	}
	held := strings.TrimSuffix(tag, `"`) + `-zstd"` // from before a restart
	if w := s.get("/feed.xml", header("If-None-Match", held)); w.Code != 304 || w.Header().Get("ETag") != held {
		t.Errorf("status %d, tag %s, want %s", w.Code, w.Header().Get("ETag"), held)
	}
}

func TestWhatWasSqueezedIsSqueezedAgainAfterAChange(t *testing.T) {
	s := newSite(t, quietly)
	settled(t, s, "/feed.xml", "br", "br")
	s.set = newSiteOf(t, samplePosts()[1:]).set
	s.get("/atom.xml") // anything
	// A reader that has everything makes nothing be squeezed, but sees it.
	has := func() *httptest.ResponseRecorder {
		return s.get("/feed.xml", header("Accept-Encoding", "br"), header("If-None-Match", "*"))
	}
	for deadline := time.Now().Add(10 * time.Second); !strings.HasSuffix(has().Header().Get("ETag"), `-br"`); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not")
		}
	}
	w := settled(t, s, "/feed.xml", "br", "br")
	if !bytes.Equal(decoded(t, w), s.set.Lookup("/feed.xml").Bytes()) {
		t.Error("the feed of the set before was served")
	}
}

// bare removes the mark of a coding from a tag.
func bare(tag string) string { return strings.Replace(tag, `-gzip"`, `"`, 1) }

func TestDifferences(t *testing.T) {
	s := newSite(t, quietly)
	posts := samplePosts()
	p := publish.New(publish.Config{Title: "Field Notes", Language: "en", SiteURL: base}, publish.Deps{Now: func() time.Time { return noon }})
	snap := snapshotOf(base, posts)
	before := *snap
	before.Entries = snap.Entries[1:]
	first := published(t, p, &before)
	s.set = published(t, p, snap)
	old, now := first.Lookup("/feed.xml"), s.set.Lookup("/feed.xml")
	ask := func(opts ...func(*http.Request)) *httptest.ResponseRecorder { return s.get("/feed.xml", opts...) }

	for _, tag := range []string{old.ETag(), "W/" + old.ETag(), `"x", ` + old.ETag(), strings.TrimSuffix(old.ETag(), `"`) + `-gzip"`} {
		for _, accept := range []string{"", "gzip", "br, gzip"} {
			w := ask(header("A-IM", "feed"), header("If-None-Match", tag), header("Accept-Encoding", accept))
			if w.Code != 226 || w.Header().Get("IM") != "feed" || bare(w.Header().Get("Delta-Base")) != old.ETag() || w.Header().Get("ETag") != now.ETag() || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
				t.Fatalf("%s: status %d, headers %v", tag, w.Code, w.Header())
			}
			if b := decoded(t, w); strings.Count(string(b), "<item>") != 1 || !strings.Contains(string(b), posts[0].Title) {
				t.Errorf("%s: not the new entry alone:\n%s", tag, b)
			}
		}
	}
	head := s.do(request("HEAD", "/feed.xml", header("A-IM", "feed"), header("If-None-Match", old.ETag())))
	if head.Code != 226 || head.Header().Get("IM") != "feed" {
		t.Errorf("HEAD: status %d, headers %v", head.Code, head.Header())
	}
	for name, opts := range map[string][]func(*http.Request){
		"no A-IM":         {header("If-None-Match", old.ETag())},
		"another A-IM":    {header("A-IM", "vcdiff, gzip"), header("If-None-Match", old.ETag())},
		"rss2email":       {header("A-IM", "feed"), header("If-None-Match", old.ETag()), header("User-Agent", "feedparser/6.0.10 +https://github.com/kurtmckee/feedparser/")},
		"A-IM refused":    {header("A-IM", "feed;q=0"), header("If-None-Match", old.ETag())},
		"unknown version": {header("A-IM", "feed"), header("If-None-Match", `"unknown"`)},
		"no version":      {header("A-IM", "feed")},
		"only a date":     {header("A-IM", "feed"), header("If-Modified-Since", noon.Add(-time.Hour).Format(http.TimeFormat))},
	} {
		if w := ask(opts...); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), now.Bytes()) || w.Header().Get("IM") != "" {
			t.Errorf("%s: status %d, headers %v", name, w.Code, w.Header())
		}
	}
	for _, tag := range []string{now.ETag(), old.ETag() + "," + now.ETag(), "*"} {
		if w := ask(header("A-IM", "feed"), header("If-None-Match", tag)); w.Code != 304 {
			t.Errorf("%s: status %d", tag, w.Code)
		}
	}
}

func TestAWholeThatIsNoLargerIsSentInstead(t *testing.T) {
	s := newSite(t, quietly)
	p := publish.New(publish.Config{Title: "Field Notes", Language: "en", SiteURL: base}, publish.Deps{Now: func() time.Time { return noon }})
	empty := *s.snap
	empty.Entries = nil
	old := published(t, p, &empty).Lookup("/feed.xml")
	s.set = published(t, p, s.snap)
	w := s.get("/feed.xml", header("A-IM", "feed"), header("If-None-Match", old.ETag()))
	if w.Code != 200 || w.Header().Get("IM") != "" || !strings.HasPrefix(w.Header().Get("Cache-Control"), "public") {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
}

func TestHubsAreNamedInTheHeader(t *testing.T) {
	s := newSite(t)
	p := publish.New(publish.Config{Title: "Field Notes", Language: "en", SiteURL: base, Hubs: []string{"https://hub.example/a", "https://hub.example/b"}}, publish.Deps{Now: func() time.Time { return noon }})
	hubless := s.set
	s.set = published(t, p, s.snap)
	want := `<` + base + `/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/atom.xml>; rel="self", <https://hub.example/a>; rel="hub", <https://hub.example/b>; rel="hub"`
	if got := s.get("/tags/日本語/atom.xml").Header().Get("Link"); got != want {
		t.Errorf("Link: %s\nwant %s", got, want)
	}
	s.publisher = p
	for _, path := range []string{"/feeds.opml", "/feeds/atom.xml?tag=cpp"} { // of which no hub is told
		w := s.get(path)
		if got := w.Header().Values("Link"); w.Code != 200 || got != nil || strings.Contains(w.Body.String(), "hub.example") {
			t.Errorf("%s: status %d, Link %q", path, w.Code, got)
		}
	}
	s.set = hubless
	if got := s.get("/feed.xml").Header().Values("Link"); got != nil {
		t.Errorf("without hubs: %q", got)
	}
}

func TestOtherSitesMayAskWithReadersHeaders(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/feed.xml", "/feed", "/feeds.opml", "/feeds/feed.json"} {
		w := s.do(request("OPTIONS", path, header("Origin", "https://reader.example"), header("Access-Control-Request-Method", "GET"), header("Access-Control-Request-Headers", "if-none-match")))
		if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "If-None-Match") {
			t.Errorf("%s: status %d, headers %v", path, w.Code, w.Header())
		}
		if w := s.do(request("PUT", path)); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: PUT has status %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := s.do(request("OPTIONS", "/subscribe", header("Origin", "https://reader.example"))); w.Code != 405 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page: status %d, headers %v", w.Code, w.Header())
	}
}

func published(t testing.TB, p *publish.Publisher, snap *catalog.Snapshot) *publish.Set {
	t.Helper()
	r, err := p.Update(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	return r.Set
}

func TestPagesAndAssetsAreSqueezedForThoseWhoTakeIt(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusActive)
	style := values(t, s.get("/"), "link[rel=stylesheet]", "href")[0]
	for _, path := range []string{"/", "/feeds/", "/posts/immutable-servers/", style} {
		plain, small := s.get(path), s.get(path, header("Accept-Encoding", "gzip, deflate, br, zstd"))
		if small.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" || small.Body.Len() >= plain.Body.Len() {
			t.Errorf("%s: %d bytes %v, plain %d bytes", path, small.Body.Len(), small.Header(), plain.Body.Len())
		}
		if small.Header().Get("Vary") != "Accept-Encoding" || small.Header().Get("ETag") == plain.Header().Get("ETag") {
			t.Errorf("%s: headers %v", path, small.Header())
		}
		if got := decoded(t, small); !bytes.Equal(got, plain.Body.Bytes()) {
			t.Errorf("%s: other bytes", path)
		}
		for _, tag := range []string{plain.Header().Get("ETag"), small.Header().Get("ETag")} {
			if again := s.get(path, header("Accept-Encoding", "gzip"), header("If-None-Match", tag)); again.Code != 304 || again.Header().Get("ETag") != small.Header().Get("ETag") {
				t.Errorf("%s with %s: status %d, headers %v", path, tag, again.Code, again.Header())
			}
		}
	}
	for _, path := range []string{"/unsubscribe/ann", "/nothing"} { // a length could betray a token
		if w := s.get(path, header("Accept-Encoding", "gzip")); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
}
