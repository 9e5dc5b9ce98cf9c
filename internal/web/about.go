package web

import (
	"net/http"

	"tidings/internal/catalog"
	"tidings/internal/locale"
	"tidings/internal/page"
	"tidings/internal/publish"
)

// previewed is how many posts the page about a feed shows.
const previewed = 5

// kindOfFeed is the messages that say what the feeds of a taxonomy are.
var kindOfFeed = map[catalog.Kind]string{
	catalog.Category: "feed.category", catalog.Tag: "feed.tag", catalog.Author: "feed.author",
	catalog.Section: "feed.section", publish.Combined: "feed.combined",
}

// aboutPath is the path of the page about a feed, not escaped.
func aboutPath(f *publish.Feed) string {
	if f.Kind == publish.Combined {
		return f.Path
	}
	return "/feeds" + f.Path
}

// about gives the handler of the pages about the feeds of one taxonomy.
func (s *server) about(kind catalog.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		snap, set := s.Snapshot(), s.feeds()
		if snap == nil || set == nil {
			return errStarting
		}
		t := snap.TermAt(kind, r.PathValue("slug"))
		if t == nil {
			return errNotFound
		}
		f := s.feedOf(kind, t.Key)
		if f == nil {
			return errNotFound
		}
		if path := aboutPath(f); t.Slug != r.PathValue("slug") {
			return s.move(w, r, s.root+path)
		}
		in := s.speaks(w, r)
		contents := s.feedPage(in, f, snap, t.Entries)
		if path := termPath(t); kind != catalog.Section {
			contents.Page = &page.Link{Name: in.T("feed.page"), URL: s.local(escapedPath(path))}
		}
		if kind == catalog.Category || kind == catalog.Tag {
			contents.Form = s.topicForm(in, t)
		}
		return s.showFeed(w, r, contents)
	}
}

// aboutNamed is the page about a combined feed of the configuration.
func (s *server) aboutNamed(w http.ResponseWriter, r *http.Request) error {
	snap := s.Snapshot()
	if snap == nil || s.feeds() == nil {
		return errStarting
	}
	f := s.feedOf(publish.Combined, r.PathValue("name"))
	if f == nil {
		return errNotFound
	}
	return s.showFeed(w, r, s.feedPage(s.speaks(w, r), f, snap, f.Latest))
}

func (s *server) feedPage(in *locale.Language, f *publish.Feed, snap *catalog.Snapshot, entries []*catalog.Entry) page.FeedPage {
	frame := s.frame(in, f.Name, aboutPath(f))
	frame.Section, frame.Alternates = "feeds", s.alternates(f)
	contents := page.FeedPage{
		Frame: frame, Name: f.Name, Posts: f.Posts, Addresses: s.addresses(f),
	}
	if kind := kindOfFeed[f.Kind]; kind != "" {
		contents.Kind = in.T(kind)
	}
	index := s.indexOf(snap)
	for _, e := range entries[:min(len(entries), previewed)] {
		contents.Entries = append(contents.Entries, s.entry(in, index, e))
	}
	return contents
}

func (s *server) showFeed(w http.ResponseWriter, r *http.Request, contents page.FeedPage) error {
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	body, err := s.pages.Feed.Render(contents)
	return s.show(w, r, body, err)
}

// addresses are the public ones of a feed, to be copied.
func (s *server) addresses(f *publish.Feed) []page.Link {
	var links []page.Link
	for _, o := range offered {
		if doc := f.Docs[o.format]; doc != nil {
			links = append(links, page.Link{Name: o.name, URL: s.documentURL(doc)})
		}
	}
	return links
}
