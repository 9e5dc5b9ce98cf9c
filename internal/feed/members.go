package feed

import (
	"time"
	"unicode/utf8"

	"github.com/gorilla/feeds"
)

// appendJSONItem writes an item as encoding/json would, indented by two blanks
// after the prefix and without escapes for HTML; see lineWriter.
func appendJSONItem(b []byte, i *jsonItem, prefix string) ([]byte, error) {
	w := memberWriter{b, prefix + "  "}
	w.b = append(append(w.b, "{\n"...), w.margin...)
	w.b = appendQuoted(append(w.b, `"id": `...), i.Id)
	w.textIf("url", i.Url)
	w.textIf("title", i.Title)
	w.textIf("content_html", i.ContentHTML)
	w.textIf("content_text", i.ContentText)
	w.textIf("summary", i.Summary)
	w.textIf("image", i.Image)
	w.date("date_published", i.PublishedDate)
	w.date("date_modified", i.ModifiedDate)
	w.authors(i.Authors)
	w.texts("tags", i.Tags)
	w.textIf("language", i.Language)
	if len(i.Attachments) > 0 {
		list, err := encodeObject(i.Attachments, w.margin)
		if err != nil {
			return nil, err
		}
		w.name("attachments")
		w.b = append(w.b, list...)
	}
	return append(append(append(w.b, '\n'), prefix...), '}'), nil
}

// A memberWriter writes members of an object after its first one.
type memberWriter struct {
	b      []byte
	margin string
}

func (w *memberWriter) name(name string) {
	w.b = append(append(append(w.b, ",\n"...), w.margin...), '"')
	w.b = append(append(w.b, name...), `": `...)
}

func (w *memberWriter) textIf(name, text string) {
	if text != "" {
		w.name(name)
		w.b = appendQuoted(w.b, text)
	}
}

func (w *memberWriter) date(name string, t *time.Time) {
	if t != nil {
		w.name(name)
		w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339), '"')
	}
}

func (w *memberWriter) texts(name string, list []string) {
	w.list(name, len(list), func(i int) { w.b = appendQuoted(w.b, list[i]) })
}

func (w *memberWriter) list(name string, n int, element func(i int)) {
	if n == 0 {
		return
	}
	w.name(name)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(append(append(w.b, '\n'), w.margin...), "  "...)
		element(i)
	}
	w.b = append(append(append(w.b, '\n'), w.margin...), ']')
}

func (w *memberWriter) authors(people []*feeds.JSONAuthor) {
	w.list("authors", len(people), func(i int) {
		inner := memberWriter{append(w.b, '{'), w.margin + "    "}
		before := len(inner.b)
		inner.textIf("name", people[i].Name)
		inner.textIf("url", people[i].Url)
		if len(inner.b) > before {
			inner.b = append(inner.b[:before], inner.b[before+1:]...) // the comma before the first
			inner.b = append(append(append(inner.b, '\n'), w.margin...), "  "...)
		}
		w.b = append(inner.b, '}')
	})
}

// asItIs are the ASCII characters that stand for themselves between quotes.
var asItIs = func() (as [utf8.RuneSelf]bool) {
	for c := range as {
		as[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return as
}()

// appendQuoted writes a string in quotes.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if asItIs[c] {
				i++
				continue
			}
			b = append(b, s[last:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, `\b`...)
			case '\f':
				b = append(b, `\f`...)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			last = i
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			b = append(append(b, s[last:i]...), `\ufffd`...)
			last = i + width
		case r == '\u2028' || r == '\u2029': // line ends to programs that take JSON for JavaScript
			b = append(append(b, s[last:i]...), '\\', 'u', '2', '0', '2', hex[r&15])
			last = i + width
		}
		i += width
	}
	return append(append(b, s[last:]...), '"')
}
