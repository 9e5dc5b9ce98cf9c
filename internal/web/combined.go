package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/page"
	"tidings/internal/publish"
)

// builder is the form that combines feeds, filled in with a query; nil where
// there is nothing to combine.
func (s *server) builder(q publish.Query) *page.Builder {
	snap := s.Snapshot()
	if snap == nil || len(snap.Categories)+len(snap.Tags) == 0 {
		return nil
	}
	b := &page.Builder{Action: s.local(publish.CombinedPage)}
	asked := q.Parameters()
	b.Categories = topics(snap.Categories, asked["category"])
	if s.Authors {
		b.Authors = topics(snap.Terms(catalog.Author), asked["author"])
	}
	for _, f := range []struct {
		name string
		list *string
	}{{"tag", &b.Tags}, {"all-tag", &b.AllTags}, {"not-tag", &b.NotTags}} {
		*f.list = strings.Join(asked[f.name], ", ")
	}
	shown := []string{"category", "author", "tag", "all-tag", "not-tag"}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !slices.Contains(shown, name) {
			b.Kept = append(b.Kept, page.Hidden{Name: name, Value: strings.Join(asked[name], ",")})
		}
	}
	return b
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
	in := s.speaks(w, r)
	contents := s.feedPage(in, f, s.Snapshot(), f.Latest)
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
		contents.Form = s.topicForm(in, topics...)
	}
	contents.Builder = s.builder(q)
	return s.showFeed(w, r, contents)
}

// topicsOf gives the topics of a sign-up for what a query asks for; false if a
// newsletter cannot ask for the same.
func topicsOf(q publish.Query) (topics []*catalog.Term, ok bool) {
	by := q.Choice()
	return by.Any, len(by.Any) > 0 && len(by.In)+len(by.All)+len(by.Not) == 0
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
	return fault{status: 404, title: "error.query", detail: strings.ToUpper(text[:1]) + text[1:] + "."}
}
