package feed

import (
	"strings"
	"time"

	"github.com/gorilla/feeds"
)

// atomFeed is gorilla's feed with what it lacks, as rssChannel is.
type atomFeed struct {
	Lang  string   `xml:"xml:lang,attr,omitempty"`
	Media string   `xml:"xmlns:media,attr"`
	At    string   `xml:"xmlns:at,attr,omitempty"`
	FH    string   `xml:"xmlns:fh,attr,omitempty"`
	Title atomText `xml:"title"`
	*feeds.AtomFeed
	Subtitle  *atomText          `xml:"subtitle"`
	Links     []atomLink         `xml:"link"`
	Authors   []feeds.AtomPerson `xml:"author"`
	Generator string             `xml:"generator,omitempty"`
	historyMarks
	Deleted []atomDeleted `xml:"at:deleted-entry"`
	Entries []*atomEntry  `xml:"entry"`
}

// atomDeleted is a tombstone (RFC 6721 §3).
type atomDeleted struct {
	Ref  string `xml:"ref,attr"`
	When string `xml:"when,attr"`
}

// historyMarks say what kind of document this is (RFC 5005); RSS has them too.
type historyMarks struct {
	Complete *struct{} `xml:"fh:complete"`
	Archive  *struct{} `xml:"fh:archive"`
}

// marks also gives the name space, if any is needed.
func (h History) marks() (m historyMarks, namespace string) {
	if h.Complete {
		m.Complete, namespace = &struct{}{}, nsHistory
	}
	if h.Archive {
		m.Archive, namespace = &struct{}{}, nsHistory
	}
	return m, namespace
}

// FeedXml gives the root element, in place of the embedded feed's.
func (f *atomFeed) FeedXml() any { return f }

type atomEntry struct {
	Lang  string   `xml:"xml:lang,attr,omitempty"`
	Title atomText `xml:"title"`
	*feeds.AtomEntry
	Links      []atomLink         `xml:"link"`
	Authors    []feeds.AtomPerson `xml:"author"`
	Categories []atomCategory     `xml:"category"`
	Summary    *atomText          `xml:"summary"`
	Content    *atomContent       `xml:"content"`
	mediaImage
}

// atomText is a text construct (RFC 4287 §3.1). Titles are of type text: some
// readers show the markup of other types.
type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// atomContent is CDATA because escaped markup is twice as long.
type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",cdata"`
}

type atomLink struct {
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Length string `xml:"length,attr,omitempty"`
	Href   string `xml:"href,attr"`
}

// atomCategory repeats the name: readers differ in which of the two they show.
type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr,omitempty"`
	Label  string `xml:"label,attr"`
}

func newAtom(d Feed, self string) *atomFeed {
	f := &atomFeed{
		Lang:  language(d.Language),
		Media: nsMedia,
		Title: atomText{"text", line(d.Title)},
		AtomFeed: &feeds.AtomFeed{
			Xmlns:   nsAtom,
			Id:      line(d.ID),
			Updated: atomDate(d.moved()),
			Icon:    address(d.Icon),
		},
		Subtitle:  newAtomText(line(d.Description)),
		Links:     feedLinks(Atom, d, self),
		Authors:   atomPeople(d.authors()),
		Generator: line(d.Generator),
	}
	if f.Id == "" {
		f.Id = address(self)
	}
	f.historyMarks, f.FH = d.History.marks()
	for _, t := range d.Tombstones {
		f.At = nsTombstones
		f.Deleted = append(f.Deleted, atomDeleted{Ref: atomID(t.ID), When: atomDate(t.When)})
	}
	for _, e := range d.Entries {
		f.Entries = append(f.Entries, newAtomEntry(e, d))
	}
	return f
}

func newAtomEntry(e Entry, d Feed) *atomEntry {
	entry := &atomEntry{
		Lang:  e.language(d),
		Title: atomText{"text", e.title()},
		AtomEntry: &feeds.AtomEntry{
			Id:        atomID(e.id()),
			Updated:   atomDate(e.Changed()),
			Published: formatDate(e.Published, time.RFC3339),
		},
		Authors:    atomPeople(named(e.Authors)), // without one, the feed's stand (§4.2.1)
		Links:      e.links(),
		Summary:    newAtomSummary(line(e.Summary)),
		mediaImage: newMediaImage(e.Image),
	}
	content := e.content(d)
	switch {
	case content != "":
		entry.Content = &atomContent{"html", content}
	case entry.Summary == nil: // readers expect one of the two
		entry.Summary = newAtomSummary(e.title())
	}
	for _, c := range e.categories() {
		entry.Categories = append(entry.Categories, atomCategory{c.Name, c.Scheme, c.Name})
	}
	return entry
}

// links of an entry; the first is the only one of its kind, for some readers
// take the last.
func (e Entry) links() []atomLink {
	var links []atomLink
	if url := address(e.URL); url != "" {
		links = append(links, atomLink{Rel: "alternate", Type: "text/html", Href: url})
	}
	if url := address(e.Comments); url != "" {
		links = append(links, atomLink{Rel: "replies", Type: "text/html", Href: url}) // RFC 4685 §4
	}
	return append(links, e.Enclosure.atom()...)
}

// authors of the feed itself: there is always one, which RFC 4287 §4.1.1
// demands as soon as one entry has none.
func (d Feed) authors() []Person {
	if people := named([]Person{d.Author}); len(people) > 0 {
		return people
	}
	for _, name := range []string{line(d.SiteTitle), line(d.Title)} {
		if name != "" {
			return []Person{{Name: name}}
		}
	}
	return []Person{{Name: "unknown"}}
}

func atomPeople(people []Person) []feeds.AtomPerson {
	var out []feeds.AtomPerson
	for _, p := range people {
		out = append(out, feeds.AtomPerson{Name: p.Name, Uri: p.URL, Email: p.Email})
	}
	return out
}

func newAtomText(s string) *atomText {
	if s == "" {
		return nil
	}
	return &atomText{"text", s}
}

// newAtomSummary gives plain text that could be taken for markup as HTML, since
// many readers show a summary as such whatever its type.
func newAtomSummary(s string) *atomText {
	if strings.ContainsAny(s, "<&\uFFFD") {
		return &atomText{"html", escapeHTML(s)}
	}
	return newAtomText(s)
}

// noDate is shown where Atom demands a date and there is none, as in the feed
// of a site that has no posts yet. It is a constant because the clock would
// give new bytes each time, and not the first instant of Unix because readers
// take that for a mistake.
var noDate = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// atomDate is t if it can be shown, else noDate.
func atomDate(t time.Time) string {
	if s := formatDate(t, time.RFC3339); s != "" {
		return s
	}
	return noDate.Format(time.RFC3339)
}

// feedLinks says where the feed is and of which page it is a feed.
func feedLinks(f Format, d Feed, self string) []atomLink {
	var links []atomLink
	if url := address(self); url != "" {
		mediaType, _, _ := strings.Cut(f.MediaType(), ";")
		links = append(links, atomLink{Rel: "self", Type: mediaType, Href: url})
	}
	if url := address(d.SiteURL); url != "" {
		links = append(links, atomLink{Rel: "alternate", Type: "text/html", Href: url})
	}
	for _, other := range []atomLink{
		{Rel: "current", Href: d.History.Current}, {Rel: "prev-archive", Href: d.History.Previous}, {Rel: "next-archive", Href: d.History.Next},
	} {
		if other.Href = address(other.Href); other.Href != "" {
			links = append(links, other)
		}
	}
	for _, hub := range d.Hubs {
		links = append(links, atomLink{Rel: "hub", Href: address(hub)})
	}
	return links
}
