package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"tidings/internal/catalog"
	"tidings/internal/publish"
	"tidings/internal/store"
	"tidings/internal/web"
)

func TestStatus(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusPending)
	for _, c := range []struct {
		target string
		status int
		to     string // of a redirect
	}{
		{"/", 200, ""},
		{"/?page=2", 200, ""},
		{"/?page=3", 404, ""},
		{"/?page=0", 404, ""},
		{"/?page=x", 404, ""},
		{"/posts/immutable-servers/", 200, ""},
		{"/posts/immutable-servers", 301, "/posts/immutable-servers/"},
		{"/posts/immutable-servers/index.html", 301, "/posts/immutable-servers/"},
		{"/posts/immutable-servers?a=b", 301, "/posts/immutable-servers/?a=b"},
		{"/posts/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7/", 200, ""},
		{"/posts/elsewhere/", 404, ""},
		{"/old/immutable/", 301, "/posts/immutable-servers/"},
		{"/old/immutable", 301, "/posts/immutable-servers/"},
		{"/categories/devops/", 200, ""},
		{"/categories/devops/?page=2", 200, ""},
		{"/categories/devops", 301, "/categories/devops/"},
		{"/categories/DevOps/", 301, "/categories/devops/"},
		{"/categories/none/", 404, ""},
		{"/tags/cpp/", 200, ""},
		{"/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/", 200, ""},
		{"/tags/cpp/feed.xml", 200, ""},
		{"/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/feed.json", 200, ""},
		{"/tags/none/feed.xml", 404, ""},
		{"/feeds/", 200, ""},
		{"/feeds", 301, "/feeds/"},
		{"/feeds.opml", 200, ""},
		{"/feed.xml", 200, ""},
		{"/atom.xml", 200, ""},
		{"/feed.json", 200, ""},
		{"/index.xml", 200, ""},
		{"/rss.xml", 200, ""},
		{"/feed", 200, ""},
		{"/feed/", 200, ""},
		{"/rss", 200, ""},
		{"/rss/", 200, ""},
		{"/index.rss", 200, ""},
		{"/rss/feed.xml", 200, ""},
		{"/feed.atom", 200, ""},
		{"/index.json", 200, ""},
		{"/subscribe", 200, ""},
		{"/subscribe/", 301, "/subscribe"},
		{"/confirm/ann", 200, ""},
		{"/confirm/ann/", 301, "/confirm/ann"},
		{"/confirm/forged", 404, ""},
		{"/unsubscribe/ann", 200, ""},
		{"/unsubscribe/forged", 404, ""},
		{"/healthz", 200, ""},
		{"/readyz", 200, ""},
		{"/metrics", 200, ""},
		{"/admin/mailbox/", 200, ""},
		{"/admin/mailbox", 301, "/admin/mailbox/"},
		{"/admin/mailbox/none/", 404, ""},
		{"/admin/mailbox/..%2f..%2fetc%2fpasswd/source", 301, "/etc/passwd/source"},
		{"/assets/style.css", 200, ""},
		{"/assets/none.css", 404, ""},
		{"/assets/..%2fweb%2flayout.html", 301, "/web/layout.html"},
		{"/nothing/here", 404, ""},
		{"//posts//immutable-servers/", 301, "/posts/immutable-servers/"},
		{"/posts/../feeds/", 301, "/feeds/"},
		{"//other.example/", 301, "/other.example/"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(method+" "+c.target, func(t *testing.T) {
				before := s.people.changes
				w := s.do(request(method, "http://localhost:8080"+c.target))
				if w.Code != c.status || w.Header().Get("Location") != c.to {
					t.Errorf("status %d to %q, want %d to %q", w.Code, w.Header().Get("Location"), c.status, c.to)
				}
				if w.Header().Get("X-Content-Type-Options") != "nosniff" {
					t.Error("the media type may be guessed")
				}
				if s.people.changes != before {
					t.Error("reading changed something")
				}
			})
		}
	}
}

func TestOtherMethods(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusActive)
	for _, c := range []struct{ path, allow string }{
		{"/", "GET, HEAD"},
		{"/feed.xml", "GET, HEAD, OPTIONS"},
		{"/feed", "GET, HEAD, OPTIONS"},
		{"/posts/immutable-servers/", "GET, HEAD"},
		{"/old/immutable/", "GET, HEAD"},
		{"/categories/devops/", "GET, HEAD"},
		{"/healthz", "GET, HEAD"},
		{"/admin/mailbox/", "GET, HEAD"},
		{"/subscribe", "GET, HEAD, POST"},
		{"/confirm/ann", "GET, HEAD, POST"},
		{"/unsubscribe/ann", "GET, HEAD, POST"},
	} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			if method == "POST" && strings.HasSuffix(c.allow, "POST") || method == "OPTIONS" && strings.HasSuffix(c.allow, "OPTIONS") {
				continue
			}
			w := s.do(request(method, c.path))
			if w.Code != 405 || w.Header().Get("Allow") != c.allow {
				t.Errorf("%s %s: status %d, Allow %q", method, c.path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	if s.people.changes != 0 {
		t.Error("a refused method changed something")
	}
	if w := s.do(request("POST", "/nothing")); w.Code != 404 {
		t.Errorf("POST to nothing: %d, want 404", w.Code)
	}
}

// A proxy may keep the path of the public address or remove it; links carry
// it in either case.
func TestPublicPath(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) {
		c.SiteURL, c.BaseURL = "https://example.org/news", "https://example.org/news/"
	})
	s.people.with("ann", store.StatusPending)
	for _, path := range []string{"/", "/posts/immutable-servers/", "/feed.xml", "/feed/", "/tags/cpp/", "/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/", "/confirm/ann", "/healthz", "/assets/style.css"} {
		kept, removed := s.get("/news"+path), s.get(path)
		if kept.Code != 200 || removed.Code != 200 || kept.Body.String() != removed.Body.String() {
			t.Errorf("%s: with prefix %d, without %d, or not the same bytes", path, kept.Code, removed.Code)
		}
	}
	for from, to := range map[string]string{
		"/news": "/news/", "/news/feeds": "/news/feeds/", "/feeds": "/news/feeds/", "/news//feeds/": "/news/feeds/",
		"/old/immutable/": "/news/posts/immutable-servers/", "/posts/older-7": "/news/posts/older-7/",
	} {
		if w := s.get(from); w.Code != 301 || w.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q, want %q", from, w.Code, w.Header().Get("Location"), to)
		}
	}
	crawl(t, s, "/news/", "/news/")
}

// The posts may be public below another path than the daemon's own pages.
func TestPostsBelowAnotherPath(t *testing.T) {
	for _, paths := range [][2]string{{"/news", "/news/blog"}, {"/blog/news", "/blog"}, {"", "/blog"}} {
		s := newSite(t, func(c *web.Config, _ *web.Deps) {
			c.BaseURL, c.SiteURL = "https://example.org"+paths[0], "https://example.org"+paths[1]
		})
		seen := crawl(t, s, paths[0]+"/", "/")
		if want := paths[1] + "/posts/immutable-servers/"; !seen[want] {
			t.Errorf("%q: nothing links to %s", paths, want)
		}
		if w := s.get(paths[1] + "/old/immutable/"); w.Header().Get("Location") != paths[1]+"/posts/immutable-servers/" {
			t.Errorf("%q: moved to %q", paths, w.Header().Get("Location"))
		}
	}
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	s := newSite(t)
	seen := crawl(t, s, "/", "/")
	for _, want := range []string{"/?page=2", "/posts/older-24/", "/tags/cpp/atom.xml", "/feeds.opml", "/subscribe?tag=cpp", "/posts/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7/"} {
		if !seen[want] {
			t.Errorf("nothing links to %s", want)
		}
	}
}

// crawl follows every link within the site, which must all begin with root.
func crawl(t *testing.T, s *site, start, root string) map[string]bool {
	t.Helper()
	seen, queue := map[string]bool{start: true}, []string{start}
	for len(queue) > 0 {
		page := queue[0]
		queue = queue[1:]
		w := s.get(page)
		if w.Code != 200 {
			t.Errorf("%s: status %d", page, w.Code)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		links := values(t, w, "a", "href")
		links = append(links, values(t, w, "link", "href")...)
		for _, link := range append(links, values(t, w, "form", "action")...) {
			if strings.HasPrefix(link, "http") || strings.HasPrefix(link, "#") {
				continue
			}
			if !strings.HasPrefix(link, root) {
				t.Errorf("%s links to %s, which is not below %s", page, link, root)
			}
			if !seen[link] {
				seen[link] = true
				queue = append(queue, link)
			}
		}
	}
	return seen
}

func TestElsewhereHostedPosts(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) {
		c.SiteURL, c.HostsPosts = "https://blog.example", false
	})
	if w := s.get("/posts/immutable-servers/"); w.Code != 404 {
		t.Errorf("a post of another host: status %d", w.Code)
	}
	links := values(t, s.get("/"), "a", "href")
	if got := strings.Join(links, " "); !strings.Contains(got, "https://blog.example/posts/immutable-servers/") {
		t.Errorf("the front page does not link to the posts: %s", got)
	}
}

func TestWhileStarting(t *testing.T) {
	for name, set := range map[string]*publish.Set{"no set": nil, "an empty set": {}} {
		s := newSite(t, func(_ *web.Config, d *web.Deps) {
			d.Snapshot = func() *catalog.Snapshot { return nil }
			d.Set = func() *publish.Set { return set }
		})
		for _, path := range []string{"/", "/feeds/", "/feed.xml", "/posts/immutable-servers/", "/tags/cpp/"} {
			w := s.get(path)
			if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: status %d, headers %v", name, path, w.Code, w.Header())
			}
		}
		if w := s.get("/healthz"); w.Code != 200 {
			t.Errorf("%s, /healthz: status %d", name, w.Code)
		}
	}
}

func TestBadConfiguration(t *testing.T) {
	for _, bad := range []string{"", "example.org", "/news", "http://[::1"} {
		if _, err := web.New(web.Config{SiteURL: base, BaseURL: bad}, web.Deps{}); err == nil || !strings.Contains(err.Error(), "http.url") {
			t.Errorf("http.url %q: error %v", bad, err)
		}
	}
}

func TestPanic(t *testing.T) {
	s := newSite(t, func(_ *web.Config, d *web.Deps) {
		d.Render = func(context.Context, *catalog.Entry) (string, error) { panic("no such heading") }
	})
	w := s.get("/posts/immutable-servers/")
	if w.Code != 500 || strings.Contains(w.Body.String(), "no such heading") || !strings.Contains(w.Body.String(), "Something went wrong") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
		t.Errorf("an error may be kept: %v", w.Header())
	}
	if n := strings.Count(s.log.String(), "level=ERROR"); n != 1 || !strings.Contains(s.log.String(), "no such heading") {
		t.Errorf("%d lines of error in the log:\n%s", n, s.log)
	}
}

func TestLogHasNoTokens(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/confirm/s3cret", "/confirm/s3cret/", "//confirm//s3cret", "/unsubscribe/s3cret", "/unsubscribe/s3cret/x", "/preferences/s3cret"} {
		s.get(path)
		s.do(request("POST", path))
	}
	s.people.err = fmt.Errorf("disk: %w", store.ErrUnwritable)
	if w := s.do(request("POST", "/confirm/s3cret")); w.Code != 503 {
		t.Errorf("an unwritable database: status %d", w.Code)
	}
	if log := s.log.String(); strings.Contains(log, "s3cret") || !strings.Contains(log, "/confirm/…") {
		t.Errorf("log:\n%s", log)
	}
}

func TestClientInLog(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for _, c := range []struct{ peer, forwarded, want string }{
		{"127.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:1", "6.6.6.6, 203.0.113.9, 10.1.1.1", "203.0.113.9"},
		{"127.0.0.1:1", "6.6.6.6, nonsense", "unknown"},
		{"127.0.0.1:1", "6.6.6.6, 203.0.113.9:4711", "203.0.113.9"},
		{"127.0.0.1:1", "6.6.6.6, [2001:db8::1]", "2001:db8::1"},
		{"127.0.0.1:1", "[2001:db8::1]:443, 10.1.1.1:80", "2001:db8::1"},
		{"127.0.0.1:1", "", "127.0.0.1"},
		{"203.0.113.7:1", "6.6.6.6", "203.0.113.7"},
		{"[::ffff:203.0.113.7]:1", "6.6.6.6", "203.0.113.7"},
	} {
		s.log.Reset()
		s.get("/healthz", header("X-Forwarded-For", c.forwarded), func(r *http.Request) { r.RemoteAddr = c.peer })
		if !strings.Contains(s.log.String(), "client="+c.want+"\n") {
			t.Errorf("peer %s, forwarded for %q: %s", c.peer, c.forwarded, s.log)
		}
	}
}
