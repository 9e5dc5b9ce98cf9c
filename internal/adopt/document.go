package adopt

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
	"golang.org/x/net/html/charset"
)

// A document is one page of a feed.
type document struct {
	entries []Entry
	older   string // where it says the next older page is
	guess   bool   // it does not say, but the program that made it has one there
}

// parse reads one page, which is at the address or in the file source.
func parse(b []byte, source string) (doc document, err error) {
	defer func() { // it meets what anybody wrote
		if r := recover(); r != nil {
			doc, err = document{}, fmt.Errorf("it cannot be parsed: %v", r)
		}
	}()
	p := gofeed.NewParser()
	p.KeepOriginalFeed = true
	f, err := p.Parse(bytes.NewReader(b))
	if err != nil {
		return document{}, fmt.Errorf("it is no RSS, Atom or JSON Feed that can be read: %w; give the feed itself, not the page it is for", err)
	}
	for _, item := range f.Items {
		e := Entry{ID: strings.TrimSpace(item.GUID), Link: item.Link, Title: item.Title}
		if ext := item.Extensions["feedburner"]["origLink"]; len(ext) > 0 {
			e.Link = cmp.Or(strings.TrimSpace(ext[0].Value), e.Link)
		}
		e.Published = instant(item.PublishedParsed)
		doc.entries = append(doc.entries, e)
	}
	doc.complete(f.OriginalFeed(), b)
	for i, e := range doc.entries {
		doc.entries[i].ID = cmp.Or(e.ID, e.Link)
	}
	doc.older = resolve(source, doc.older)
	if doc.older == "" && strings.Contains(f.Generator, "wordpress.org") && remote(source) {
		doc.older, doc.guess = pageAfter(source), true
	}
	return doc, nil
}

// complete takes from the feed as it stands what gofeed's common form of all
// feeds lacks or changes.
func (doc *document) complete(original any, b []byte) {
	switch f := original.(type) {
	case *json.Feed:
		doc.older = f.NextURL
	case *rss.Feed:
		links := map[string]string{}
		for _, l := range f.Extensions["atom"]["link"] {
			links[l.Attrs["rel"]] = l.Attrs["href"]
		}
		doc.older = cmp.Or(links["prev-archive"], links["next"])
		doc.keepIDs(exactIDs(b, "item", func(e element) string { return e.About }))
	case *atom.Feed:
		links := map[string]string{}
		for _, l := range f.Links {
			links[l.Rel] = l.Href
		}
		doc.older = cmp.Or(links["prev-archive"], links["next"])
		for i, e := range f.Entries {
			doc.entries[i].Published = instant(e.PublishedParsed) // not, for want of it, the last change
		}
		doc.keepIDs(exactIDs(b, "entry", func(e element) string { return e.ID }))
	}
}

// keepIDs puts ids as they stand in the place of those that were resolved as if
// they were addresses, or overlooked.
func (doc *document) keepIDs(ids []string) {
	if len(ids) != len(doc.entries) {
		return
	}
	for i, id := range ids {
		doc.entries[i].ID = cmp.Or(id, doc.entries[i].ID)
	}
}

// An element is an entry of Atom or an item of RSS 1.0, as far as its id goes.
type element struct {
	ID    string `xml:"http://www.w3.org/2005/Atom id"`
	About string `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# about,attr"`
}

// exactIDs gives the ids of the elements of a name, in order; nil if they
// cannot be read.
func exactIDs(b []byte, name string, id func(element) string) (ids []string) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict, d.CharsetReader = false, charset.NewReaderLabel
	for {
		t, err := d.Token()
		if err != nil {
			return ids // the end, or as far as it can be read
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != name {
			continue
		}
		var e element
		if d.DecodeElement(&e, &start) != nil {
			return nil
		}
		ids = append(ids, strings.TrimSpace(id(e)))
	}
}

// pageAfter gives the address at which WordPress has the next page of a feed.
func pageAfter(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	q := u.Query()
	n, err := strconv.Atoi(q.Get("paged"))
	if err != nil {
		n = 1
	}
	q.Set("paged", strconv.Itoa(n+1))
	u.RawQuery = q.Encode()
	return u.String()
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
