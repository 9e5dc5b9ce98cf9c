package feed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/internal/feed"
)

// FuzzEncode: whatever the strings and dates, every document is well-formed,
// a reader finds both entries, and the sound one is untouched.
func FuzzEncode(f *testing.F) {
	for _, e := range append(hostile().Entries, blog().Entries...) {
		f.Add(e.ID, e.URL, e.Title, e.Summary, e.HTML, e.Language, e.Published.Unix(), 0)
	}
	f.Add("", "", "&#x41;&lt;", "<b>", "<div>", "he", int64(1<<40), 3600)
	f.Fuzz(func(t *testing.T, id, url, title, summary, html, lang string, unix int64, offset int) {
		when := time.Unix(unix, 0).In(time.FixedZone("", offset))
		d := feed.Feed{
			ID: id, Title: title, Description: summary, SiteURL: url, Language: lang, Icon: url, Generator: html,
			Author: feed.Person{Name: title, Email: id, URL: url},
			Entries: []feed.Entry{
				{
					ID: id, URL: url, Title: title, Summary: summary, HTML: html, Language: lang, Image: feed.Image{URL: url, Alt: title}, Comments: url, Enclosure: feed.Enclosure{URL: url, Type: title},
					Published: when, Updated: when,
					Authors:    []feed.Person{{Name: summary}},
					Categories: []feed.Category{{Name: title, Scheme: url}},
				},
				{ID: "urn:sound", URL: "https://example.org/", Title: "Sound & <safe>", HTML: "<p>Untouched</p>", Language: "en"},
			},
		}
		for _, format := range formats {
			b := encode(t, format, d)
			wellFormed(t, format, b)
			items := read(t, b).Items
			last := items[len(items)-1] // the first is left out if it has neither id nor address
			if last.GUID != "urn:sound" || last.Title != "Sound & <safe>" {
				t.Fatalf("%s: items %v", format, items)
			}
			if text := last.Content + last.Description; !strings.Contains(text, "<p>Untouched</p>") {
				t.Fatalf("%s: the sound entry's content is %q", format, text)
			}
		}
		b, err := feed.EncodeOPML(title, "/feed.css", []feed.Outline{{Group: id, Title: summary, XMLURL: url, HTMLURL: html}, {Title: title}})
		if err != nil {
			t.Fatal(err)
		}
		wellFormedXML(t, b)
	})
}

func BenchmarkEncode(b *testing.B) {
	d := blog()
	for i := range 20 {
		e := blog().Entries[0]
		e.ID = fmt.Sprint(i)
		e.HTML = strings.Repeat("<p>Thirty kilobytes of text, with \"quotes\" &amp; more.</p>\n", 500)
		d.Entries = append(d.Entries, e)
	}
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(int64(len(encode(b, f, d))))
			b.ReportAllocs()
			for b.Loop() {
				encode(b, f, d)
			}
		})
	}
}
