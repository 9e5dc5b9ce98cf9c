package feed_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"tidings/internal/feed"
)

var formats = []feed.Format{feed.RSS, feed.Atom, feed.JSON}

var self = feed.Self{
	feed.RSS:  "https://feeds.example.org/notes/feed.xml",
	feed.Atom: "https://feeds.example.org/notes/atom.xml",
	feed.JSON: "https://feeds.example.org/notes/feed.json",
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// empty is a feed of a site that has no posts yet.
func empty() feed.Feed {
	return feed.Feed{
		ID: "urn:uuid:5c2b3c1e-0000-5000-8000-000000000000", Title: "Field Notes",
		SiteURL: "https://example.org/", Language: "en", Generator: "tidings",
	}
}

// blog is an ordinary feed: one edited post with everything, one untitled
// note, one post in another language, one that gives its summary alone.
func blog() feed.Feed {
	d := empty()
	d.Description = "Notes on R&D & <the rest>"
	d.Author = feed.Person{Name: "Ada Writer", Email: "ada@example.org", URL: "https://example.org/ada"}
	d.Icon = "https://example.org/icon.png"
	d.Entries = []feed.Entry{
		{
			ID: "tag:example.org,2026-03-01:/posts/at-and-t/", URL: "https://example.org/posts/at-and-t/",
			Title: "AT&T <T> says &amp;", Summary: "Why 1 < 2 & \"so on\".",
			HTML:      "<p>One &lt; two.\nLine two</p>",
			Published: at("2026-03-01T09:30:00.123+01:00"), Updated: at("2026-04-02T10:00:00+02:00"),
			Authors: []feed.Person{{Name: "Bo"}, {Name: "Cy", Email: "cy@example.org", URL: "https://cy.example.org/"}},
			Categories: []feed.Category{
				{Name: "R&D", Scheme: "https://example.org/categories/r-and-d/"},
				{Name: "go", Scheme: "https://example.org/categories/go/"},
				{Name: "go", Scheme: "https://example.org/tags/go/"},
			},
			Image:     feed.Image{URL: "https://example.org/a b.png", Alt: "A <b> & \"c\"", Width: 1200, Height: 630},
			Enclosure: feed.Enclosure{URL: "https://example.org/épisode 1.mp3", Length: 61231442, Duration: 3778482 * time.Millisecond},
			Comments:  "https://example.org/posts/at-and-t/#comments",
		},
		{
			ID: "tag:example.org,2026-02-01:/note/", URL: "https://example.org/note/",
			Summary:   "A note without a title, long enough that its beginning has to do as the title of it.",
			HTML:      "<p>A note without a title, long enough that its beginning has to do as the title of it.</p>",
			Published: at("2026-02-01T00:00:00Z"), Updated: at("2026-02-01T00:00:00Z"),
		},
		{
			ID: "tag:example.org,2026-01-01:/ar/", URL: "https://example.org/ar/مرحبا/",
			Title: "مرحبا", HTML: "<p>مرحبا بالعالم</p>", Language: "ar",
			Published: at("2026-01-01T12:00:00Z"), Updated: at("2026-01-01T12:00:00Z"),
		},
		{
			ID: "https://example.org/?p=7", URL: "https://example.org/old/",
			Title: "Only a summary", Summary: "Read on at the site.",
			Published: at("2025-12-01T12:00:00Z"), Updated: at("2025-12-01T12:00:00Z"),
		},
	}
	return d
}

// hostile has in it what breaks naive encoders; its last entry is sound.
func hostile() feed.Feed {
	d := empty()
	d.Title = "Bad\x00 \x1bTitle\r\n]]>"
	d.Language = "no such language"
	d.Author = feed.Person{Name: " ", Email: "not an address"}
	d.Entries = []feed.Entry{
		{ID: "id-\x0c1", URL: "https://example.org/\x00one", Title: "\ufeffForm\x0c feed\x08", HTML: "<p>a\x0cb\x0b</p>"},
		{ID: "id-2", URL: "https://example.org/two", Title: "Broken \xff\xfe UTF-8", HTML: "<p>\xc3(</p>", Summary: "\xed\xa0\x80"},
		{ID: "id-3", URL: "https://example.org/three", Title: "]]>", HTML: "<p>]]></p><![CDATA[ x ]]>", Summary: "]]>"},
		{ID: "id-4", URL: "https://example.org/four", Title: "</title><script>x</script>", HTML: "<p>\ufffe\uffff\U0001f600</p>"},
		{ID: "id-5", URL: "https://example.org/five", Title: "Year 12026", Published: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: "id-6", URL: "https://example.org/six", Title: "\r\n\t ", HTML: "a\r\nb\rc"},
		{URL: "javascript:\"x\" <y>", Title: "No id"},
		{ID: "id-8", URL: "https://example.org/zone", Title: "Odd zone", Published: time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 99*3600+7))},
		{},
		{
			ID: "urn:sound", URL: "https://example.org/sound/", Title: "Sound", Summary: "Untouched.", HTML: "<p>Untouched.</p>",
			Published: at("2026-01-02T03:04:05Z"), Updated: at("2026-01-02T03:04:05Z"),
		},
	}
	return d
}

// persian is a feed written from right to left, with one entry that is not.
func persian() feed.Feed {
	d := empty()
	d.Title, d.Language = "یادداشت\u200cها", "fa_IR"
	d.Entries = []feed.Entry{
		{ID: "fa", URL: "https://example.org/fa/", Title: "سلام", HTML: "<p>سلام</p>", Published: at("2026-01-02T00:00:00+03:30")},
		{ID: "en", URL: "https://example.org/en/", Title: "Hello", HTML: "<p>Hello</p>", Language: "en", Published: at("2026-01-01T00:00:00+03:30")},
	}
	return d
}

func cases() map[string]feed.Feed {
	return map[string]feed.Feed{"empty": empty(), "blog": blog(), "hostile": hostile(), "persian": persian()}
}

func encode(t testing.TB, f feed.Format, d feed.Feed) []byte {
	t.Helper()
	b, err := feed.Encode(f, d, self)
	if err != nil {
		t.Fatalf("encode %s: %v", f, err)
	}
	return b
}

// read parses the document as a feed reader would.
func read(t testing.TB, b []byte) *gofeed.Feed {
	t.Helper()
	parsed, err := gofeed.NewParser().Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("a reader cannot parse this: %v\n%s", err, b)
	}
	return parsed
}

// wellFormed fails the test unless b is XML or JSON without a fault.
func wellFormed(t testing.TB, f feed.Format, b []byte) {
	t.Helper()
	if f == feed.JSON {
		if !json.Valid(b) {
			t.Fatalf("not JSON:\n%s", b)
		}
		return
	}
	wellFormedXML(t, b)
}

func wellFormedXML(t testing.TB, b []byte) {
	t.Helper()
	if !bytes.HasPrefix(b, []byte(xml.Header)) {
		t.Fatalf("no XML header:\n%s", b)
	}
	for dec := xml.NewDecoder(bytes.NewReader(b)); ; {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, b)
		}
	}
}

func mustContain(t *testing.T, b []byte, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(string(b), part) {
			t.Errorf("missing %s in\n%s", part, b)
		}
	}
}

func mustLack(t *testing.T, b []byte, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(string(b), part) {
			t.Errorf("unwanted %s in\n%s", part, b)
		}
	}
}
