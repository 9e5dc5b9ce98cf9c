package web

import (
	"net/http"
	"net/url"
	"strings"

	"tidings/internal/catalog"
)

// published answers for the addresses that depend on what is published: the
// documents, the posts, and where posts have been before.
func (s *server) published(w http.ResponseWriter, r *http.Request) {
	found := s.find(r.URL.Path)
	if found.get == nil {
		s.fail(w, r, s.missing())
		return
	}
	s.serve(found).ServeHTTP(w, r)
}

// missing is why nothing was found: until everything is read, nothing can be
// said to be missing.
func (s *server) missing() error {
	if s.feeds() == nil || s.Snapshot() == nil {
		return errStarting
	}
	return errNotFound
}

// find gives what answers at a path; a route without get if nothing does.
func (s *server) find(path string) route {
	if set := s.feeds(); set != nil {
		if doc := set.Lookup(path); doc != nil {
			return route{feed: true, get: func(w http.ResponseWriter, r *http.Request) error {
				s.document(w, r, s.shelves.of(set).of(doc))
				return nil
			}}
		}
		if to := set.Moved(path); to != "" {
			return route{get: s.moved(s.root + to)}
		}
	}
	snap := s.Snapshot()
	if snap == nil || !s.HostsPosts {
		return route{}
	}
	if e := snap.ByPath[path]; e != nil {
		return route{get: func(w http.ResponseWriter, r *http.Request) error { return s.post(w, r, snap, e) }}
	}
	if to := present(snap, path); to != "" {
		return route{get: s.moved(s.posts + to)}
	}
	if hasGone(snap, path) {
		return route{get: func(http.ResponseWriter, *http.Request) error { return errGone }}
	}
	return route{}
}

// moved gives the handler of an address that was left for another one.
func (s *server) moved(to string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", moveCaching)
		return s.move(w, r, to)
	}
}

// hasGone reports whether a post was at a path that left.
func hasGone(snap *catalog.Snapshot, path string) bool {
	for _, p := range spellings(path) {
		if snap.Gone[p] {
			return true
		}
	}
	return false
}

// spellings are the forms in which a post's address may be asked for: with a
// missing or a needless last slash, or with the file name that static hosts
// show.
func spellings(path string) []string {
	bare := strings.TrimSuffix(strings.TrimSuffix(path, "index.html"), "/")
	return []string{path, bare + "/", bare}
}

// present gives the address that took the place of a path; "" if none did.
func present(snap *catalog.Snapshot, path string) string {
	for _, p := range spellings(path) {
		if snap.ByPath[p] != nil {
			return p
		}
		if to, ok := snap.Redirects[p]; ok {
			return to
		}
	}
	return ""
}

// postURL is the address of a post as links within the site have it: without
// the host where this daemon shows the post itself.
func (s *server) postURL(e *catalog.Entry) string {
	if !s.HostsPosts || e.Path == "" {
		return e.URL
	}
	return (&url.URL{Path: s.posts + e.Path}).EscapedPath()
}
