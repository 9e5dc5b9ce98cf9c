package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/internal/publish"
)

// mistaken reports whether a reader may ask for differences and yet take the
// answer 226 for an error. The library feedparser asks always, whether the
// program around it knows or not; rss2email does not, and goes by the library's
// name or its own.
func mistaken(reader string) bool {
	return strings.HasPrefix(reader, "feedparser/") || strings.HasPrefix(reader, "rss2email/")
}

// wantsDelta reports whether a client can do with the new entries alone: it
// names the instance manipulation "feed" (RFC 3229 §10.5.3). Whoever is sent
// the whole feed for its name's sake may be sent it from any cache, so Vary
// need not tell of that.
func wantsDelta(r *http.Request) bool {
	if len(r.Header["A-Im"]) == 0 || mistaken(r.UserAgent()) {
		return false
	}
	for _, field := range r.Header["A-Im"] {
		for part := range strings.SplitSeq(field, ",") {
			name, params, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "feed") && weight(params) > 0 {
				return true
			}
		}
	}
	return false
}

// newest gives what is new since one of the versions that a client has, and
// the tag of that one; nil if none of them is known, or if the document as a
// whole is no larger.
func newest(r *http.Request, doc *publish.Document, now time.Time) (delta []byte, since string) {
	list := strings.Join(r.Header["If-None-Match"], ",")
	for list = strings.TrimLeft(list, " \t,"); list != "" && list[0] != '*'; list = strings.TrimLeft(list, " \t,") {
		var tag string
		tag, list = nextTag(list)
		if delta, ok := doc.Since(bareTag(tag), now); ok && len(delta) < doc.Size {
			return delta, `"` + tag + `"`
		}
	}
	return nil, ""
}

// delta answers with 226 and the new entries (RFC 3229 §10.4.1). The tag is
// that of the whole document, which the client has now. Only that client can
// do anything with the answer, so nobody else is to keep it.
func (p *reply) delta(w http.ResponseWriter, r *http.Request, delta []byte, since string) {
	h := w.Header()
	h.Set("IM", "feed")
	h.Set("Delta-Base", since)
	h.Set("Cache-Control", "private, no-store")
	h["Etag"] = p.plain.tag
	h["Content-Type"] = p.mediaType(r)
	if client := accepted(r.Header["Accept-Encoding"]); client.names("gzip") && (len(delta) >= worthSqueezing || !client.plain) {
		if b, err := publish.Compress("gzip", delta); err == nil {
			h.Set("Content-Encoding", "gzip")
			delta = b
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(delta)))
	w.WriteHeader(http.StatusIMUsed)
	w.Write(delta)
}
