package web

import (
	"net/http"
	"strconv"
	"strings"

	"tidings/internal/publish"
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
	h.Set("Cache-Control", publish.Caching)
	h.Set("Content-Security-Policy", publish.Policy)
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
