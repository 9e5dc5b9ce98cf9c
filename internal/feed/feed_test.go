package feed_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"tidings/internal/feed"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update if that is right:\n%s", file, diff)
	}
}

func TestGolden(t *testing.T) {
	for name, d := range cases() {
		for _, f := range formats {
			b := encode(t, f, d)
			wellFormed(t, f, b)
			golden(t, name+"/"+f.FileName(), b)
		}
	}
}

func TestEncodeIsPure(t *testing.T) {
	for name, d := range cases() {
		for _, f := range formats {
			if a, b := encode(t, f, d), encode(t, f, cases()[name]); string(a) != string(b) {
				t.Errorf("%s: two %s documents of one feed differ", name, f)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	for f, want := range map[feed.Format][2]string{
		feed.RSS:  {"feed.xml", "application/rss+xml; charset=utf-8"},
		feed.Atom: {"atom.xml", "application/atom+xml; charset=utf-8"},
		feed.JSON: {"feed.json", "application/feed+json; charset=utf-8"},
	} {
		if got := [2]string{f.FileName(), f.MediaType()}; got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
}

// TestTitleOfTheUntitled: Atom demands a title, the other formats do not.
func TestTitleOfTheUntitled(t *testing.T) {
	for want, e := range map[string]feed.Entry{
		"Short and plain":                     {Summary: "Short and\nplain"},
		strings.Repeat("word ", 11) + "word…": {Summary: strings.Repeat("word ", 40)},
		strings.Repeat("語", 60) + "…":         {Summary: strings.Repeat("語", 61)},
		"2026-02-03":                          {HTML: "<p>x</p>", Published: at("2026-02-03T00:00:00Z")},
		"the-id":                              {HTML: "<p>x</p>"},
	} {
		e.ID, e.URL = "the-id", "https://example.org/x"
		d := empty()
		d.Entries = []feed.Entry{e}
		if got := read(t, encode(t, feed.Atom, d)).Items[0].Title; got != want {
			t.Errorf("Atom title %q, want %q", got, want)
		}
		for _, f := range []feed.Format{feed.RSS, feed.JSON} {
			item := read(t, encode(t, f, d)).Items[0]
			if item.Title != "" || item.Description+item.Content == "" {
				t.Errorf("%s: title %q, description %q, content %q", f, item.Title, item.Description, item.Content)
			}
		}
	}
}

func TestAnEntryOfNothingButAnAddress(t *testing.T) {
	d := empty()
	d.Entries = []feed.Entry{{URL: "https://example.org/x"}, {URL: "https://example.org/y", Title: "Only a title"}}
	for _, f := range formats {
		items := read(t, encode(t, f, d)).Items
		if items[0].GUID != d.Entries[0].URL || items[0].Title+items[0].Description+items[0].Content == "" {
			t.Errorf("%s: %+v", f, items[0])
		}
		if items[1].Title != "Only a title" {
			t.Errorf("%s: %+v", f, items[1])
		}
	}
	mustLack(t, encode(t, feed.RSS, d), "CDATA[]", "<title></title>")
}

func TestUnknownFormat(t *testing.T) {
	_, err := feed.Encode("rdf", blog(), self)
	if err == nil || !strings.Contains(err.Error(), "rdf") {
		t.Errorf("error %v does not name the format", err)
	}
}

// TestReadersSeeTheSame holds all formats against what was put in.
func TestReadersSeeTheSame(t *testing.T) {
	d := blog()
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			got := read(t, encode(t, f, d))
			if got.Title != d.Title || got.Link != d.SiteURL || got.FeedLink != self[f] || got.Language != "en" {
				t.Errorf("feed: title %q link %q feed link %q language %q", got.Title, got.Link, got.FeedLink, got.Language)
			}
			if len(got.Items) != len(d.Entries) {
				t.Fatalf("%d items, want %d", len(got.Items), len(d.Entries))
			}
			for i, e := range d.Entries {
				item := got.Items[i]
				if item.GUID != e.ID {
					t.Errorf("id %q, want %q", item.GUID, e.ID)
				}
				if e.Title != "" && item.Title != e.Title {
					t.Errorf("title %q, want %q", item.Title, e.Title)
				}
				if !item.PublishedParsed.Equal(e.Published.Truncate(time.Second)) {
					t.Errorf("published %v, want %v", item.PublishedParsed, e.Published)
				}
				if text := item.Content + item.Description; !strings.Contains(text, e.HTML) {
					t.Errorf("content %q, want %q", text, e.HTML)
				}
			}
			if got.Items[0].Link != d.Entries[0].URL {
				t.Errorf("link %q, want %q", got.Items[0].Link, d.Entries[0].URL)
			}
			if names := authors(got.Items[0]); !slices.Equal(names, []string{"Bo", "Cy"}) {
				t.Errorf("authors %q", names)
			}
			if !slices.Contains(got.Items[0].Categories, "R&D") {
				t.Errorf("categories %q", got.Items[0].Categories)
			}
		})
	}
}

// authors are those of the item; of RSS, gofeed itself names only the first.
func authors(item *gofeed.Item) []string {
	if dc := item.DublinCoreExt; dc != nil {
		return dc.Creator
	}
	var names []string
	for _, p := range item.Authors {
		names = append(names, p.Name)
	}
	return names
}

// TestHostileEntriesHarmNobody: what one entry holds breaks neither the
// document nor its neighbours.
func TestHostileEntriesHarmNobody(t *testing.T) {
	d := hostile()
	sound := d.Entries[len(d.Entries)-1]
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			b := encode(t, f, d)
			wellFormed(t, f, b)
			got := read(t, b)
			if want := len(d.Entries) - 1; len(got.Items) != want { // one has no id
				t.Fatalf("%d items, want %d", len(got.Items), want)
			}
			last := got.Items[len(got.Items)-1]
			if last.GUID != sound.ID || last.Title != sound.Title || last.Content != sound.HTML || !last.PublishedParsed.Equal(sound.Published) {
				t.Errorf("the sound entry came out as %+v", last)
			}
			mustLack(t, b, "12026-", "Jan 12026", "\x0c", "\ufffe", "\uffff")
		})
	}
}

func TestFeedDateIsTheNewestChange(t *testing.T) {
	d := blog()
	mustContain(t, encode(t, feed.RSS, d), "<lastBuildDate>Thu, 02 Apr 2026 10:00:00 +0200</lastBuildDate>")
	mustContain(t, encode(t, feed.Atom, d), "<updated>2026-04-02T10:00:00+02:00</updated>")

	d.Updated = at("2026-05-05T05:05:05Z")
	mustContain(t, encode(t, feed.Atom, d), "<updated>2026-05-05T05:05:05Z</updated>")

	d = empty()
	mustLack(t, encode(t, feed.RSS, d), "lastBuildDate")
	mustContain(t, encode(t, feed.Atom, d), "<updated>2000-01-01T00:00:00Z</updated>")
}

func TestUpdatedIsNeverBeforePublished(t *testing.T) {
	d := empty()
	d.Entries = []feed.Entry{{ID: "x", URL: "https://example.org/x", Title: "x",
		Published: at("2026-02-02T00:00:00Z"), Updated: at("2026-01-01T00:00:00Z")}}
	mustLack(t, encode(t, feed.Atom, d), "2026-01-01")
	mustLack(t, encode(t, feed.JSON, d), "2026-01-01")
}

func TestUnknownSelfLeavesNoSelfLink(t *testing.T) {
	for _, f := range formats {
		b, err := feed.Encode(f, blog(), nil)
		if err != nil {
			t.Fatal(err)
		}
		mustLack(t, b, `rel="self"`, "feed_url")
		if got := read(t, b); got.Link != "https://example.org/" {
			t.Errorf("%s: link %q", f, got.Link)
		}
	}
}

func TestJSONFeedIsComplete(t *testing.T) {
	for name, d := range cases() {
		var doc struct {
			Version string `json:"version"`
			Title   string `json:"title"`
			Items   []struct {
				ID   *string `json:"id"`
				HTML string  `json:"content_html"`
				Text string  `json:"content_text"`
			} `json:"items"`
		}
		if err := json.Unmarshal(encode(t, feed.JSON, d), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Version != "https://jsonfeed.org/version/1.1" || doc.Title == "" || doc.Items == nil {
			t.Errorf("%s: version %q, title %q, items %v", name, doc.Version, doc.Title, doc.Items)
		}
		for i, item := range doc.Items {
			if item.ID == nil || *item.ID == "" || item.HTML+item.Text == "" {
				t.Errorf("%s: item %d has no id or no content", name, i)
			}
		}
	}
}
