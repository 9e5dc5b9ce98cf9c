package web_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/publish"
	"tidings/internal/web"
)

// movedIn gives a site that came from WordPress, where a category has been
// renamed since.
func movedIn(t *testing.T) *site {
	t.Helper()
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.Authors = true })
	s.snap.Authors = file(nil, catalog.Author, []string{"Jane Doe"}, s.snap.Entries[0])
	s.snap.Former = map[catalog.Kind]map[string]string{catalog.Category: {"operations": "devops"}}
	for _, c := range append(s.snap.Categories, s.snap.Authors...) {
		c.Spellings = []string{c.Name}
	}
	p := publish.New(publish.Config{Title: "Field Notes", SiteURL: base, Preset: publish.WordPress}, publish.Deps{Now: func() time.Time { return noon }})
	r, err := p.Update(t.Context(), s.snap)
	if err != nil {
		t.Fatal(err)
	}
	s.set = r.Set
	return s
}

func TestAddressesOfAFormerGenerator(t *testing.T) {
	s := movedIn(t)
	for target, document := range map[string]string{
		"/feed/":                                 "/feed.xml",
		"/feed/atom":                             "/atom.xml",
		"/?feed=rss2":                            "/feed.xml",
		"/category/distributed-systems/feed/":    "/categories/distributed-systems/feed.xml",
		"/author/jane-doe/feed/":                 "/authors/jane-doe/feed.xml",
		"/author/jane-doe/feed/atom/":            "/authors/jane-doe/atom.xml",
		"/tag/%E6%97%A5%E6%9C%AC%E8%AA%9E/feed/": "/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/feed.xml",
	} {
		got, want := s.get(target), s.get(document)
		if got.Code != 200 || got.Body.String() != want.Body.String() || got.Header().Get("ETag") != want.Header().Get("ETag") {
			t.Errorf("%s: %d, not the bytes of %s", target, got.Code, document)
		}
	}
	if got := s.get("/?feed=rdf"); got.Code != 200 || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/html") {
		t.Errorf("a feed that is not there: %d %s", got.Code, got.Header().Get("Content-Type"))
	}
}

func TestFormerAddressesOfATerm(t *testing.T) {
	s := movedIn(t)
	for target, to := range map[string]string{
		"/categories/operations/feed.xml": "/categories/devops/feed.xml",
		"/categories/operations/":         "/categories/devops/",
		"/categories/operations/?page=2":  "/categories/devops/?page=2",
	} {
		got := s.get(target)
		if got.Code != 301 || got.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q, want 301 to %s", target, got.Code, got.Header().Get("Location"), to)
		}
	}
}

func TestPageOfAnAuthor(t *testing.T) {
	s := movedIn(t)
	if got := s.get("/authors/jane-doe/"); got.Code != 200 || !strings.Contains(got.Body.String(), "Jane Doe") || !strings.Contains(got.Body.String(), "/authors/jane-doe/atom.xml") {
		t.Errorf("%d\n%s", got.Code, got.Body)
	}
	if got := s.get("/feeds/"); !strings.Contains(got.Body.String(), `id="authors"`) {
		t.Error("the directory has no authors")
	}
	if got := newSite(t).get("/authors/jane-doe"); got.Code != 404 {
		t.Errorf("without pages of authors: %d", got.Code)
	}
}
