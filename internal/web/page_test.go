package web_test

import (
	"slices"
	"strings"
	"testing"

	"tidings/internal/web"
)

func TestFrontPage(t *testing.T) {
	w := newSite(t).get("/")
	if got := texts(t, w, "article.entry")[0]; got != "Apr 7, 2025 · DevOps Immutable servers Replace machines instead of mending them, and know what runs where. cloud automation" {
		t.Errorf("first entry: %q", got)
	}
	if n := len(all(t, w, "article.entry")); n != 20 {
		t.Errorf("%d entries, want 20", n)
	}
	if got := values(t, w, "a.older", "href"); !slices.Equal(got, []string{"/?page=2"}) {
		t.Errorf("link to older posts: %q", got)
	}
	if got := values(t, w, "input[name=email]", "type"); !slices.Equal(got, []string{"email"}) {
		t.Errorf("address fields: %q", got)
	}
	if got := values(t, w, "form", "action"); !slices.Equal(got, []string{"/subscribe"}) {
		t.Errorf("form: %q", got)
	}
	if got := texts(t, w, "ul.terms"); got[0] != "DevOps 21 Distributed Systems 1 Notes 2 Python 1" {
		t.Errorf("categories: %q", got)
	}
	arabic := all(t, w, "article[lang=ar]")
	if dir, _ := attr(arabic[0], "dir"); dir != "rtl" {
		t.Error("an Arabic post is set from left to right")
	}
	if got := texts(t, w, "h2.untitled"); len(got) != 1 || !strings.HasPrefix(got[0], "A short remark") {
		t.Errorf("a post without a title is shown as %q", got)
	}
}

func TestPagesAreFramed(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]struct{ title, canonical string }{
		"/":                          {"Field Notes", base + "/"},
		"/?page=2":                   {"Field Notes", base + "/?page=2"},
		"/posts/immutable-servers/":  {"Immutable servers · Field Notes", base + "/posts/immutable-servers/"},
		"/posts/note/":               {"A short remark without any title at all, which is yet long… · Field Notes", base + "/posts/note/"},
		"/categories/devops/":        {"DevOps · Field Notes", base + "/categories/devops/"},
		"/categories/devops/?page=2": {"DevOps · Field Notes", base + "/categories/devops/?page=2"},
		"/feeds/":                    {"Feeds · Field Notes", base + "/feeds/"},
		"/subscribe?tag=cpp":         {"Subscribe · Field Notes", base + "/subscribe"},
	} {
		w := s.get(path)
		if got := texts(t, w, "title"); !slices.Equal(got, []string{want.title}) {
			t.Errorf("%s: title %q, want %q", path, got, want.title)
		}
		if got := values(t, w, "link[rel=canonical]", "href"); !slices.Equal(got, []string{want.canonical}) {
			t.Errorf("%s: canonical address %q, want %q", path, got, want.canonical)
		}
		first := values(t, w, "link[rel=alternate]", "href")
		if len(first) < 3 || first[0] != base+"/feed.xml" || first[1] != base+"/atom.xml" || first[2] != base+"/feed.json" {
			t.Errorf("%s: feeds announced: %q", path, first)
		}
		if got := values(t, w, "html", "lang"); !slices.Equal(got, []string{"en"}) {
			t.Errorf("%s: language %q", path, got)
		}
		if got := values(t, w, "a.skip", "href"); !slices.Equal(got, []string{"#main"}) {
			t.Errorf("%s: skip link %q", path, got)
		}
		if n := len(all(t, w, "h1")); n != 1 {
			t.Errorf("%s: %d main headings", path, n)
		}
		if !strings.Contains(w.Header().Get("Cache-Control"), "public") || w.Header().Get("ETag") == "" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
		if again := s.get(path, header("If-None-Match", w.Header().Get("ETag"))); again.Code != 304 {
			t.Errorf("%s: asked again, status %d", path, again.Code)
		}
	}
}

// A page may load nothing but its own style sheet and icon, and run nothing;
// those with addresses to copy or a form have a script of our own, but for posts.
func TestPagesAskNothingOfOthers(t *testing.T) {
	s := newSite(t)
	script := map[string]string{"/feeds/": "copy.js", "/": "signup.js", "/categories/devops/": "signup.js", "/subscribe": "signup.js"}
	for _, path := range []string{"/", "/posts/immutable-servers/", "/categories/devops/", "/feeds/", "/subscribe", "/nothing", "/admin/mailbox/"} {
		w := s.get(path)
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") != (script[path] != "") {
			t.Errorf("%s: policy %q", path, policy)
		}
		var scripts []string
		if script[path] != "" {
			scripts = values(t, w, "script[src]", "src")
			if len(scripts) != 1 || !strings.HasPrefix(scripts[0], "/assets/"+script[path]+"?") {
				t.Errorf("%s runs %q", path, scripts)
			}
		}
		if n := len(all(t, w, "script")) - len(scripts) + len(all(t, w, "style")) + len(all(t, w, "[style]")) + len(all(t, w, "[onclick]")); n > 0 {
			t.Errorf("%s: %d scripts or styles in the page", path, n)
		}
		for _, rel := range []string{"stylesheet", "icon"} {
			for _, href := range values(t, w, "link[rel="+rel+"]", "href") {
				if !strings.HasPrefix(href, "/assets/") {
					t.Errorf("%s loads %s", path, href)
				}
			}
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", path)
		}
	}
}

func TestTermPage(t *testing.T) {
	w := newSite(t).get("/tags/cpp/")
	alternates := values(t, w, "link[rel=alternate]", "href")
	if want := base + "/tags/cpp/feed.xml"; len(alternates) != 6 || alternates[3] != want {
		t.Errorf("feeds announced: %q, want %s as the fourth", alternates, want)
	}
	if got := values(t, w, "link[rel=alternate]", "type")[3:]; !slices.Equal(got, []string{"application/rss+xml", "application/atom+xml", "application/feed+json"}) {
		t.Errorf("types: %q", got)
	}
	links := values(t, w, "a", "href")
	for _, want := range []string{"/tags/cpp/feed.xml", "/tags/cpp/atom.xml", "/tags/cpp/feed.json", "/subscribe?tag=cpp", "https://other.example/x/"} {
		if !slices.Contains(links, want) {
			t.Errorf("no link to %s in %q", want, links)
		}
	}
	if got := texts(t, w, "h1"); got[0] != "C++" {
		t.Errorf("heading %q", got)
	}
}

func TestPostPage(t *testing.T) {
	s := newSite(t)
	e := s.snap.ByPath["/posts/logging-without-regret/"]
	e.Updated, e.Authors, e.Image = e.Published.AddDate(0, 1, 0), []string{"Ann", "Bob"}, "cover.png"
	w := s.get("/posts/logging-without-regret/")
	if got := texts(t, w, "article.post")[0]; got != "Apr 4, 2025 · Python Logging without regret Ann, Bob Levels are promises. Updated May 4, 2025 python logging" {
		t.Errorf("post: %q", got)
	}
	if got := texts(t, w, "nav.neighbours"); got[0] != "Older A short remark without any title at all, which is yet long… Newer Immutable servers" {
		t.Errorf("neighbours: %q", got)
	}
	if got := values(t, w, "meta[property=og:image]", "content"); !slices.Equal(got, []string{base + "/posts/logging-without-regret/cover.png"}) {
		t.Errorf("image: %q", got)
	}
	if got := values(t, w, "meta[name=description]", "content"); !slices.Equal(got, []string{e.Summary}) {
		t.Errorf("description: %q", got)
	}
}

func TestFeedDirectory(t *testing.T) {
	s := newSite(t)
	w := s.get("/feeds/")
	if got := texts(t, w, "h2"); !slices.Equal(got, []string{"Every post", "Categories", "Tags", "Make your own"}) {
		t.Errorf("groups: %q", got)
	}
	if got := texts(t, w, "a.address"); !slices.Equal(got, []string{base + "/feed.xml", base + "/atom.xml", base + "/feed.json"}) {
		t.Errorf("addresses: %q", got)
	}
	about := values(t, w, "a.name", "href")
	if len(about) != len(s.set.Feeds)-1 || !slices.Contains(about, "/feeds/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/") {
		t.Errorf("%d pages about %d feeds: %q", len(about), len(s.set.Feeds), about)
	}
	if got := values(t, w, "a[type=text/x-opml]", "href"); !slices.Equal(got, []string{"/feeds.opml"}) {
		t.Errorf("OPML: %q", got)
	}
}

// Feeds that are public elsewhere are announced there.
func TestFeedsElsewhere(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.FeedsURL = "https://cdn.example/f/" })
	w := s.get("/feeds/")
	if got := values(t, w, "link[rel=alternate]", "href")[0]; got != "https://cdn.example/f/feed.xml" {
		t.Errorf("announced: %s", got)
	}
	if got := values(t, w, "a[type=text/x-opml]", "href")[0]; got != "https://cdn.example/f/feeds.opml" {
		t.Errorf("OPML: %s", got)
	}
}

func TestAnotherLanguage(t *testing.T) {
	for _, c := range []struct{ site, lang, dir, post, date string }{
		{"en", "en", "ltr", "", "Apr 7, 2025"},
		{"de-AT", "de-AT", "ltr", "", "7. Apr. 2025"},
		{"ar", "ar", "rtl", "", "7 أبريل 2025"},
		{"he-IL", "en", "rtl", "he-IL", "Apr 7, 2025"}, // there are no messages in it
	} {
		s := newSite(t, func(cfg *web.Config, _ *web.Deps) { cfg.Language = c.site })
		w := s.get("/")
		if lang, dir := values(t, w, "html", "lang"), values(t, w, "html", "dir"); lang[0] != c.lang || dir[0] != c.dir {
			t.Errorf("%s: lang %q, dir %q", c.site, lang, dir)
		}
		if got := texts(t, w, "time")[0]; got != c.date {
			t.Errorf("%s: date %q", c.site, got)
		}
		if got := values(t, w, "article.entry", "lang")[0]; got != c.post {
			t.Errorf("%s: a post without a language is marked as %q", c.site, got)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: one language, but Vary: %q", c.site, w.Header().Values("Vary"))
		}
	}
}

func TestEmptySite(t *testing.T) {
	s := newSiteOf(t, nil)
	w := s.get("/")
	if got := texts(t, w, "p.empty"); w.Code != 200 || !slices.Equal(got, []string{"Nothing has been published here yet."}) {
		t.Errorf("status %d: %q", w.Code, got)
	}
}

// What readers and writers give is text, wherever it is shown.
func TestNothingIsMarkup(t *testing.T) {
	posts := samplePosts()
	posts[0].Title, posts[0].Summary, posts[0].Tags = `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, []string{`<b>`}
	s := newSiteOf(t, posts)
	for _, path := range []string{"/", "/posts/immutable-servers/", "/feeds/", "/subscribe?newsletter=%22%3E%3Cscript%3E&tag=%3Cscript%3E", "/posts/older-5/%3Cscript%3E"} {
		w := s.get(path)
		if len(all(t, w, "script"))-len(all(t, w, "script[src]"))+len(all(t, w, "[onerror]"))+len(all(t, w, "b")) > 0 {
			t.Errorf("%s: text became markup", path)
		}
	}
}

func TestAssets(t *testing.T) {
	s := newSite(t)
	href := values(t, s.get("/"), "link[rel=stylesheet]", "href")[0]
	w := s.get(href)
	if w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %v", href, w.Header())
	}
	for _, stale := range []string{"/assets/style.css", "/assets/style.css?v=000000000000"} {
		w := s.get(stale)
		if w.Code != 200 || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, %q", stale, w.Code, w.Header().Get("Cache-Control"))
		}
	}
	if again := s.get(href, header("If-None-Match", w.Header().Get("ETag"))); again.Code != 304 {
		t.Errorf("asked again: %d", again.Code)
	}
}

func TestAPostThatLeftIsGone(t *testing.T) {
	s := newSite(t)
	s.snap.Gone = map[string]bool{"/posts/taken-down/": true}
	for path, want := range map[string]int{
		"/posts/taken-down/": 410, "/posts/taken-down": 410, "/posts/taken-down/index.html": 410, "/posts/never-was/": 404,
	} {
		w := s.get(path)
		if w.Code != want || want == 410 && !strings.Contains(w.Body.String(), "This post is no more") {
			t.Errorf("%s: status %d, want %d\n%s", path, w.Code, want, w.Body)
		}
	}
}
