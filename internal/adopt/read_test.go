package adopt_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/adopt"
)

const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title><link>https://example.org/</link><description>d</description>%s
<item><title>A</title><link>https://example.org/a/</link><guid isPermaLink="false"> 17 at https://example.org </guid><pubDate>Thu, 01 Jan 2026 12:00:00 +0000</pubDate></item>
<item><title>B</title><link>https://example.org/b/</link></item></channel></rss>`

const atom = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>x</id><updated>2026-01-01T00:00:00Z</updated>%s
<entry><title>C</title><id>tag:x,2026:c</id><link href="https://example.org/c/"/><published>2026-01-03T00:00:00Z</published><updated>2026-01-09T00:00:00Z</updated></entry></feed>`

func TestReadFollowsOlderPages(t *testing.T) {
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/feed.xml":
			fmt.Fprintf(w, rss, `<atom:link rel="prev-archive" href="/2025"/><atom:link rel="next" href="/never"/>`)
		case "/2025":
			fmt.Fprintf(w, atom, `<link rel="next" href="/json"/>`)
		case "/json":
			fmt.Fprintf(w, `{"version":"https://jsonfeed.org/version/1.1","title":"T","next_url":"%s/feed.xml","items":[{"id":"j1","url":"https://example.org/j/","title":"J","content_text":"x"},{"id":"tag:x,2026:c","content_text":"again"}]}`, srv.URL)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	feed, err := adopt.Read(context.Background(), srv.URL+"/feed.xml")
	entries := feed.Entries
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	if want := []string{"17 at https://example.org", "https://example.org/b/", "tag:x,2026:c", "j1"}; !slices.Equal(ids, want) {
		t.Errorf("ids %q, want %q", ids, want)
	}
	if entries[0].Published.IsZero() || entries[2].Link != "https://example.org/c/" {
		t.Errorf("entries %+v", entries)
	}
	for _, path := range []string{"/none", "/2025x"} {
		if _, err := adopt.Read(context.Background(), srv.URL+path); err == nil || !strings.Contains(err.Error(), "404") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestReadFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "feed.xml")
	for text, want := range map[string]int{fmt.Sprintf(rss, `<atom:link rel="next" href="/etc/passwd"/>`): 2, "<html><body>no feed</body></html>": -1, "": -1, "{": -1} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		feed, err := adopt.Read(context.Background(), file)
		entries := feed.Entries
		if (err != nil) != (want < 0) || err == nil && len(entries) != want {
			t.Errorf("%.20q: %d entries, %v", text, len(entries), err)
		}
	}
	if _, err := adopt.Read(context.Background(), file+"x"); err == nil {
		t.Error("a file that is not there is read")
	}
}

// TestIDs holds ids, links and dates to what the document says, byte for byte.
func TestIDs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "feed.xml")
	for name, c := range map[string]struct{ text, want string }{
		"RSS": {`<rss version="2.0" xml:base="https://b.example/"><channel><title>T</title><item><title>A</title>
			<guid isPermaLink="true">https://x.example/?p=1&amp;q=ü&amp;amp;r</guid><link>https://x.example/1</link><pubDate>Fri, 02 Jan 2026 09:00:00 +0100</pubDate></item></channel></rss>`,
			`https://x.example/?p=1&q=ü&amp;r https://x.example/1 2026-01-02T08:00:00Z`},
		"CDATA": {`<rss version="2.0"><channel><title>T</title><item><guid><![CDATA[a&amp;b]]></guid><link>https://x.example/1</link></item></channel></rss>`,
			`a&amp;b https://x.example/1 0001-01-01T00:00:00Z`},
		"a feed of FeedBurner": {`<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><title>T</title><item><guid>1</guid><link>https://proxy.example/~r/1</link>
			<feedburner:origLink>https://x.example/1</feedburner:origLink></item></channel></rss>`,
			`1 https://x.example/1 0001-01-01T00:00:00Z`},
		"RSS 1.0, in Latin-1": {`<?xml version="1.0" encoding="iso-8859-1"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
			<channel rdf:about="https://x.example/"><title>T</title></channel>` + "<item rdf:about=\"https://x.example/caf\xe9\">" + `<title>A</title><link>https://x.example/1</link><dc:date>2026-01-02T09:00:00+01:00</dc:date></item></rdf:RDF>`,
			`https://x.example/café https://x.example/1 2026-01-02T08:00:00Z`},
		"Atom with a base and a source": {`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://x.example/"><title>T</title><entry><title>A</title><source><id>other</id></source>
			<id> https://x.example/ü/../a b </id><link href="1"/><published>2026-01-02T08:00:00Z</published><updated>2026-01-09T00:00:00Z</updated></entry></feed>`,
			`https://x.example/ü/../a b https://x.example/1 2026-01-02T08:00:00Z`},
		"Atom that was only updated": {`<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><id>urn:1</id><link href="https://x.example/1"/><updated>2026-01-09T00:00:00Z</updated></entry></feed>`,
			`urn:1 https://x.example/1 0001-01-01T00:00:00Z`},
		"JSON with a number": {`{"version":"https://jsonfeed.org/version/1","items":[{"id":17,"url":"https://x.example/1","date_published":"2026-01-02T08:00:00Z"}]}`,
			`17 https://x.example/1 2026-01-02T08:00:00Z`},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		feed, err := adopt.Read(context.Background(), file)
		entries := feed.Entries
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v, %v", name, entries, err)
			continue
		}
		e := entries[0]
		if got := e.ID + " " + e.Link + " " + e.Published.UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// WordPress shows ten posts, and does not say where the others are.
func TestReadFollowsWordPress(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("paged")
		if page == "3" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>T</title><generator>https://wordpress.org/?v=6.8</generator><item><title>A</title><guid>%s?p=%s</guid></item></channel></rss>`, r.URL.Path, page)
	}))
	defer srv.Close()
	feed, err := adopt.Read(context.Background(), srv.URL+"/feed/")
	entries := feed.Entries
	if err != nil || len(entries) != 2 || entries[1].ID != "/feed/?p=2" || feed.Shown != 1 {
		t.Errorf("entries %v, %v", entries, err)
	}
}

func TestReadFindsAnEnd(t *testing.T) {
	n, slow := 0, false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `{"version":"https://jsonfeed.org/version/1.1","next_url":"?%d","items":[{"id":"%d"}]}`, n, n)
		if slow {
			<-r.Context().Done()
		}
	}))
	defer srv.Close()
	if _, err := adopt.Read(context.Background(), srv.URL); err == nil || !strings.Contains(err.Error(), "no end after 1000 pages") {
		t.Errorf("a feed without an end: %v", err)
	}
	slow = true
	ctx, cancel := context.WithCancel(context.Background())
	go func() { cancel() }()
	if _, err := adopt.Read(ctx, srv.URL); err == nil {
		t.Error("a server that does not end its answer is waited for")
	}
	for _, source := range []string{"ftp://example.org/feed", "http://", "gopher://x"} {
		if _, err := adopt.Read(context.Background(), source); err == nil || !strings.Contains(err.Error(), "neither a file nor an address") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(rss, "")))
	f.Add([]byte(fmt.Sprintf(atom, `<link rel="next" href="?2"/>`)))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1.1","items":[{}]}`))
	f.Add([]byte(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><item rdf:about=" x "/></rdf:RDF>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := adopt.Parse(b, "https://example.org/feed")
		for _, e := range entries {
			if err != nil || e.ID != strings.TrimSpace(e.ID) {
				t.Errorf("entry %+v, %v", e, err)
			}
		}
	})
}

// FuzzAddress: what was put into the form in which links are compared is in it.
func FuzzAddress(f *testing.F) {
	f.Add("http://WWW.example.org/%C3%BC/index.html?b=1&a=2&utm_x=3")
	f.Add("https://example.org//a/../b.html/")
	f.Fuzz(func(t *testing.T, link string) {
		host, at := adopt.Address(link)
		if host == "" {
			return
		}
		if !strings.HasPrefix(at, "/") || at != "/" && strings.HasSuffix(at, "/") {
			t.Errorf("%q has the path %q", link, at)
		}
	})
}
