package web_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/internal/post"
)

func TestDocumentHeaders(t *testing.T) {
	s := newSite(t)
	for path, mediaType := range map[string]string{
		"/feed.xml":                   "application/rss+xml; charset=utf-8",
		"/feed":                       "application/rss+xml; charset=utf-8",
		"/categories/devops/atom.xml": "application/atom+xml; charset=utf-8",
		"/tags/cpp/feed.json":         "application/feed+json; charset=utf-8",
		"/feeds.opml":                 s.set.OPML.MediaType,
	} {
		w := s.get(path)
		doc := s.set.Lookup(path)
		for name, want := range map[string]string{
			"Content-Type":                  mediaType,
			"ETag":                          doc.ETag(),
			"Last-Modified":                 "Mon, 07 Apr 2025 12:00:00 GMT",
			"Cache-Control":                 "public, max-age=900, stale-while-revalidate=3600, stale-if-error=604800",
			"Vary":                          "Accept-Encoding, A-IM, Sec-Fetch-Dest",
			"Access-Control-Allow-Origin":   "*",
			"Access-Control-Expose-Headers": "ETag, Last-Modified, IM, Delta-Base, Link",
			"Content-Security-Policy":       "default-src 'none'; style-src 'self'; img-src *; sandbox",
			"Content-Encoding":              "",
			"Accept-Ranges":                 "",
			"Set-Cookie":                    "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if !bytes.Equal(w.Body.Bytes(), doc.Bytes()) {
			t.Errorf("%s: not the bytes of the document", path)
		}
	}
}

func TestConditional(t *testing.T) {
	s := newSite(t)
	tag := strings.Trim(s.set.Lookup("/feed.xml").ETag(), `"`)
	const (
		modified = "Mon, 07 Apr 2025 12:00:00 GMT"
		older    = "Mon, 07 Apr 2025 11:59:59 GMT"
		newer    = "Tue, 01 Jan 2030 00:00:00 GMT"
	)
	for _, c := range []struct {
		noneMatch, since string
		status           int
	}{
		{"", "", 200},
		{`"` + tag + `"`, "", 304},
		{`W/"` + tag + `"`, "", 304},
		{`"` + tag + `-gzip"`, "", 304},
		{`"` + tag + `--gzip"`, "", 304},
		{`W/"` + tag + `-br"`, "", 304},
		{`"` + tag + `-zstd"`, "", 304},
		{`"` + tag + `"-gzip`, "", 304},
		{`"x", W/"y" ,"` + tag + `"`, "", 304},
		{`"a,b", "` + tag + `"`, "", 304},
		{`,, "` + tag + `"`, "", 304},
		{tag, "", 304},
		{"*", "", 304},
		{`"other"`, "", 200},
		{`"` + tag[1:] + `"`, "", 200},
		{`"other"`, newer, 200}, // the tag decides alone
		{`"` + tag + `"`, older, 304},
		{`"` + tag, "", 304}, // never closed
		{`W/`, "", 200},
		{`"`, "", 200},
		{"", modified, 304},
		{"", newer, 304},
		{"", older, 200},
		{"", "yesterday", 200},
		{"", "Monday, 07-Apr-25 12:00:00 GMT", 304},
	} {
		for _, coding := range []string{"", "gzip"} {
			r := request("GET", "/feed.xml", header("Accept-Encoding", coding))
			if c.noneMatch != "" {
				r.Header.Set("If-None-Match", c.noneMatch)
			}
			if c.since != "" {
				r.Header.Set("If-Modified-Since", c.since)
			}
			checkConditional(t, s, s.do(r), c.status, c.noneMatch+" "+c.since+" "+coding)
		}
	}
}

// checkConditional checks that a 304 is empty and repeats what it must (RFC
// 9110 §15.4.5).
func checkConditional(t *testing.T, s *site, w *httptest.ResponseRecorder, status int, what string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%s: status %d, want %d", what, w.Code, status)
	}
	for _, name := range []string{"ETag", "Last-Modified", "Cache-Control", "Vary"} {
		if w.Header().Get(name) == "" {
			t.Errorf("%s: status %d has no %s", what, w.Code, name)
		}
	}
	if w.Code == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Encoding") != "") {
		t.Errorf("%s: 304 with a body", what)
	}
}

func TestGzipOfTheNextSet(t *testing.T) {
	s := newSite(t)
	accept := header("Accept-Encoding", "gzip")
	first := s.get("/feed.xml", accept)
	s.set = newSiteOf(t, samplePosts()[3:]).set
	second := s.get("/feed.xml", accept)
	if second.Header().Get("ETag") == first.Header().Get("ETag") || bytes.Equal(first.Body.Bytes(), second.Body.Bytes()) {
		t.Error("the feed of the set before was served")
	}
}

func TestTinyDocumentsStayPlain(t *testing.T) {
	s := newSiteOf(t, []*post.Post{{Title: "x", Slug: "x", Published: noon}})
	doc := s.set.Lookup("/feed.json")
	if len(doc.Bytes()) >= 1024 {
		t.Fatalf("the sample has %d bytes", len(doc.Bytes()))
	}
	w := s.get("/feed.json", header("Accept-Encoding", "gzip"))
	if w.Header().Get("Content-Encoding") != "" || w.Header().Get("ETag") != doc.ETag() {
		t.Errorf("headers %v", w.Header())
	}
}

func TestFeedInBrowser(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/feed.xml": "application/xml; charset=utf-8", "/atom.xml": "application/xml; charset=utf-8",
		"/feeds.opml": "application/xml; charset=utf-8", "/feed.json": "application/json; charset=utf-8",
	} {
		reader, browser := s.get(path), s.get(path, header("Sec-Fetch-Dest", "document"))
		if got := browser.Header().Get("Content-Type"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if !bytes.Equal(reader.Body.Bytes(), browser.Body.Bytes()) {
			t.Errorf("%s: other bytes in a browser", path)
		}
	}
}

// What is not offered is ignored, not misunderstood.
func TestNoRangesNoDifferences(t *testing.T) {
	s := newSite(t)
	doc := s.set.Lookup("/feed.xml")
	w := s.get("/feed.xml", header("Range", "bytes=0-9"), header("A-IM", "feed"), header("If-None-Match", `"unknown"`))
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), doc.Bytes()) || w.Header().Get("IM") != "" {
		t.Errorf("status %d, %d bytes, headers %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestHead(t *testing.T) {
	srv := httptest.NewServer(newSite(t))
	defer srv.Close()
	for _, path := range []string{"/feed.xml", "/", "/assets/style.css", "/subscribe"} {
		get, head := fetch(t, srv, "GET", path), fetch(t, srv, "HEAD", path)
		for _, name := range []string{"Content-Length", "Content-Type", "ETag", "Last-Modified", "Cache-Control"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
				t.Errorf("%s: HEAD has %s %q, GET %q", path, name, got, want)
			}
		}
		if head.StatusCode != 200 || head.ContentLength <= 0 {
			t.Errorf("%s: HEAD status %d, length %d", path, head.StatusCode, head.ContentLength)
		}
	}
}

func fetch(t *testing.T, srv *httptest.Server, method, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func FuzzConditional(f *testing.F) {
	f.Add(`W/"a-gzip", "b"`, "Mon, 07 Apr 2025 12:00:00 GMT", "gzip;q=0.5, *")
	f.Add(`"`, "", ";;q=")
	f.Add(`W/W/"`, "x", ",,gzip")
	s := newSite(f)
	tag := s.set.Lookup("/feed.xml").ETag()
	f.Fuzz(func(t *testing.T, noneMatch, since, accept string) {
		w := s.get("/feed.xml", header("If-None-Match", noneMatch), header("If-Modified-Since", since), header("Accept-Encoding", accept))
		known := strings.Contains(noneMatch, strings.Trim(tag, `"`)) || strings.Contains(noneMatch, "*")
		if w.Code == 304 && !known {
			t.Errorf("If-None-Match %q gave 304", noneMatch)
		}
		if w.Code != 200 && w.Code != 304 {
			t.Errorf("status %d", w.Code)
		}
	})
}
