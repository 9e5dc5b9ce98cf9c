package web

import (
	"cmp"
	"net/http"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/page"
	"tidings/internal/publish"
)

// previewed is how many posts the page about a feed shows.
const previewed = 5

// kindOfFeed says what the feeds of a taxonomy are.
var kindOfFeed = map[catalog.Kind]string{
	catalog.Category: "Feed of a category", catalog.Tag: "Feed of a tag", catalog.Author: "Feed of an author",
	catalog.Section: "Feed of a section", publish.Combined: "Combined feed",
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
		contents := s.feedPage(f, snap, t.Entries)
		if path := termPath(t); kind != catalog.Section {
			contents.Page = &page.Link{Name: "the posts", URL: s.local(escapedPath(path))}
		}
		if kind == catalog.Category || kind == catalog.Tag {
			contents.Form = s.topicForm(page.Hidden{Name: string(kind), Value: t.Slug})
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
	return s.showFeed(w, r, s.feedPage(f, snap, f.Latest))
}

func (s *server) feedPage(f *publish.Feed, snap *catalog.Snapshot, entries []*catalog.Entry) page.FeedPage {
	frame := s.frame(f.Name, aboutPath(f))
	frame.Section, frame.Alternates = "feeds", s.alternates(f)
	contents := page.FeedPage{
		Frame: frame, Kind: kindOfFeed[f.Kind], Name: f.Name, Posts: f.Posts, Modified: f.Modified, Addresses: s.addresses(f),
	}
	index := s.indexOf(snap)
	for _, e := range entries[:min(len(entries), previewed)] {
		contents.Entries = append(contents.Entries, s.entry(index, e))
	}
	return contents
}

func (s *server) showFeed(w http.ResponseWriter, r *http.Request, contents page.FeedPage) error {
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

// topicForm is the sign-up form for some topics; nil while nobody can sign up.
func (s *server) topicForm(topics ...page.Hidden) *page.TopicForm {
	if s.signUpOff() != "" {
		return nil
	}
	return &page.TopicForm{Form: s.form(choices{}), Hidden: topics}
}

// builder is the form that combines feeds; nil without categories and tags.
func (s *server) builder() *page.Builder {
	snap := s.Snapshot()
	if snap == nil || len(snap.Categories)+len(snap.Tags) == 0 {
		return nil
	}
	return &page.Builder{Action: s.local(publish.CombinedPage), Categories: topics(snap.Categories, nil)}
}

// combined serves a feed that is asked for by query.
func (s *server) combined(w http.ResponseWriter, r *http.Request) error {
	f, q, err := s.combine(r)
	if err != nil {
		return err
	}
	file := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	for _, o := range offered {
		doc := f.Docs[o.format]
		if o.format.FileName() != file || doc == nil {
			continue
		}
		if q.Everything() {
			return moveTo(w, s.documentLink(doc))
		}
		s.document(w, r, s.queried.of(doc))
		return nil
	}
	return errNotFound
}

// aboutCombined is the page about a feed that is asked for by query.
func (s *server) aboutCombined(w http.ResponseWriter, r *http.Request) error {
	f, q, err := s.combine(r)
	switch {
	case err != nil:
		return err
	case q.Everything():
		return s.directory(w, r) // which has the form
	case r.URL.RawQuery != q.String():
		return moveTo(w, s.local(publish.CombinedPage+"?"+q.String()))
	}
	contents := s.feedPage(f, s.Snapshot(), f.Latest)
	contents.Canonical = s.public(publish.CombinedPage + "?" + q.String())
	contents.NoIndex = true // there is no end to them
	for i, a := range contents.Addresses {
		contents.Addresses[i].URL = a.URL + "?" + q.String()
	}
	for i, a := range contents.Alternates {
		if i >= len(contents.Alternates)-len(f.Docs) {
			contents.Alternates[i].URL = a.URL + "?" + q.String()
		}
	}
	if topics, ok := topicsOf(q); ok {
		contents.Form = s.topicForm(topics...)
	}
	return s.showFeed(w, r, contents)
}

// topicsOf gives the fields of a sign-up for what a query asks for; false if a
// newsletter cannot ask for the same.
func topicsOf(q publish.Query) (topics []page.Hidden, ok bool) {
	by := q.Selection()
	for _, t := range by.Any {
		if t.Kind != catalog.Category && t.Kind != catalog.Tag {
			return nil, false
		}
		topics = append(topics, page.Hidden{Name: string(t.Kind), Value: t.Slug})
	}
	return topics, len(topics) > 0 && len(by.All)+len(by.Not) == 0
}

// combine finds the feed of a query; without any it is that of everything.
func (s *server) combine(r *http.Request) (*publish.Feed, publish.Query, error) {
	snap := s.Snapshot()
	if snap == nil || s.feeds() == nil {
		return nil, publish.Query{}, errStarting
	}
	q, err := publish.ParseQuery(r.URL.Query(), snap)
	if err != nil {
		return nil, q, queryError{err}
	}
	if q.Everything() {
		return s.feedOf("", ""), q, nil
	}
	f, err := s.Combine(r.Context(), snap, q)
	return f, q, err
}

// A queryError says what is wrong with a query to who asked.
type queryError struct{ error }

func (e queryError) fault() fault {
	text := e.Error()
	return fault{404, "There is no such feed", cmp.Or(strings.ToUpper(text[:1])+text[1:]+".", "Please try another one.")}
}
