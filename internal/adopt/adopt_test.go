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
	"tidings/internal/catalog"
	"tidings/internal/post"
)

func postAt(path, title string, day int, aliases ...string) *catalog.Entry {
	when := time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC)
	return &catalog.Entry{
		Post: &post.Post{File: strings.Trim(path, "/") + ".md", Title: title, Aliases: aliases},
		ID:   "tag:example.org,2026:" + path, Path: path, URL: "https://example.org" + path, Published: when,
	}
}

func TestMatch(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 23, 0, 0, 0, time.UTC) }
	posts := []*catalog.Entry{
		postAt("/a/", "A", 1), postAt("/b/", "B", 2, "/old/b.html"), postAt("/c/", "C", 3), postAt("/d/", "Notes", 4),
		postAt("/e/", "Notes", 5), postAt("/f/", "Unique title", 6), postAt("/g/", "G", 7), postAt("/h/", "H", 8), postAt("/i/", "I", 9),
		postAt("/j/", "J", 10),
	}
	posts[6].GUID = "explicit" // g
	posts[6].ID = "explicit"
	posts[7].ID = "same" // h
	r := adopt.Match([]adopt.Entry{
		{ID: "1", Link: "http://www.example.org/a/index.html", Title: "Renamed since"},
		{ID: "2", Link: "https://example.org/old/b.html"},
		{ID: "3", Link: "https://elsewhere.example/c"},
		{ID: "4", Link: "https://example.org/?p=4", Title: "notes", Published: day(3)}, // in another zone
		{ID: "5", Link: "https://example.org/?p=5", Title: "Notes", Published: day(30)},
		{ID: "6", Link: "https://example.org/x", Title: " Unique  Title "},
		{ID: "7", Link: "https://example.org/g/"},
		{ID: "same", Link: "https://example.org/h/"},
		{ID: "explicit", Link: "https://example.org/i/"},
		{ID: "unknown", Link: "https://example.org/", Title: "Home"},
	}, posts)
	list := func(pairs []adopt.Pair) (s []string) {
		for _, p := range pairs {
			s = append(s, p.Entry.ID+"="+p.Post.Path)
		}
		slices.Sort(s)
		return s
	}
	for name, c := range map[string]struct{ got, want []string }{
		"new":      {list(r.New), []string{"1=/a/", "2=/b/", "3=/c/", "4=/d/", "6=/f/"}},
		"already":  {list(r.Already), []string{"same=/h/"}},
		"explicit": {list(r.Explicit), []string{"7=/g/"}},
		"taken":    {list(r.Taken), []string{"explicit=/i/"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	if len(r.Unknown) != 2 || r.Unknown[0].ID != "5" || len(r.Posts) != 2 || r.Posts[0].Path != "/e/" || r.Posts[1].Path != "/j/" {
		t.Errorf("unknown %+v, posts without an entry %v", r.Unknown, r.Posts)
	}
}

// Two posts may change ids; what a third one keeps is not taken from it.
func TestIdsMayChangeHands(t *testing.T) {
	a, b, c := postAt("/a/", "A", 1), postAt("/b/", "B", 2), postAt("/c/", "C", 3)
	r := adopt.Match([]adopt.Entry{
		{ID: b.ID, Link: a.URL}, {ID: a.ID, Link: b.URL},
	}, []*catalog.Entry{a, b, c})
	if len(r.New) != 2 || len(r.Taken) != 0 {
		t.Errorf("two that change: %+v", r)
	}
	r = adopt.Match([]adopt.Entry{{ID: c.ID, Link: a.URL}, {ID: a.ID, Link: b.URL}}, []*catalog.Entry{a, b, c})
	if len(r.New) != 0 || len(r.Taken) != 2 {
		t.Errorf("a chain to one that stays: %+v", r)
	}
}

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
	entries, err := adopt.Read(context.Background(), srv.URL+"/feed.xml")
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
		entries, err := adopt.Read(context.Background(), file)
		if (err != nil) != (want < 0) || err == nil && len(entries) != want {
			t.Errorf("%.20q: %d entries, %v", text, len(entries), err)
		}
	}
	if _, err := adopt.Read(context.Background(), file+"x"); err == nil {
		t.Error("a file that is not there is read")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(rss, "")))
	f.Add([]byte(fmt.Sprintf(atom, "")))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1.1","items":[{}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(dir, "feed")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := adopt.Read(context.Background(), file)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.ID == "" {
				t.Errorf("an entry without an id: %+v", e)
			}
		}
	})
}
