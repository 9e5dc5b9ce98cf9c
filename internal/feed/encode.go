package feed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"sync"

	"github.com/gorilla/feeds"
)

// A Shell is the document of a feed without its entries: they stand between
// Head and Tail, in order, and Between stands between two of them. Empty is
// the document of a feed that has none.
type Shell struct {
	Head, Between, Tail, Empty []byte
}

// Encode gives the document of d in the format f. The result is well-formed
// whatever the strings of d hold; only an unknown format is an error. An entry
// that has neither an id nor an address is left out: every format demands one.
func Encode(f Format, d Feed, self Self) ([]byte, error) {
	shell, err := EncodeShell(f, d, self[f])
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for _, e := range d.Entries {
		entry, err := EncodeEntry(f, d, e)
		if err != nil {
			return nil, err
		}
		if entry != nil {
			entries = append(entries, entry)
		}
	}
	return bytes.Join(shell.Parts(entries), nil), nil
}

// Parts gives the document with these entries, in pieces that are to be
// written one after the other.
func (s Shell) Parts(entries [][]byte) [][]byte {
	if len(entries) == 0 {
		return [][]byte{s.Empty}
	}
	parts := make([][]byte, 0, 2*len(entries)+1)
	parts = append(parts, s.Head)
	for i, e := range entries {
		if i > 0 && len(s.Between) > 0 {
			parts = append(parts, s.Between)
		}
		parts = append(parts, e)
	}
	return append(parts, s.Tail)
}

// EncodeShell gives the document of d around its entries, at the address self.
// Of the entries only their dates count.
func EncodeShell(f Format, d Feed, self string) (Shell, error) {
	d.Updated, d.Entries = d.changed(), nil
	switch f {
	case RSS:
		return xmlShell(newRSS(d, self), d.Stylesheet, "  </channel>\n</rss>\n")
	case Atom:
		return xmlShell(newAtom(d, self), d.Stylesheet, "</feed>\n")
	case JSON:
		return jsonShell(newJSON(d, self))
	}
	return Shell{}, fmt.Errorf("encode feed %q: unknown format %q; use rss, atom or json", d.Title, f)
}

// EncodeEntry gives e as it stands in every feed of one publication: of d only
// what all of them share counts, the language, the author and the title of the
// site. It gives nil for an entry that has neither an id nor an address.
func EncodeEntry(f Format, d Feed, e Entry) ([]byte, error) {
	if e.id() == "" {
		return nil, nil
	}
	kept, _ := entryBuffers.Get().(*[]byte)
	if kept == nil {
		kept = new([]byte)
	}
	defer entryBuffers.Put(kept)
	b, err := appendEntry((*kept)[:0], f, d, e)
	if err != nil {
		return nil, err
	}
	*kept = b
	return bytes.Clone(b), nil
}

// entryBuffers are used again, so that every entry takes the room it needs and
// no more.
var entryBuffers sync.Pool // of *[]byte

func appendEntry(b []byte, f Format, d Feed, e Entry) ([]byte, error) {
	switch f {
	case RSS:
		w := lineWriter{b, "    "}
		w.rssItem(newRSSItem(e, d))
		return w.b, nil
	case Atom:
		w := lineWriter{b, "  "}
		w.atomEntry(newAtomEntry(e, d))
		return w.b, nil
	case JSON:
		return appendJSONItem(b, newJSONItem(e, d), "    ")
	}
	return nil, fmt.Errorf("encode entry %q: unknown format %q; use rss, atom or json", e.id(), f)
}

// xmlShell cuts a feed without entries before the end tags that follow them.
func xmlShell(f feeds.XmlFeed, stylesheet, end string) (Shell, error) {
	b, err := marshalXML(f.FeedXml(), stylesheet)
	if err != nil {
		return Shell{}, err
	}
	head, ok := bytes.CutSuffix(b, []byte(end))
	if !ok {
		return Shell{}, fmt.Errorf("encode feed as XML: it does not end in %q", end)
	}
	return Shell{Head: head, Tail: []byte(end), Empty: b}, nil
}

// jsonShell cuts a feed without items between the brackets of their list,
// which is the last field.
func jsonShell(f *jsonFeed) (Shell, error) {
	b, err := encodeObject(f, "")
	if err != nil {
		return Shell{}, err
	}
	head, ok := bytes.CutSuffix(b, []byte("]\n}"))
	if !ok {
		return Shell{}, fmt.Errorf("encode feed %q as JSON: the items are not its last field", f.Title)
	}
	return Shell{
		Head: append(bytes.Clone(head), "\n    "...), Between: []byte(",\n    "), Tail: []byte("\n  ]\n}\n"),
		Empty: append(b, '\n'),
	}, nil
}

// marshalXML differs from feeds.WriteXML in what stands before the root: the
// header on a line of its own, and a style sheet if there is one.
func marshalXML(root any, stylesheet string) ([]byte, error) {
	b, err := encodeElement(root, "")
	if err != nil {
		return nil, err
	}
	head := xml.Header
	if href := address(stylesheet); href != "" {
		// an instruction has no escapes, but attributes in it do (XML Stylesheet §3)
		head += `<?xml-stylesheet type="text/css" href="` + markup.Replace(href) + `"?>` + "\n"
	}
	return append([]byte(head), b...), nil
}

// An elementWriter is an encoder with what it writes to. It is used again: a
// site has hundreds of feeds.
type elementWriter struct {
	buf bytes.Buffer
	enc *xml.Encoder
}

var elementWriters sync.Pool // of *elementWriter

// encodeElement gives the lines of an element, each after the prefix.
func encodeElement(v any, prefix string) ([]byte, error) {
	w, _ := elementWriters.Get().(*elementWriter)
	if w == nil {
		w = new(elementWriter)
		w.enc = xml.NewEncoder(&w.buf)
	}
	w.buf.Reset()
	w.enc.Indent(prefix, "  ")
	if err := w.enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode feed as XML: %w", err) // w may be broken
	}
	defer elementWriters.Put(w)
	lines := bytes.TrimPrefix(w.buf.Bytes(), []byte("\n")) // between it and the one before
	return append(bytes.Clone(lines), '\n'), nil
}

// encodeObject leaves < and > as they are: nobody puts a feed into a page. The
// prefix stands before every line but the first.
func encodeObject(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode feed as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
