package web

import (
	"log/slog"
	"net/http"
	"strings"

	"tidings/internal/publish"
)

// documentHeader is what every answer about a document has. The slices are
// shared by all answers, and nobody writes to them.
var documentHeader = map[string][]string{
	"Cache-Control":                 {publish.Caching},
	"Content-Security-Policy":       {publish.Policy},
	"Vary":                          {"Accept-Encoding, A-IM, Sec-Fetch-Dest"},
	"Access-Control-Allow-Origin":   {"*"},
	"Access-Control-Expose-Headers": {"ETag, Last-Modified, IM, Delta-Base, Link"},
	"Cross-Origin-Resource-Policy":  {"cross-origin"},
	"Referrer-Policy":               {referrerPolicy},
	"X-Content-Type-Options":        {"nosniff"},
}

// straight answers requests for documents before anything else is looked at:
// readers come for little else, and most of them only ask whether there is
// anything new. Everything that is not the plain case goes the long way, which
// gives the same answer.
func (s *server) straight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if doc, shelf := s.wanted(r); doc != nil {
			s.document(w, r, shelf.of(doc))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wanted is the document that a request asks for in so many words; nil if
// that is not certain, or if the request is to be logged.
func (s *server) wanted(r *http.Request) (*publish.Document, *shelf) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || s.Log.Enabled(r.Context(), slog.LevelDebug) {
		return nil, nil
	}
	set := s.feeds()
	if set == nil {
		return nil, nil
	}
	path := r.URL.Path
	if s.root != "" {
		path = strings.TrimPrefix(path, s.root)
	}
	return set.Lookup(path), s.shelves.of(set)
}

// document serves a feed or the OPML. Every response, 304 included, has the
// same validators and caching headers. There are no byte ranges: a part of a
// feed is of no use to anyone.
func (s *server) document(w http.ResponseWriter, r *http.Request, reply *reply) {
	s.documentAs(documentHeader, w, r, reply)
}

func (s *server) documentAs(header map[string][]string, w http.ResponseWriter, r *http.Request, reply *reply) {
	h := w.Header()
	for name, values := range header {
		h[name] = values
	}
	delete(h, "Cross-Origin-Opener-Policy")
	if reply.links != nil {
		h["Link"] = reply.links
	}
	h["Last-Modified"] = reply.modified
	switch {
	case notModified(r, reply.plain.tag[0], reply.doc.Modified):
		h["Etag"] = reply.heldTag(r)
		w.WriteHeader(http.StatusNotModified)
		return
	case wantsDelta(r):
		if delta, since := newest(r, reply.doc, s.Now()); delta != nil {
			reply.delta(w, r, delta, since)
			return
		}
	}
	form := reply.form(accepted(r.Header["Accept-Encoding"]))
	h["Etag"] = form.tag
	if form.coding != nil {
		h["Content-Encoding"] = form.coding
	}
	h["Content-Type"] = reply.mediaType(r)
	h["Content-Length"] = form.length
	w.Write(form.body)
}

const documentMethods = "GET, HEAD, OPTIONS"

// preflight answers what a browser asks before a script of another site may
// send the headers of a feed reader (Fetch §3.2.2).
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "A-IM, If-Modified-Since, If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Allow", documentMethods)
	w.WriteHeader(http.StatusNoContent)
}
