package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
)

// pagePolicy lets a page load its own style sheet and pictures and nothing
// else. There are no scripts.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// scriptPolicy lets scripts of our own help: with addresses to copy, and with
// forms. No page with the text of a post has it.
const scriptPolicy = pagePolicy + "; script-src 'self'; connect-src 'self'"

// postPolicy also lets a post show pictures and play media from elsewhere.
const postPolicy = "default-src 'none'; style-src 'self'; img-src * data:; media-src *; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const referrerPolicy = "strict-origin-when-cross-origin"

// chain puts around h what every request goes through, outermost first.
func (s *server) chain(h http.Handler) http.Handler {
	return s.straight(s.record(s.recoverPanic(safeDefaults(s.atRoot(h)))))
}

// safeDefaults sets the headers of a page nobody may keep; handlers loosen
// what they know to be harmless.
func safeDefaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", referrerPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// atRoot removes the public address's own path from the request's, if the
// proxy in front has not done so already, and puts doubtful paths right.
func (s *server) atRoot(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := *r.URL
		for _, prefix := range s.prefixes {
			if u.Path == prefix {
				s.move(w, r, prefix+"/")
				return
			}
			if strings.HasPrefix(u.Path, prefix+"/") {
				u.Path = u.Path[len(prefix):]
				u.RawPath = cutRaw(u.RawPath, prefix)
				break
			}
		}
		if clean := cleanPath(u.Path); clean != u.Path {
			s.move(w, r, s.root+clean)
			return
		}
		inner := r.WithContext(r.Context())
		inner.URL = &u
		next.ServeHTTP(w, inner)
	})
}

// cutRaw removes the prefix from the escaped path; "" lets net/url escape the
// plain one.
func cutRaw(raw, prefix string) string {
	if rest, ok := strings.CutPrefix(raw, (&url.URL{Path: prefix}).EscapedPath()); ok {
		return rest
	}
	return ""
}

// cleanPath removes empty, "." and ".." elements, and keeps a last slash.
func cleanPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// recoverPanic turns a panic into a 500: one faulty page does not end the
// connection without a word.
func (s *server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.fail(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

// record notes every request at level debug.
func (s *server) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		start := s.Now()
		next.ServeHTTP(rec, r)
		s.Log.LogAttrs(r.Context(), slog.LevelDebug, "request",
			slog.String("method", r.Method), slog.String("path", withoutToken(r.URL.Path)),
			slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes),
			slog.Duration("took", s.Now().Sub(start)),
			slog.String("client", clientAddr(r, s.TrustedProxies)))
	})
}

// withoutToken is a request's path as it may be logged: who reads the log must
// not be able to confirm or unsubscribe anybody.
func withoutToken(p string) string {
	elements := strings.Split(p, "/")
	for i, e := range elements {
		switch strings.ToLower(e) {
		case "confirm", "unsubscribe", "preferences", "address", "private":
			if i+1 < len(elements) {
				return strings.Join(elements[:i+1], "/") + "/…"
			}
		}
	}
	return p
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header is written
	bytes  int64
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
