package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/store"
)

// Outcomes that are nobody's fault here.
var (
	errNotFound = errors.New("there is no such page")
	errGone     = errors.New("the post was removed")
	errStarting = errors.New("the posts are still being read")
	errOrigin   = errors.New("the form was sent from another site")
)

// methodError refuses a method.
type methodError struct{ allow string }

func (e methodError) Error() string { return "method not allowed; allowed are " + e.allow }

// A fault is what a visitor is told about an error.
type fault struct {
	status int
	title  string
	text   string
}

// explain is the one place where errors become statuses.
func explain(err error) fault {
	var method methodError
	var tooLarge *http.MaxBytesError
	var query queryError
	switch {
	case errors.As(err, &query):
		return query.fault()
	case errors.Is(err, errNotFound):
		return fault{404, "Page not found", "There is nothing at this address. It may have been mistyped, or the page may have been removed."}
	case errors.Is(err, errGone):
		return fault{410, "This post is no more", "It was here once and has been taken down."}
	case errors.Is(err, newsletter.ErrToken):
		return fault{404, "This link no longer works", "It may be incomplete, or too old. If you copied it from a mail, make sure that you have all of it; otherwise simply sign up once more."}
	case errors.As(err, &method):
		return fault{405, "Not possible here", "This address can only be read."}
	case errors.Is(err, errOrigin):
		return fault{403, "Please use the form on this site", "Your browser says that the request came from another site, so nothing was done."}
	case errors.As(err, &tooLarge):
		return fault{413, "That is too much", "The form holds more than can be accepted."}
	case errors.Is(err, errForm):
		return fault{400, "The form could not be read", "Something was lost on the way. Please go back and try again."}
	case errors.Is(err, errStarting):
		return fault{503, "Just a moment", "The site is starting. Please try again in a few seconds."}
	case errors.Is(err, store.ErrUnwritable), errors.Is(err, store.ErrLocked):
		return fault{503, "Please try again later", "Nothing can be saved at the moment, so what you asked for was not done."}
	}
	return fault{500, "Something went wrong", "The fault is on our side and has been noted. Please try again later."}
}

// fail answers with an error. Faults of our own are logged, one line each.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the visitor has gone
	}
	f := explain(err)
	if f.status >= 500 && !errors.Is(err, errStarting) {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("method", r.Method), slog.String("path", withoutToken(r.URL.Path)),
			slog.Int("status", f.status), slog.Any("error", err))
	}
	if rec, ok := w.(*recorder); ok && rec.status != 0 {
		return // too late to say anything else
	}
	s.refuse(w, r, f, err)
}

// refuse writes the page of a fault.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, f fault, err error) {
	var method methodError
	if errors.As(err, &method) {
		w.Header().Set("Allow", method.allow)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Encoding"} {
		w.Header().Del(name)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	frame := s.frame(f.title, "")
	frame.NoIndex = true
	action := page.Link{Name: "To the front page", URL: s.front()}
	if query := (queryError{}); errors.As(err, &query) {
		action = page.Link{Name: "To the feeds", URL: s.local("/feeds/")}
	}
	body, renderErr := s.pages.Notice.Render(page.Notice{Frame: frame, Text: []string{f.text}, Action: &action})
	if renderErr != nil {
		http.Error(w, f.title, f.status)
		return
	}
	writeHTML(w, f.status, body)
}
