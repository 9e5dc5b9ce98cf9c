package publish

import (
	"net/url"
	"strings"

	"tidings/internal/feed"
	"tidings/internal/post"
)

// SetRenderer puts another renderer in the place of post.Render.
func (p *Publisher) SetRenderer(render func(*post.Post, *url.URL) string) { p.html = render }

// Copies are the files that a set makes besides its documents.
func (s *Set) Copies() map[string]string {
	out := map[string]string{}
	for _, a := range s.copies() {
		out[strings.TrimPrefix(a.path, "/")] = string(a.doc.Bytes())
	}
	return out
}

// Paths are where a static host answers with a document: its own path and its
// aliases, but those with a query.
func (s *Set) Paths() []string {
	var paths []string
	for p := range s.docs {
		if !strings.Contains(p, "?") {
			paths = append(paths, p)
		}
	}
	return paths
}

// NewSet gives a Set of one feed with these documents.
func NewSet(docs ...*Document) *Set {
	s := Config{}.newSet(nil, nil, NewDocument(opmlPath, feed.OPMLMediaType, []byte("<opml/>")), nil)
	for _, d := range docs {
		s.Feeds = append(s.Feeds, &Feed{Docs: map[feed.Format]*Document{"rss": d}})
	}
	return s
}
