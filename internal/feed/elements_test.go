package feed

import (
	"bytes"
	"testing"
	"time"
)

// reflected is the entry as the encoders of the standard library write it.
func reflected(t *testing.T, f Format, d Feed, e Entry) []byte {
	t.Helper()
	var b []byte
	var err error
	switch f {
	case RSS:
		b, err = encodeElement(newRSSItem(e, d), "    ")
	case Atom:
		b, err = encodeElement(newAtomEntry(e, d), "  ")
	case JSON:
		b, err = encodeObject(newJSONItem(e, d), "    ")
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameBytes(t *testing.T, d Feed, e Entry) {
	t.Helper()
	for _, f := range []Format{RSS, Atom, JSON} {
		got, err := EncodeEntry(f, d, e)
		if err != nil {
			t.Fatal(err)
		}
		if e.id() == "" {
			continue
		}
		if want := reflected(t, f, d, e); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant:\n%s", f, got, want)
		}
	}
}

// everything has a value in each field.
func everything(text, uri string, n int) Entry {
	when := time.Unix(int64(n), 0).In(time.FixedZone("", n%(14*3600)))
	return Entry{
		ID: text, URL: uri, Title: text, Summary: text, HTML: text, Language: text, Comments: uri,
		Published: when, Updated: when.Add(time.Hour),
		Image:      Image{URL: uri, Alt: text, Width: n % 3, Height: n % 2},
		Enclosure:  Enclosure{URL: uri, Type: text, Length: int64(n), Duration: time.Duration(n)},
		Authors:    []Person{{Name: text, Email: text, URL: uri}, {Name: "Ann", URL: uri}, {Name: "Bob"}},
		Categories: []Category{{Name: text, Scheme: uri}, {Name: "b"}, {Name: "b", Scheme: uri}},
	}
}

func TestEntriesAreWrittenAsTheEncodersWould(t *testing.T) {
	for _, text := range []string{
		"", "a", "a & b <c> \"d\" 'e'", "]]>", "a]]>b]]>]]", "tab\tline\nend\r\nreturn\r", "\x00\x01\x1f\x7f\u0085", "\xff broken \xc3", "\uFFFE\uFFFF\uFFFD\uFEFF",
		"\u2028\u2029", "\\ back", "\b\f", "سلام", "日本語 🎉", "a@b.example", "urn:x", "  two  blanks ", "<p>Text &amp; more</p>\n<pre>\n\t</pre>", "\U0010FFFF\uFDD0",
	} {
		for _, uri := range []string{"", "https://example.org/a?b=c&d='e'#f", "https://example.org/ü b\"<>", "/a.mp3", "a.png"} {
			for _, n := range []int{0, 1, 2, 1_700_000_001, 1 << 40} {
				sameBytes(t, Feed{Language: "en", Author: Person{Name: "Site"}}, everything(text, uri, n))
			}
		}
		sameBytes(t, Feed{}, Entry{ID: "x", Title: text})
	}
}

func FuzzEntry(f *testing.F) {
	f.Add("a & b", "https://example.org/", 1)
	f.Add("]]>\u2028\xff", "x y.mp3", 1<<33)
	f.Fuzz(func(t *testing.T, text, uri string, n int) {
		sameBytes(t, Feed{Language: "fa", Author: Person{Name: text}}, everything(text, uri, n))
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("plain text, longer than eight bytes")
	f.Add("1234567\x7f")
	f.Add("12345678\n1234567\x1f")
	f.Fuzz(func(t *testing.T, s string) {
		want := true
		for _, c := range []byte(s) {
			want = want && (c == '\n' || c == '\t' || c >= ' ' && c < 0x7f)
		}
		if plain(s) != want {
			t.Errorf("plain(%q) is %v", s, !want)
		}
	})
}
