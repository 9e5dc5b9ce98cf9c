package feed

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Entries are written here field by field. Package encoding/xml would write
// the same bytes of the same structs, which the tests hold it to, at several
// times the cost; a blog has thousands of entries and few of everything else.

// A lineWriter writes elements, each on a line of its own after the margin.
type lineWriter struct {
	b      []byte
	margin string
}

// open begins an element that holds others.
func (w *lineWriter) open(name string) {
	w.begin(name)
	w.b = append(w.b, ">\n"...)
	w.margin += "  "
}

// close ends an element that open began.
func (w *lineWriter) close(name string) {
	w.margin = w.margin[:len(w.margin)-2]
	w.b = append(w.b, w.margin...)
	w.end(name)
}

// begin leaves the tag open, for attributes.
func (w *lineWriter) begin(name string) {
	w.b = append(append(append(w.b, w.margin...), '<'), name...)
}

func (w *lineWriter) end(name string) {
	w.b = append(append(append(w.b, "</"...), name...), ">\n"...)
}

func (w *lineWriter) attribute(name, value string) {
	w.b = append(append(append(w.b, ' '), name...), `="`...)
	w.b = append(appendEscaped(w.b, value), '"')
}

// attributeIf leaves out an attribute without a value.
func (w *lineWriter) attributeIf(name, value string) {
	if value != "" {
		w.attribute(name, value)
	}
}

// number leaves out what is 0.
func (w *lineWriter) number(name string, value int) {
	if value != 0 {
		w.attribute(name, strconv.Itoa(value))
	}
}

// text writes the rest of an element that holds text.
func (w *lineWriter) text(name, text string) {
	w.b = append(w.b, '>')
	w.b = appendEscaped(w.b, text)
	w.end(name)
}

// raw writes the rest of an element that holds text which is escaped already.
func (w *lineWriter) raw(name, xml string) {
	w.b = append(append(w.b, '>'), xml...)
	w.end(name)
}

// cdata writes the rest of an element that holds text without escapes. The mark
// that ends it is parted where it stands in the text.
func (w *lineWriter) cdata(name, text string) {
	w.b = append(w.b, '>')
	if text != "" {
		w.b = append(w.b, "<![CDATA["...)
		for {
			before, after, found := strings.Cut(text, "]]>")
			w.b = append(w.b, before...)
			if !found {
				break
			}
			w.b = append(w.b, "]]]]><![CDATA[>"...)
			text = after
		}
		w.b = append(w.b, "]]>"...)
	}
	w.end(name)
}

// element writes an element that holds text.
func (w *lineWriter) element(name, text string) {
	w.begin(name)
	w.text(name, text)
}

// elementIf leaves out an element without text.
func (w *lineWriter) elementIf(name, text string) {
	if text != "" {
		w.element(name, text)
	}
}

func (w *lineWriter) rssText(name string, t *rssText) {
	if t != nil {
		w.begin(name)
		w.raw(name, t.XML)
	}
}

func (w *lineWriter) rssItem(i *rssItem) {
	w.open("item")
	w.rssText("title", i.Title)
	w.elementIf("link", i.Link)
	if i.Description != nil {
		w.begin("description")
		w.cdata("description", i.Description.Text)
	}
	if i.Content != nil {
		w.begin("content:encoded")
		w.cdata("content:encoded", i.Content.Content)
	}
	w.elementIf("comments", i.Comments)
	if n := i.Enclosure; n != nil {
		w.begin("enclosure")
		w.attribute("url", n.Url)
		w.attribute("length", n.Length)
		w.attribute("type", n.Type)
		w.text("enclosure", "")
	}
	w.begin("guid")
	w.attributeIf("isPermaLink", i.Guid.IsPermaLink)
	w.text("guid", i.Guid.Id)
	w.elementIf("pubDate", i.PubDate)
	for _, name := range i.Creators {
		w.element("dc:creator", name)
	}
	w.elementIf("dc:language", i.Language)
	for _, c := range i.Categories {
		w.begin("category")
		w.attributeIf("domain", c.Domain)
		w.text("category", c.Name)
	}
	w.mediaImage(i.mediaImage)
	w.close("item")
}

func (w *lineWriter) atomEntry(e *atomEntry) {
	w.begin("entry")
	w.attributeIf("xml:lang", e.Lang)
	w.b = append(w.b, ">\n"...)
	w.margin += "  "
	w.atomText("title", &e.Title)
	w.element("updated", e.Updated)
	w.element("id", e.Id)
	w.elementIf("published", e.Published)
	for _, l := range e.Links {
		w.begin("link")
		w.attribute("rel", l.Rel)
		w.attributeIf("type", l.Type)
		w.attributeIf("length", l.Length)
		w.attribute("href", l.Href)
		w.text("link", "")
	}
	for _, p := range e.Authors {
		w.open("author")
		w.elementIf("name", p.Name)
		w.elementIf("uri", p.Uri)
		w.elementIf("email", p.Email)
		w.close("author")
	}
	for _, c := range e.Categories {
		w.begin("category")
		w.attribute("term", c.Term)
		w.attributeIf("scheme", c.Scheme)
		w.attribute("label", c.Label)
		w.text("category", "")
	}
	w.atomText("summary", e.Summary)
	if e.Content != nil {
		w.begin("content")
		w.attribute("type", e.Content.Type)
		w.cdata("content", e.Content.HTML)
	}
	w.mediaImage(e.mediaImage)
	w.close("entry")
}

func (w *lineWriter) atomText(name string, t *atomText) {
	if t != nil {
		w.begin(name)
		w.attribute("type", t.Type)
		w.text(name, t.Text)
	}
}

func (w *lineWriter) mediaImage(m mediaImage) {
	if p := m.Picture; p != nil {
		w.begin("media:content")
		w.attribute("url", p.URL)
		w.attributeIf("type", p.Type)
		w.attribute("medium", p.Medium)
		w.number("width", p.Width)
		w.number("height", p.Height)
		w.description(p.Description)
	}
	if t := m.Thumbnail; t != nil {
		w.begin("media:thumbnail")
		w.attribute("url", t.URL)
		w.number("width", t.Width)
		w.number("height", t.Height)
		w.text("media:thumbnail", "")
	}
}

// description writes the rest of the picture's element.
func (w *lineWriter) description(d *mediaDescription) {
	if d == nil {
		w.text("media:content", "")
		return
	}
	w.b = append(w.b, ">\n"...)
	w.margin += "  "
	w.begin("media:description")
	w.attribute("type", d.Type)
	w.raw("media:description", d.XML)
	w.close("media:content")
}

// appendEscaped writes text as it may stand in elements and attributes.
func appendEscaped(b []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); {
		r, width := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(s[i:])
		}
		if escape := escapeOf(r, width); escape != "" {
			b = append(append(b, s[last:i]...), escape...)
			last = i + width
		}
		i += width
	}
	return append(b, s[last:]...)
}

// escapeOf gives what stands for a character; "" for itself.
func escapeOf(r rune, width int) string {
	switch {
	case r == '"':
		return "&#34;"
	case r == '\'':
		return "&#39;"
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '\t':
		return "&#x9;"
	case r == '\n':
		return "&#xA;"
	case r == '\r':
		return "&#xD;"
	case r < ' ', r == utf8.RuneError && width == 1, r == 0xFFFE, r == 0xFFFF:
		return "\uFFFD"
	}
	return ""
}
