package feed_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/feed"
)

// TestExtensions guards against an embedded gorilla struct printing itself
// alone: then the documents would still parse, without any of these.
func TestExtensions(t *testing.T) {
	t.Run("rss", func(t *testing.T) {
		b := encode(t, feed.RSS, blog())
		mustContain(t, b,
			`<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"`,
			`<atom:link rel="self" type="application/rss+xml" href="https://feeds.example.org/notes/feed.xml"></atom:link>`,
			`<atom:link rel="alternate" type="text/html" href="https://example.org/"></atom:link>`,
			`<managingEditor>ada@example.org (Ada Writer)</managingEditor>`,
			`<generator>tidings</generator>`,
			`<language>en</language>`,
			`<guid isPermaLink="false">https://example.org/?p=7</guid>`,
			`<dc:creator>Bo</dc:creator>`, `<dc:creator>Cy</dc:creator>`, `<dc:creator>Ada Writer</dc:creator>`,
			`<dc:language>ar</dc:language>`,
			`<category domain="https://example.org/categories/r-and-d/">R&amp;D</category>`,
			`<content:encoded><![CDATA[<p>One &lt; two.`,
			`<media:content url="https://example.org/a%20b.png" type="image/png" medium="image" width="1200" height="630">`,
			`<media:description type="plain">A &#x3C;b&#x3E; &#x26; "c"</media:description>`,
			`<media:thumbnail url="https://example.org/a%20b.png" width="1200" height="630"></media:thumbnail>`,
			`<enclosure url="https://example.org/%C3%A9pisode%201.mp3" length="61231442" type="audio/mpeg"></enclosure>`,
			`<comments>https://example.org/posts/at-and-t/#comments</comments>`,
			`<description>Notes on R&amp;D &amp; &lt;the rest&gt;</description>
    </image>`,
			`<title>AT&#x26;T &#x3C;T&#x3E; says &#x26;amp;</title>`,
			`<description><![CDATA[Why 1 &lt; 2 &amp; "so on".]]></description>`,
		)
		mustLack(t, b, "<title></title>", "<link></link>", "<description></description>", "<author>")
		if s := string(b); strings.Index(s, "<content:encoded>") < strings.Index(s[strings.Index(s, "<item>"):], "<description>") {
			t.Error("the content stands before the description")
		}
	})
	t.Run("atom", func(t *testing.T) {
		b := encode(t, feed.Atom, blog())
		mustContain(t, b,
			`<feed xml:lang="en" xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">`,
			`<id>urn:uuid:5c2b3c1e-0000-5000-8000-000000000000</id>`,
			`<link rel="self" type="application/atom+xml" href="https://feeds.example.org/notes/atom.xml"></link>`,
			`<link rel="alternate" type="text/html" href="https://example.org/"></link>`,
			`<subtitle type="text">Notes on R&amp;D &amp; &lt;the rest&gt;</subtitle>`,
			`<icon>https://example.org/icon.png</icon>`,
			`<generator>tidings</generator>`,
			`<title type="text">AT&amp;T &lt;T&gt; says &amp;amp;</title>`,
			`<title type="text">A note without a title, long enough that its beginning has…</title>`,
			`<published>2026-03-01T09:30:00+01:00</published>`,
			`<updated>2026-04-02T10:00:00+02:00</updated>`,
			`<name>Cy</name>`, `<uri>https://cy.example.org/</uri>`, `<email>cy@example.org</email>`,
			`<category term="R&amp;D" scheme="https://example.org/categories/r-and-d/" label="R&amp;D"></category>`,
			`<content type="html"><![CDATA[<p>One &lt; two.`,
			`<summary type="html">Why 1 &amp;lt; 2 &amp;amp; &#34;so on&#34;.</summary>`,
			`<summary type="text">Read on at the site.</summary>`,
			`<link rel="enclosure" type="audio/mpeg" length="61231442" href="https://example.org/%C3%A9pisode%201.mp3"></link>`,
			`<link rel="replies" type="text/html" href="https://example.org/posts/at-and-t/#comments"></link>`,
			`<entry xml:lang="ar">`,
			`<media:thumbnail url="https://example.org/a%20b.png" width="1200" height="630"></media:thumbnail>`,
		)
	})
	t.Run("json", func(t *testing.T) {
		b := encode(t, feed.JSON, blog())
		mustContain(t, b,
			`"feed_url": "https://feeds.example.org/notes/feed.json"`,
			`"icon": "https://example.org/icon.png"`,
			`"content_html": "<p>One &lt; two.\nLine two</p>"`,
			`"content_text": "Read on at the site."`,
			`"date_published": "2026-03-01T09:30:00+01:00"`,
			`"image": "https://example.org/a%20b.png"`,
			`"url": "https://example.org/%C3%A9pisode%201.mp3",`, `"mime_type": "audio/mpeg",`,
			`"size_in_bytes": 61231442,`, `"duration_in_seconds": 3778.482`,
			`"language": "ar"`,
			`"url": "https://cy.example.org/"`,
		)
		if n := strings.Count(string(b), `"go"`); n != 1 {
			t.Errorf("the name of a category and of a tag stands %d times among the tags", n)
		}
	})
}

func TestImageOfTheChannelNamesTheChannel(t *testing.T) {
	got := read(t, encode(t, feed.RSS, blog()))
	if got.Image == nil || got.Image.Title != got.Title || got.Image.URL != "https://example.org/icon.png" {
		t.Errorf("image %+v", got.Image)
	}
}

func TestOnlyAMailAddressIsAnEditor(t *testing.T) {
	for want, p := range map[string]feed.Person{
		"<managingEditor>ada@example.org (Ada)</managingEditor>": {Name: "Ada", Email: "ada@example.org"},
		"<managingEditor>ada@example.org</managingEditor>":       {Email: "ada@example.org"},
		"": {Name: "Ada", Email: "at home"},
	} {
		d := empty()
		d.Author = p
		b := encode(t, feed.RSS, d)
		if want == "" {
			mustLack(t, b, "managingEditor")
			mustLack(t, encode(t, feed.Atom, d), "at home")
		} else {
			mustContain(t, b, want)
		}
	}
}

func TestRightToLeft(t *testing.T) {
	for _, f := range formats {
		items := read(t, encode(t, f, persian())).Items
		for i, want := range []string{`<div lang="fa-IR" dir="rtl"><p>سلام</p></div>`, `<div lang="en" dir="ltr"><p>Hello</p></div>`} {
			if got := items[i].Content + items[i].Description; got != want {
				t.Errorf("%s: content %q, want %q", f, got, want)
			}
		}
	}
	if items := read(t, encode(t, feed.Atom, blog())).Items; strings.Contains(items[0].Content, "<div") {
		t.Errorf("left-to-right content got a wrapper: %q", items[0].Content)
	}
}

func TestAtomAlwaysHasAnAuthor(t *testing.T) {
	d := empty()
	mustContain(t, encode(t, feed.Atom, d), "<name>Field Notes</name>")
	d.Title, d.SiteTitle = "Field Notes: #go", "Field Notes"
	mustContain(t, encode(t, feed.Atom, d), "<name>Field Notes</name>")
	d.Author = feed.Person{Email: "ada@example.org"}
	mustContain(t, encode(t, feed.Atom, d), "<name>ada@example.org</name>", "<email>ada@example.org</email>")
}

func TestOPML(t *testing.T) {
	b, err := feed.EncodeOPML("Field Notes\x00 & more", "/feed.css", []feed.Outline{
		{Title: "Field Notes", XMLURL: "https://example.org/feed.xml", HTMLURL: "https://example.org/"},
		{Group: "Categories", Title: "R&D", XMLURL: "https://example.org/categories/r-and-d/feed.xml", HTMLURL: "https://example.org/categories/r-and-d/"},
		{Group: "Tags", Title: "\"日本語\"\n", XMLURL: "https://example.org/tags/日本語/feed.xml", HTMLURL: "https://example.org/tags/日本語/"},
		{Group: "Categories", Title: "Go", XMLURL: "https://example.org/categories/go/feed.xml"},
	})
	if err != nil {
		t.Fatal(err)
	}
	wellFormedXML(t, b)
	golden(t, "feeds.opml", b)
}

func TestOPMLWithoutFeeds(t *testing.T) {
	b, err := feed.EncodeOPML("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	wellFormedXML(t, b)
	mustContain(t, b, "<body", `<opml version="2.0">`)
}

func TestHubsStylesheetAndTombstones(t *testing.T) {
	d := feed.Feed{
		ID: "urn:x", Title: "T", SiteURL: "https://example.org/", Stylesheet: "https://example.org/feed.css?a=1&b=2",
		Hubs:       []string{"https://hub.example/a", "https://hub.example/b?x=1&y=2"},
		Tombstones: []feed.Tombstone{{ID: "tag:example.org,2026:/gone/", When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, {ID: "no uri", When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		Entries:    []feed.Entry{{ID: "no uri", Title: "E", URL: "https://example.org/e/", Published: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
	for f, parts := range map[feed.Format][]string{
		feed.RSS: {
			`<?xml-stylesheet type="text/css" href="https://example.org/feed.css?a=1&amp;b=2"?>` + "\n<rss",
			`<atom:link rel="hub" href="https://hub.example/a"></atom:link>`, `<atom:link rel="hub" href="https://hub.example/b?x=1&amp;y=2"></atom:link>`,
			`<guid isPermaLink="false">no uri</guid>`,
		},
		feed.Atom: {
			`<?xml-stylesheet type="text/css" href="https://example.org/feed.css?a=1&amp;b=2"?>` + "\n<feed",
			`<link rel="hub" href="https://hub.example/a"></link>`, `xmlns:at="http://purl.org/atompub/tombstones/1.0"`,
			`<at:deleted-entry ref="tag:example.org,2026:/gone/" when="2026-01-02T03:04:05Z"></at:deleted-entry>`,
			`<at:deleted-entry ref="urn:uuid:`, `<id>urn:uuid:`,
		},
		feed.JSON: {`"type": "WebSub"`, `"url": "https://hub.example/b?x=1&y=2"`},
	} {
		b := encode(t, f, d)
		wellFormed(t, f, b)
		for _, part := range parts {
			if !strings.Contains(string(b), part) {
				t.Errorf("%s: no %s in\n%s", f, part, b)
			}
		}
	}
	plain := d
	plain.Stylesheet, plain.Hubs, plain.Tombstones = "", nil, nil
	for _, f := range formats {
		if b := string(encode(t, f, plain)); strings.Contains(b, "stylesheet") || strings.Contains(b, "hub") || strings.Contains(b, "tombstones") {
			t.Errorf("%s: extensions that were not asked for:\n%s", f, b)
		}
	}
}

func TestHistory(t *testing.T) {
	d := feed.Feed{ID: "urn:x", Title: "T", SiteURL: "https://example.org/", History: feed.History{
		Archive: true, Current: "https://example.org/feed", Previous: "https://example.org/2024", Next: "https://example.org/2026",
	}}
	for f, parts := range map[feed.Format][]string{
		feed.RSS:  {`xmlns:fh="http://purl.org/syndication/history/1.0"`, "<fh:archive></fh:archive>", `<atom:link rel="current" href="https://example.org/feed">`, `<atom:link rel="prev-archive" href="https://example.org/2024">`, `<atom:link rel="next-archive" href="https://example.org/2026">`},
		feed.Atom: {`xmlns:fh="http://purl.org/syndication/history/1.0"`, "<fh:archive></fh:archive>", `<link rel="current" href="https://example.org/feed">`, `<link rel="prev-archive" href="https://example.org/2024">`, `<link rel="next-archive" href="https://example.org/2026">`},
		feed.JSON: {`"next_url": "https://example.org/2024"`},
	} {
		b := encode(t, f, d)
		wellFormed(t, f, b)
		for _, part := range parts {
			if !strings.Contains(string(b), part) {
				t.Errorf("%s: no %s in\n%s", f, part, b)
			}
		}
	}
	d.History = feed.History{Complete: true}
	if b := string(encode(t, feed.Atom, d)); !strings.Contains(b, "<fh:complete></fh:complete>") || strings.Contains(b, "archive") {
		t.Errorf("not complete:\n%s", b)
	}
}

// TestEnclosureOfUnknownLength: RSS demands a length, the others do not.
func TestEnclosureOfUnknownLength(t *testing.T) {
	for want, n := range map[string]feed.Enclosure{
		"audio/mpeg":               {URL: "https://example.org/1.MP3?x=1"},
		"audio/x-m4a":              {URL: "https://example.org/1.m4a", Type: "no type"},
		"video/h264":               {URL: "https://example.org/1", Type: "Video/H264"},
		"application/octet-stream": {URL: "https://example.org/1", Length: -1, Duration: -1},
	} {
		d := empty()
		d.Entries = []feed.Entry{{ID: "urn:x", Title: "T", Enclosure: n}}
		mustContain(t, encode(t, feed.RSS, d), `<enclosure url="`+n.URL+`" length="0" type="`+want+`">`)
		mustContain(t, encode(t, feed.Atom, d), `<link rel="enclosure" type="`+want+`" href="`+n.URL+`">`)
		b := encode(t, feed.JSON, d)
		mustContain(t, b, `"mime_type": "`+want+`"`)
		mustLack(t, b, "size", "duration")
	}
	for _, f := range formats {
		mustLack(t, encode(t, f, persian()), "enclosure", "attachments", "replies", "comments")
	}
}

// TestNoEntryIsWithoutText: in every format something stands for the text of
// an entry that has none.
func TestNoEntryIsWithoutText(t *testing.T) {
	d := empty()
	d.Entries = []feed.Entry{{ID: "urn:x", Title: "Only <a> title", URL: "https://example.org/x/"}}
	mustContain(t, encode(t, feed.Atom, d), `<summary type="html">Only &amp;lt;a&amp;gt; title</summary>`)
	mustContain(t, encode(t, feed.JSON, d), `"content_text": "Only <a> title"`)
	mustContain(t, encode(t, feed.RSS, d), "<title>Only")
}

func TestUnmarkedTextFromRightToLeft(t *testing.T) {
	for want, e := range map[string]feed.Entry{
		`<div dir="auto"><p>x</p></div>`: {Title: "1. «مرحبا» Go", HTML: "<p>x</p>"},
		"<p>y</p>":                       {Title: "Go مرحبا", HTML: "<p>y</p>"},
		"<p>z</p>":                       {Title: "2026", HTML: "<p>z</p>", Summary: "日本語"},
		`<div dir="auto"><p>s</p></div>`: {HTML: "<p>s</p>", Summary: "שלום"},
	} {
		d := empty()
		e.ID = "urn:x"
		d.Entries = []feed.Entry{e}
		mustContain(t, encode(t, feed.JSON, d), strings.ReplaceAll(`"content_html": "`+strings.ReplaceAll(want, `"`, `\"`)+`"`, "\n", ""))
	}
}

// TestAtomIDs: what was an id stays one; what never was gets another form.
func TestAtomIDs(t *testing.T) {
	for id, want := range map[string]string{
		"https://example.org/?p=7":             "https://example.org/?p=7",
		"tag:example.org,2026:/посты/日本語":      "tag:example.org,2026:/посты/日本語",
		"urn:uuid:not-really":                  "urn:uuid:not-really",
		"17":                                   "urn:uuid:",
		"/posts/one":                           "urn:uuid:",
		"tag:example.org,2026:a b":             "urn:uuid:",
		"tag:example.org,2026:a\u00a0b\u202eb": "urn:uuid:",
	} {
		d := empty()
		d.Entries = []feed.Entry{{ID: id, Title: "T"}}
		b := string(encode(t, feed.Atom, d))
		_, entry, _ := strings.Cut(b, "<entry>")
		if !strings.Contains(entry, "<id>"+want) {
			t.Errorf("id %q became %s", id, entry)
		}
	}
}

// TestNoDateIsPlausible: validators take the first instant of Unix for a fault.
func TestNoDateIsPlausible(t *testing.T) {
	mustContain(t, encode(t, feed.Atom, empty()), "<updated>2000-01-01T00:00:00Z</updated>")
	mustLack(t, encode(t, feed.RSS, empty()), "lastBuildDate", "pubDate")
}
