// Package publish turns a catalog snapshot into the current set of feed
// documents: every feed in every format, and the OPML. It rebuilds only what
// a change touched, remembers when each document's bytes last changed, and
// writes the set to disk for static hosts. It does not serve HTTP.
package publish

import (
	"path"
	"strings"
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
}

// A Set is everything published at one instant. It is immutable.
type Set struct {
	Feeds []*Feed // everything first, then categories, then tags, by slug
	OPML  *Document
	docs  map[string]*Document
}

// Lookup gives the document at a path, well-known aliases included; nil if
// there is none.
func (s *Set) Lookup(path string) *Document { return s.docs[path] }

// Documents gives each document of the feeds once, in their order, and the
// OPML last. Aliases and the feeds of terms that lost their posts are not
// among them.
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

// copies are the aliases that can be files of their own.
func (s *Set) copies() []alias {
	var out []alias
	for _, a := range aliases {
		if d := s.docs[a.path]; d != nil && strings.Contains(path.Base(a.path), ".") {
			out = append(out, alias{a.path, d})
		}
	}
	return out
}

// An alias is another path of a document.
type alias struct {
	path string
	doc  *Document
}

// formats in the order in which they are offered.
var formats = [...]feed.Format{feed.RSS, feed.Atom, feed.JSON}

// aliases are further paths of the main feed, where readers and migrated
// subscribers look for it.
var aliases = [...]struct {
	path   string
	format feed.Format
}{
	{"/index.xml", feed.RSS}, {"/rss.xml", feed.RSS}, {"/rss/feed.xml", feed.RSS}, {"/index.rss", feed.RSS},
	{"/feed", feed.RSS}, {"/feed/", feed.RSS}, {"/rss", feed.RSS}, {"/rss/", feed.RSS},
	{"/feed.atom", feed.Atom},
	{"/index.json", feed.JSON},
}

// newSet makes the index. Retired feeds can be looked up but are not listed.
func newSet(feeds, retired []*Feed, opml *Document) *Set {
	s := &Set{Feeds: feeds, OPML: opml, docs: map[string]*Document{opml.Path: opml}}
	for _, list := range [][]*Feed{feeds, retired} {
		for _, f := range list {
			for _, d := range f.Docs {
				s.docs[d.Path] = d
			}
		}
	}
	for _, a := range aliases {
		if d := s.docs["/"+a.format.FileName()]; d != nil {
			s.docs[a.path] = d
		}
	}
	return s
}
