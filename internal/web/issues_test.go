package web_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"tidings/internal/newsletter"
	"tidings/internal/store"
	"tidings/internal/web"
)

// issues is newsletter.Archive in memory, of the newsletter "weekly".
type issues struct {
	total int
	gone  bool
}

func (a *issues) PastIssues(_ context.Context, name string, skip, limit int) (newsletter.PastIssues, error) {
	if name != "weekly" || a.gone {
		return newsletter.PastIssues{}, newsletter.ErrIssue
	}
	p := newsletter.PastIssues{Title: "Weekly <digest>", Total: a.total}
	for i := a.total - skip; i > 0 && len(p.Issues) < limit; i-- {
		p.Issues = append(p.Issues, newsletter.Issue{
			ID: int64(i), Permanent: fmt.Sprintf("tag:old.example,2025-01-01:/newsletters/weekly/%d/", i),
			Date: noon.AddDate(0, 0, i-a.total), Subject: fmt.Sprintf("Issue %d & more", i), Posts: 2,
			Content: []store.Content{
				{Title: "A <b> post", URL: "https://blog.example/a/?x=1&y=2", Summary: "<script>alert(1)</script>"},
				{Summary: "No title", URL: "javascript:alert(1)"},
			},
		})
	}
	return p, nil
}

func (a *issues) Issue(_ context.Context, name, which string) (newsletter.IssuePage, error) {
	switch {
	case name != "weekly":
	case which == "7":
		return newsletter.IssuePage{Newsletter: name, HTML: []byte("<!doctype html><p>Seven" + strings.Repeat(" ", 2000)), Text: []byte("Seven")}, nil
	case which == "secret":
		return newsletter.IssuePage{Newsletter: name, Canonical: 7, HTML: []byte("<!doctype html><p>Seven of a reader")}, nil
	case which == "plain":
		return newsletter.IssuePage{Newsletter: name, Text: []byte("Seven\n<script>")}, nil
	}
	return newsletter.IssuePage{}, newsletter.ErrIssue
}

func archive(a *issues) options {
	return func(c *web.Config, d *web.Deps) {
		c.Newsletters[0].Archive, d.Archive = true, a
	}
}

func TestIssues(t *testing.T) {
	s := newSite(t, archive(&issues{total: 45}))
	w := s.get("/newsletters/weekly/")
	page := w.Body.String()
	for _, want := range []string{
		"Weekly &lt;digest&gt;", "45 issues", `<a href="/newsletters/weekly/45/">Issue 45 &amp; more</a>`, "A &lt;b&gt; post",
		`href="/newsletters/weekly/?page=2"`, `href="/newsletters/weekly/feed.xml"`, `href="/subscribe"`,
		`<link rel="alternate" type="application/atom&#43;xml" title="Weekly &lt;digest&gt; (Atom)" href="` + base + `/newsletters/weekly/atom.xml">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %s", want)
		}
	}
	if w.Code != 200 || w.Header().Get("ETag") == "" || strings.Contains(page, "noindex") {
		t.Errorf("status %d, ETag %q", w.Code, w.Header().Get("ETag"))
	}
	last := s.get("/newsletters/weekly/?page=3").Body.String()
	if !strings.Contains(last, "Issue 1 &amp; more") || strings.Contains(last, "page=4") {
		t.Error("the last screen is not the end")
	}
	for _, path := range []string{"/newsletters/weekly/?page=4", "/newsletters/weekly/?page=0", "/newsletters/weekly/?page=x", "/newsletters/none/", "/newsletters/weekly/8/", "/newsletters/none/feed.xml", "/newsletters/none/unsent/"} {
		if w := s.get(path); w.Code != 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if w := s.get("/newsletters/weekly"); w.Code != 301 || w.Header().Get("Location") != "/newsletters/weekly/" {
		t.Errorf("without a slash: %d %s", w.Code, w.Header().Get("Location"))
	}
	if !strings.Contains(s.get("/feeds/").Body.String(), `href="/newsletters/weekly/"`) {
		t.Error("the directory does not lead there")
	}
	if empty := newSite(t, archive(&issues{})).get("/newsletters/weekly/"); empty.Code != 200 || !strings.Contains(empty.Body.String(), "Nothing has been mailed yet") {
		t.Errorf("of none: %d", empty.Code)
	}
	for _, bare := range []*site{newSite(t), newSite(t, archive(&issues{gone: true}))} {
		for _, path := range []string{"/newsletters/weekly/", "/newsletters/weekly/feed.xml", "/newsletters/weekly/unsent/"} {
			if w := bare.get(path); w.Code != 404 {
				t.Errorf("without an archive, %s: %d", path, w.Code)
			}
		}
	}
}

func TestIssue(t *testing.T) {
	s := newSite(t, archive(&issues{total: 7}))
	w := s.get("/newsletters/weekly/7/")
	h := w.Header()
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "<!doctype html><p>Seven") || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %s", w.Code, h.Get("Content-Type"))
	}
	csp := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "sandbox ") || strings.Contains(csp, "script") || strings.Contains(csp, "allow-same-origin") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	if h.Get("X-Robots-Tag") != "" || h.Get("Cross-Origin-Opener-Policy") != "" || !strings.HasPrefix(h.Get("Cache-Control"), "public") {
		t.Errorf("header %v", h)
	}
	if again := s.get("/newsletters/weekly/7/", header("If-None-Match", h.Get("ETag"))); again.Code != 304 {
		t.Errorf("asked again: %d", again.Code)
	}
	if post := s.do(request("POST", "/newsletters/weekly/7/")); post.Code != 405 {
		t.Errorf("POST: %d", post.Code)
	}
	own := s.get("/newsletters/weekly/secret/").Header()
	if own.Get("X-Robots-Tag") != "noindex" || own.Get("Referrer-Policy") != "no-referrer" || own.Get("Link") != "<"+base+`/newsletters/weekly/7/>; rel="canonical"` {
		t.Errorf("of a mail: %v", own)
	}
	plain := s.get("/newsletters/weekly/plain/")
	if plain.Header().Get("Content-Type") != "text/plain; charset=utf-8" || plain.Header().Get("X-Content-Type-Options") != "nosniff" || plain.Body.String() != "Seven\n<script>" {
		t.Errorf("a mail without HTML: %v", plain.Header())
	}
	unsent := s.get("/newsletters/weekly/unsent/")
	if unsent.Code != 200 || !strings.Contains(unsent.Body.String(), "a test or a preview") || unsent.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a test copy: %d", unsent.Code)
	}
}

func TestIssueFeeds(t *testing.T) {
	s := newSite(t, archive(&issues{total: 45}))
	for _, file := range []string{"feed.xml", "atom.xml", "feed.json"} {
		w := s.get("/newsletters/weekly/" + file)
		if w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
			t.Fatalf("%s: %d %v", file, w.Code, w.Header())
		}
		f, err := gofeed.NewParser().ParseString(w.Body.String())
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if f.Title != "Field Notes: Weekly <digest>" || f.Link != base+"/newsletters/weekly/" || len(f.Items) != 20 {
			t.Errorf("%s: %q at %s with %d entries", file, f.Title, f.Link, len(f.Items))
		}
		first := f.Items[0]
		if first.Title != "Issue 45 & more" || first.Link != base+"/newsletters/weekly/45/" || first.GUID != "tag:old.example,2025-01-01:/newsletters/weekly/45/" || !first.PublishedParsed.Equal(noon) {
			t.Errorf("%s: %q at %s, %s", file, first.Title, first.Link, first.GUID)
		}
		if c := first.Content; strings.Contains(c, "<script>") || strings.Contains(c, "javascript:") || !strings.Contains(c, `<a href="https://blog.example/a/?x=1&amp;y=2">A &lt;b&gt; post</a>`) {
			t.Errorf("%s: %s", file, c)
		}
		if again := s.get("/newsletters/weekly/"+file, header("If-None-Match", w.Header().Get("ETag"))); again.Code != 304 {
			t.Errorf("%s again: %d", file, again.Code)
		}
		if w := s.do(request(http.MethodOptions, "/newsletters/weekly/"+file)); w.Code != 204 {
			t.Errorf("%s preflight: %d", file, w.Code)
		}
		if file != "feed.json" {
			if err := xml.Unmarshal(w.Body.Bytes(), new(struct{})); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
