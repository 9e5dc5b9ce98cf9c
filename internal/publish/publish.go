// Package publish turns a catalog snapshot into the current set of feed
// documents: every feed in every format, and the OPML. It rebuilds only what
// a change touched, remembers when each document's bytes last changed, and
// writes the set to disk for static hosts. It does not serve HTTP.
package publish

import (
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// A Feed is one feed with its documents.
type Feed struct {
	Kind     catalog.Kind // "" for the feed of everything
	Key      string       // term key; ""
	Name     string       // display name of the term; ""
	Title    string
	Path     string // its page and folder: "/", "/categories/devops/"
	Posts    int    // visible posts it matches, also beyond the window
	Modified time.Time
	Docs     map[feed.Format]*Document

	Latest []*catalog.Entry // what it shows, newest first

	names []string // by which posts name the term, and its former ones
}

// A Set is everything published at one instant. It is immutable.
type Set struct {
	Feeds    []*Feed // everything first, then each taxonomy by slug
	OPML     *Document
	docs     map[string]*Document // by path and by alias
	aliases  []alias              // of Feeds, in order of precedence
	attached []*Document          // what belongs to feeds: archives, their style sheet
	cfg      Config
	moved    map[string]string // former path of a document or page of a term → present path
}

// Lookup gives the document at a path, also at one of the well-known paths and
// those of the preset; nil if there is none. The query of an address, if it
// matters, is part of the path: "/?feed=rss2".
func (s *Set) Lookup(path string) *Document { return s.docs[path] }

// Moved gives the present path of a document or page of a term that had
// another slug; "" if the path is none that was left.
func (s *Set) Moved(path string) string {
	if s.docs[path] != nil {
		return ""
	}
	return s.moved[path]
}

// addArchives adds the documents of older posts. They belong to feeds that are
// in the set already.
func (s *Set) addArchives(archives []*Feed) {
	for _, f := range archives {
		for _, format := range formats {
			if d := f.Docs[format]; d != nil {
				s.attach(d)
			}
		}
	}
}

func (s *Set) attach(d *Document) {
	s.attached = append(s.attached, d)
	s.docs[d.Path] = d
}

// Documents gives each document of the feeds once, in their order, and the
// OPML last. Aliases, archives, and the feeds of terms that lost their posts
// are not among them.
func (s *Set) Documents() []*Document {
	var out []*Document
	for _, f := range s.Feeds {
		for _, format := range formats {
			if d := f.Docs[format]; d != nil {
				out = append(out, d)
			}
		}
	}
	if s.OPML != nil {
		out = append(out, s.OPML)
	}
	return out
}

// formats in the order in which they are offered.
var formats = [...]feed.Format{feed.RSS, feed.Atom, feed.JSON}

// newSet makes the index. Retired feeds can be looked up but are not listed.
func (c Config) newSet(feeds, retired []*Feed, opml *Document, former map[catalog.Kind]map[string]string) *Set {
	s := &Set{cfg: c, Feeds: feeds, OPML: opml, docs: map[string]*Document{opml.Path: opml}, moved: c.movedPaths(former)}
	for _, list := range [][]*Feed{feeds, retired} {
		for _, f := range list {
			for _, d := range f.Docs {
				s.docs[d.Path] = d
			}
		}
	}
	s.aliases = c.aliasesOf(feeds)
	for _, a := range slices.Concat(s.aliases, c.aliasesOf(retired)) {
		if s.docs[a.path] == nil {
			s.docs[a.path] = a.doc
		}
	}
	return s
}
