// Package feed turns a description of a feed and its entries into RSS 2.0,
// Atom and JSON Feed 1.1 documents, and a list of feeds into OPML 2.0. It is
// pure: the same values give the same bytes. It is built on gorilla/feeds,
// whose structs it extends; it does not decide which entries a feed holds.
package feed

import "time"

// Format is one of the document formats.
type Format string

// The formats, in the order in which they are offered.
const (
	RSS  Format = "rss"
	Atom Format = "atom"
	JSON Format = "json"
)

// FileName is the last element of a feed's path: feed.xml, atom.xml, feed.json.
func (f Format) FileName() string {
	switch f {
	case Atom:
		return "atom.xml"
	case JSON:
		return "feed.json"
	}
	return "feed.xml"
}

// MediaType is the Content-Type, with its charset.
func (f Format) MediaType() string {
	switch f {
	case Atom:
		return "application/atom+xml; charset=utf-8"
	case JSON:
		return "application/feed+json; charset=utf-8"
	}
	return "application/rss+xml; charset=utf-8"
}

// Person is an author.
type Person struct {
	Name, Email, URL string
}

// Category is one term of an entry: Scheme is the address of its taxonomy.
type Category struct {
	Name, Scheme string
}

// An Entry is one post as a feed shows it. Strings may hold anything: what
// XML cannot carry is dropped or replaced. A date outside the years 1970 to
// 9999 is left out.
type Entry struct {
	ID         string // "": URL
	URL        string // absolute
	Title      string // plain text; "" if untitled
	Summary    string // plain text
	HTML       string // sanitised, all addresses absolute; "" gives a summary-only entry
	Published  time.Time
	Updated    time.Time
	Authors    []Person
	Categories []Category
	Language   string // "" or equal to the feed's: not repeated
	Image      Image
	Enclosure  Enclosure
	Comments   string // address of the page where people discuss it; ""
}

// An Image is the picture of an entry.
type Image struct {
	URL           string // absolute; "" if there is none
	Alt           string // what it shows, in plain text; ""
	Width, Height int    // in pixels; 0: unknown
}

// An Enclosure is a recording that belongs to an entry, such as an episode of
// a podcast.
type Enclosure struct {
	URL      string        // absolute; "" if there is none
	Type     string        // media type; "": the one that the end of URL stands for
	Length   int64         // in bytes; 0: unknown
	Duration time.Duration // 0: unknown
}

// Feed describes one feed.
type Feed struct {
	ID          string // Atom id; permanent
	Title       string
	SiteTitle   string // of the whole publication, Atom's author of last resort; "": Title
	Description string
	SiteURL     string // the page this is a feed of
	Language    string
	Author      Person    // of the entries that name none; may be empty
	Updated     time.Time // zero: the newest change of any entry, so that it moves with them alone
	Icon        string
	Generator   string
	Stylesheet  string      // address of a CSS style sheet for browsers; ""
	Hubs        []string    // WebSub hubs
	Tombstones  []Tombstone // entries that left, Atom only
	History     History
	Entries     []Entry // in order
}

// A Tombstone says that an entry left (RFC 6721 §3).
type Tombstone struct {
	ID   string
	When time.Time
}

// History is the place of a document among those that hold the older entries
// of a feed (RFC 5005).
type History struct {
	Complete bool   // the feed has no other entries (§2)
	Archive  bool   // the document is an archive of older entries (§4)
	Current  string // an archive's feed; ""
	Previous string // the archive before this document, in time; ""
	Next     string // the archive after this one; ""
}

// Self maps each format to the public address of that document.
type Self map[Format]string

// Outline is one feed in an OPML document.
type Outline struct {
	Group   string // "" for the top level, else the heading, "Categories"
	Title   string
	XMLURL  string
	HTMLURL string
}
