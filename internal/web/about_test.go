package web_test

import (
	"slices"
	"strings"
	"testing"

	"tidings/internal/publish"
	"tidings/internal/web"
)

func TestPageAboutAFeed(t *testing.T) {
	s := newSite(t)
	w := s.get("/feeds/tags/cpp/")
	if got := texts(t, w, "a.address"); !slices.Equal(got, []string{base + "/tags/cpp/feed.xml", base + "/tags/cpp/atom.xml", base + "/tags/cpp/feed.json"}) {
		t.Errorf("addresses: %q", got)
	}
	if got := texts(t, w, "h1"); got[0] != "C++" {
		t.Errorf("heading: %q", got)
	}
	if got := texts(t, w, "a.title"); !slices.Equal(got, []string{"Elsewhere"}) {
		t.Errorf("latest: %q", got)
	}
	if got := values(t, w, "input[name=tag]", "value"); !slices.Equal(got, []string{"cpp"}) {
		t.Errorf("topics of the form: %q", got)
	}
	if got := values(t, w, "link[rel=alternate]", "href"); len(got) != 6 || got[0] != base+"/feed.xml" || got[3] != base+"/tags/cpp/feed.xml" {
		t.Errorf("announced: %q", got)
	}
	if got := s.get("/feeds/categories/CPP/").Code; got != 404 {
		t.Errorf("a category that is none: %d", got)
	}
	if w := s.get("/feeds/tags/CPP/"); w.Code != 301 || w.Header().Get("Location") != "/feeds/tags/cpp/" {
		t.Errorf("another spelling: %d to %s", w.Code, w.Header().Get("Location"))
	}
	off := newSite(t, func(c *web.Config, _ *web.Deps) { c.MailingOff = "mailing is off" })
	if got := values(t, off.get("/feeds/tags/cpp/"), "form", "action"); len(got) != 0 {
		t.Errorf("a form while mailing is off: %q", got)
	}
}

func TestCombinedFeeds(t *testing.T) {
	s := newSite(t)
	w := s.get("/feeds/combined/?category=Notes&tag=cpp")
	if w.Code != 301 || w.Header().Get("Location") != "/feeds/combined/?category=notes&tag=cpp" {
		t.Fatalf("another form of a query: %d to %s", w.Code, w.Header().Get("Location"))
	}
	w = s.get("/feeds/combined/?category=notes&tag=cpp")
	address := base + "/feeds/feed.xml?category=notes&tag=cpp"
	if got := texts(t, w, "a.address"); len(got) != 3 || got[0] != address {
		t.Fatalf("addresses: %q", got)
	}
	if got := fields(t, w, "form[method=post]"); !slices.Equal(got["category"], []string{"notes"}) || !slices.Equal(got["tag"], []string{"cpp"}) {
		t.Errorf("topics of the form: %q", got)
	}
	if got := values(t, w, "link[rel=alternate]", "href"); len(got) != 6 || got[0] != base+"/feed.xml" || got[3] != address {
		t.Errorf("announced: %q", got)
	}
	feed := s.get("/feeds/feed.xml?tag=cpp&category=notes")
	if feed.Code != 200 || !strings.Contains(feed.Body.String(), `href="`+strings.ReplaceAll(address, "&", "&amp;")+`"`) || strings.Count(feed.Body.String(), "<item>") != 3 {
		t.Errorf("status %d\n%s", feed.Code, feed.Body)
	}
	if again := s.get("/feeds/feed.xml?tag=cpp&category=notes", header("If-None-Match", feed.Header().Get("ETag"))); again.Code != 304 {
		t.Errorf("asked again: %d", again.Code)
	}
	if got := values(t, s.get("/feeds/combined/?category=notes&not-tag=cpp"), "form[method=post]", "action"); len(got) != 0 {
		t.Errorf("a newsletter cannot leave tags out, but there is a form: %q", got)
	}
	for path, want := range map[string]int{
		"/feeds/feed.xml?tag=unknown": 404, "/feeds/combined/?tag=unknown": 404, "/feeds/combined/": 200, "/feeds/other.xml/": 404, "/feeds/nothing/": 404,
	} {
		if got := s.get(path).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if w := s.get("/feeds/atom.xml"); w.Code != 301 || w.Header().Get("Location") != "/atom.xml" {
		t.Errorf("a query for everything: %d to %s", w.Code, w.Header().Get("Location"))
	}
}

// The form of a combined feed can be sent again as it is, whatever was asked
// for, and says what was wrong without hiding the way back.
func TestFormOfACombinedFeed(t *testing.T) {
	s := newSite(t)
	for _, query := range []string{
		"category=notes&tag=cloud&tag=cpp", "tag=cpp&all-tag=automation&all-tag=cloud&not-tag=python", "all-category=devops&not-category=notes&not-category=python",
		"category=notes&in-category=devops&in-tag=cloud",
	} {
		q, err := publish.ParseQuery(fields(t, s.get("/feeds/combined/?"+query), "form[method=get]"), s.snap)
		if err != nil || q.String() != query {
			t.Errorf("the form of %s asks for %s (%v)", query, q, err)
		}
	}
	w := s.get("/feeds/combined/?tag=cpp,nothing")
	if got := values(t, w, "a.button", "href"); w.Code != 404 || !strings.Contains(w.Body.String(), "There is no tag &#34;nothing&#34;.") || !slices.Equal(got, []string{"/feeds/"}) {
		t.Errorf("an unknown tag: %d, leads to %q\n%s", w.Code, got, w.Body)
	}
}

// The style sheet of the feeds is at the address that they name.
func TestFeedsHaveAStyleSheet(t *testing.T) {
	s := newSite(t)
	if feed := s.get("/feed.xml").Body.String(); !strings.Contains(feed, `<?xml-stylesheet type="text/css" href="/feed.css"?>`) {
		t.Errorf("no style sheet is named:\n%s", feed[:200])
	}
	if w := s.get("/feed.css"); w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Body.String(), "channel > |title") {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
}
