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

// A fault is what a visitor is told about an error: messages, and where there
// is more to say, words in English.
type fault struct {
	status      int
	title, text string // messages; text ""
	detail      string // instead of text
}

// explain is the one place where errors become statuses.
func explain(err error) fault {
	var method methodError
	var tooLarge *http.MaxBytesError
	var query queryError
	switch {
	case errors.As(err, &query):
		return query.fault()
	case errors.Is(err, errNotFound), errors.Is(err, newsletter.ErrIssue):
		return fault{status: 404, title: "error.not_found", text: "error.not_found_text"}
	case errors.Is(err, errGone):
		return fault{status: 410, title: "error.gone", text: "error.gone_text"}
	case errors.Is(err, newsletter.ErrToken):
		return fault{status: 404, title: "error.token", text: "error.token_text"}
	case errors.Is(err, newsletter.ErrMailingOff):
		return fault{status: 503, title: "error.unwritable", text: "error.busy_text"}
	case errors.Is(err, newsletter.ErrFresh):
		return fault{status: 403, title: "error.fresh", text: "own.fresh_note"}
	case errors.Is(err, errTooMany), errors.Is(err, newsletter.ErrBusy):
		return fault{status: 429, title: "error.too_many", text: "error.too_many_text"}
	case errors.As(err, &method):
		return fault{status: 405, title: "error.method", text: "error.method_text"}
	case errors.Is(err, errOrigin):
		return fault{status: 403, title: "error.origin", text: "error.origin_text"}
	case errors.As(err, &tooLarge):
		return fault{status: 413, title: "error.too_large", text: "error.too_large_text"}
	case errors.Is(err, errForm):
		return fault{status: 400, title: "error.form", text: "error.form_text"}
	case errors.Is(err, errStarting):
		return fault{status: 503, title: "error.starting", text: "error.starting_text"}
	case errors.Is(err, store.ErrUnwritable), errors.Is(err, store.ErrLocked):
		return fault{status: 503, title: "error.unwritable", text: "error.unwritable_text"}
	}
	return fault{status: 500, title: "error.ours", text: "error.ours_text"}
}

// fail answers with an error. Faults of our own are logged, one line each.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the visitor has gone
	}
	f := explain(err)
	s.note(r, f, err)
	if rec, ok := w.(*recorder); ok && rec.status != 0 {
		return // too late to say anything else
	}
	s.refuse(w, r, f, err)
}

// note logs a fault of our own.
func (s *server) note(r *http.Request, f fault, err error) {
	if f.status >= 500 && !errors.Is(err, errStarting) {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("method", r.Method), slog.String("path", withoutToken(r.URL.Path)),
			slog.Int("status", f.status), slog.Any("error", err))
	}
}

// refuse writes the page of a fault.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, f fault, err error) {
	var method methodError
	if errors.As(err, &method) {
		w.Header().Set("Allow", method.allow)
	}
	if f.status == http.StatusTooManyRequests {
		tooMany(w)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Encoding"} {
		w.Header().Del(name)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	in := s.speaks(w, r)
	frame := s.frame(in, in.T(f.title), "")
	frame.NoIndex = true
	action := page.Link{Name: in.T("error.front"), URL: s.front()}
	if query := (queryError{}); errors.As(err, &query) {
		action = page.Link{Name: in.T("error.feeds"), URL: s.local("/feeds/")}
	}
	if errors.Is(err, newsletter.ErrToken) {
		action = page.Link{Name: in.T("error.new_link"), URL: s.local("/preferences")}
	}
	text := f.detail
	if f.text != "" {
		text = in.T(f.text)
	}
	body, renderErr := s.pages.Notice.Render(page.Notice{Frame: frame, Text: []string{text}, Action: &action})
	if renderErr != nil {
		http.Error(w, in.T(f.title), f.status)
		return
	}
	writeHTML(w, f.status, body)
}
