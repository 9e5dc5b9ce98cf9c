package web

import (
	"net/http"
	"strconv"
	"strings"

	"tidings/internal/publish"
)

const (
	// Readers take max-age as the shortest time between two visits. Caches may
	// show an hour-old feed while they fetch, and a week-old one when we are
	// away.
	feedCaching = "public, max-age=900, stale-while-revalidate=3600, stale-if-error=604800"

	// A script inside a feed would otherwise run on our origin when somebody
	// opens the feed in a browser.
	feedPolicy = "default-src 'none'; style-src 'self'; img-src *; sandbox"
)

// document serves a feed or the OPML. Every response, 304 included, has the
// same validators and caching headers. There are no byte ranges: a part of a
// feed is of no use to anyone. A request for differences (A-IM, RFC 3229) gets
// the whole document, as that RFC allows.
func (s *server) document(w http.ResponseWriter, r *http.Request, set *publish.Set, doc *publish.Document) {
	body, tag := doc.Bytes(), doc.ETag()
	var squeezed []byte
	if namesGzip(r) {
		squeezed = s.gzip.get(set, doc)
	}
	if squeezed != nil {
		body, tag = squeezed, strings.TrimSuffix(tag, `"`)+`-gzip"`
	}
	h := w.Header()
	documentHeaders(h)
	h.Set("ETag", tag)
	h.Set("Last-Modified", doc.Modified.UTC().Format(http.TimeFormat))
	if notModified(r, tag, doc.Modified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if squeezed != nil {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", mediaType(r, doc))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func documentHeaders(h http.Header) {
	h.Set("Cache-Control", feedCaching)
	h.Set("Content-Security-Policy", feedPolicy)
	h.Set("Vary", "Accept-Encoding, Sec-Fetch-Dest")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Last-Modified")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Del("Cross-Origin-Opener-Policy")
}

// mediaType is the document's own, but for a person who opens the address in a
// browser: browsers show XML and JSON by their plain names and download feeds.
func mediaType(r *http.Request, doc *publish.Document) string {
	if r.Header.Get("Sec-Fetch-Dest") != "document" {
		return doc.MediaType
	}
	if essence, _, _ := strings.Cut(doc.MediaType, ";"); strings.HasSuffix(essence, "json") {
		return "application/json; charset=utf-8"
	}
	return "application/xml; charset=utf-8"
}
