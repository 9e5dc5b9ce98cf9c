package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tidings/internal/locale"
	"tidings/internal/page"
	"tidings/internal/publish"
)

const (
	// Pages change with every new post; a copy is good for a minute and cheap
	// to confirm after that.
	pageCaching  = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
	assetCaching = "public, max-age=31536000, immutable"

	// Without a limit browsers would keep a redirect for ever, and a mistake
	// could not be mended.
	moveCaching = "public, max-age=3600"
)

// show answers GET with a page that is the same for everybody.
func (s *server) show(w http.ResponseWriter, r *http.Request, body []byte, err error) error {
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	w.Header().Set("Cache-Control", pageCaching)
	publicly(w, r, "text/html; charset=utf-8", hex.EncodeToString(sum[:16]), body)
	return nil
}

// publicly answers with what is the same for everybody, in gzip for those who
// take it. Nothing secret is in it, so that its compressed length tells nothing.
func publicly(w http.ResponseWriter, r *http.Request, mediaType, hash string, body []byte) {
	h, tag := w.Header(), hash
	h.Add("Vary", "Accept-Encoding")
	squeeze := len(body) >= worthSqueezing && accepted(r.Header["Accept-Encoding"]).names("gzip")
	if squeeze {
		tag += "-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	if notModified(r, hash, time.Time{}) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if squeeze {
		if small, err := publish.Compress("gzip", body); err == nil {
			h.Set("Content-Encoding", "gzip")
			body = small
		}
	}
	write(w, http.StatusOK, mediaType, body)
}

// tell answers with a page for this visitor alone.
func tell(w http.ResponseWriter, status int, body []byte, err error) error {
	if err == nil {
		writeHTML(w, status, body)
	}
	return err
}

func writeHTML(w http.ResponseWriter, status int, body []byte) {
	write(w, status, "text/html; charset=utf-8", body)
}

func writeText(w http.ResponseWriter, status int, text string) {
	write(w, status, "text/plain; charset=utf-8", []byte(text))
}

// write ends a response. An error of the connection is the visitor's leaving.
func write(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// move redirects for good to a path on this host, keeping the query.
func (s *server) move(w http.ResponseWriter, r *http.Request, path string) error {
	to := url.URL{Path: path, RawQuery: r.URL.RawQuery}
	return moveTo(w, to.String())
}

// moveTo redirects for good.
func moveTo(w http.ResponseWriter, address string) error {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusMovedPermanently)
	return nil
}

// front is the address of the front page.
func (s *server) front() string { return s.local("/") }

// frame surrounds a page in a language. path is the page's, "" for one without
// a lasting address.
func (s *server) frame(in *locale.Language, title, path string) page.Frame {
	f := page.Frame{Site: s.site(in), Title: title}
	if path != "" {
		f.Canonical = s.public(path)
		f.Alternates = s.alternates(nil)
	}
	return f
}

// asset serves a file that pages refer to.
func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	a := s.pages.Assets.Lookup(r.PathValue("name"))
	if a == nil {
		return errNotFound
	}
	caching := pageCaching
	if r.URL.Query().Get("v") == a.Version() {
		caching = assetCaching
	}
	w.Header().Set("Cache-Control", caching)
	publicly(w, r, a.MediaType, a.Hash, a.Bytes)
	return nil
}
