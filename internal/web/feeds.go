package web

import (
	"net/http"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/page"
	"tidings/internal/publish"
)

// offered is the formats in the order in which they are offered.
var offered = [...]struct {
	format feed.Format
	name   string
}{{feed.RSS, "RSS"}, {feed.Atom, "Atom"}, {feed.JSON, "JSON"}}

// directory lists every feed for people.
func (s *server) directory(w http.ResponseWriter, r *http.Request) error {
	set := s.feeds()
	if set == nil {
		return errStarting
	}
	in := s.speaks(w, r)
	groups := []page.FeedGroup{
		{Heading: in.T("term.categories"), Anchor: "categories"},
		{Heading: in.T("term.tags"), Anchor: "tags"},
		{Heading: in.T("term.authors"), Anchor: "authors"},
		{Heading: in.T("term.sections"), Anchor: "sections"},
		{Heading: in.T("term.combined"), Anchor: "combined"},
	}
	place := map[catalog.Kind]int{catalog.Category: 0, catalog.Tag: 1, catalog.Author: 2, catalog.Section: 3, publish.Combined: 4}
	frame := s.frame(in, in.T("feeds.title"), "/feeds/")
	frame.Section = "feeds"
	contents := page.Feeds{Frame: frame, OPML: s.documentLink(set.OPML), Builder: s.builder(publish.Query{})}
	for _, f := range set.Feeds {
		if f.Kind == "" {
			contents.Main = s.addresses(f)
			continue
		}
		g := &groups[place[f.Kind]]
		g.Feeds = append(g.Feeds, page.Feed{Title: f.Name, URL: s.local(escapedPath(aboutPath(f))), Posts: f.Posts})
	}
	if letters := s.archives(in); len(letters.Feeds) > 0 {
		groups = append(groups, letters)
	}
	for _, g := range groups {
		if len(g.Feeds) > 0 {
			contents.Groups = append(contents.Groups, g)
		}
	}
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	body, err := s.pages.Feeds.Render(contents)
	return s.show(w, r, body, err)
}

// feeds is what is published; nil until it is made for the first time.
func (s *server) feeds() *publish.Set {
	if set := s.Set(); set != nil && set.OPML != nil {
		return set
	}
	return nil
}

// feedOf finds the feed of a term, or with "" and "" that of everything; nil
// if it is not made yet.
func (s *server) feedOf(kind catalog.Kind, key string) *publish.Feed {
	set := s.feeds()
	if set == nil {
		return nil
	}
	for _, f := range set.Feeds {
		if f.Kind == kind && f.Key == key {
			return f
		}
	}
	return nil
}

// formats links to each format of a feed.
func (s *server) formats(f *publish.Feed) []page.Link {
	var links []page.Link
	for _, o := range offered {
		if f == nil {
			break
		}
		if doc := f.Docs[o.format]; doc != nil {
			links = append(links, page.Link{Name: o.name, URL: s.documentLink(doc)})
		}
	}
	return links
}

// alternates announces the feed of everything first, because readers take the
// first, and then that of the page, if it has one of its own.
func (s *server) alternates(own *publish.Feed) []page.Alternate {
	var list []page.Alternate
	for _, f := range []*publish.Feed{s.feedOf("", ""), own} {
		for _, o := range offered {
			if f == nil {
				break
			}
			if doc := f.Docs[o.format]; doc != nil {
				essence, _, _ := strings.Cut(doc.MediaType, ";")
				list = append(list, page.Alternate{Type: essence, Title: f.Title + " (" + o.name + ")", URL: s.documentURL(doc)})
			}
		}
	}
	return list
}

// documentURL is the public address of a document.
func (s *server) documentURL(doc *publish.Document) string {
	return strings.TrimRight(s.FeedsURL, "/") + escapedPath(doc.Path)
}

// documentLink is a document's address as links on pages have it: on this
// host, unless the feeds are public elsewhere.
func (s *server) documentLink(doc *publish.Document) string {
	if s.FeedsURL != s.BaseURL {
		return s.documentURL(doc)
	}
	return s.local(escapedPath(doc.Path))
}

// hubLinks is the Link header of a document (WebSub §4); nil without hubs.
func (s *server) hubLinks(doc *publish.Document) []string {
	if len(doc.Hubs) == 0 {
		return nil
	}
	links := []string{`<` + s.documentURL(doc) + `>; rel="self"`}
	for _, hub := range doc.Hubs {
		links = append(links, `<`+hub+`>; rel="hub"`)
	}
	return []string{strings.Join(links, ", ")}
}
