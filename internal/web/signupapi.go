package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// challenge is what a form on another page needs to be taken.
type challenge struct {
	Token string `json:"token"` // to be sent with the form, once
	Wait  int    `json:"wait"`  // seconds before it is taken
	Bits  int    `json:"bits"`  // of the puzzle: SHA-256 of "TOKEN:NONCE" begins with so many bits that are 0
}

// signUpChallenge gives a token.
func (s *server) signUpChallenge(w http.ResponseWriter, r *http.Request) error {
	s.crossOrigin(w, r)
	return writeJSON(w, http.StatusOK, challenge{s.guard.stamp(s.Now()), s.guard.MinSeconds, s.guard.ProofOfWork})
}

// signUpAnswer is what a script is told.
type signUpAnswer struct {
	Status string            `json:"status"`           // check_mail, invalid, challenge, too_many, origin, off, failed
	Errors map[string]string `json:"errors,omitempty"` // by field, "form" for all of it, for people
}

// signUpByScript signs up for a form on another page, by the same rules.
func (s *server) signUpByScript(w http.ResponseWriter, r *http.Request) error {
	s.crossOrigin(w, r)
	in := s.speaks(w, r)
	err := s.sameSite(r)
	var form url.Values
	if err == nil {
		form, err = readFields(w, r)
	}
	if err == nil {
		if l, ok := s.tongues.locales.Find(form.Get("language")); ok {
			in = l
		}
		c := choicesOf(form)
		c.Language = s.site(in).Language
		err = s.signUp(s.fromPage(r), form.Get(trap), form.Get("token"), form.Get("nonce"), c)
	}
	return s.tellScript(w, r, in, err)
}

// fromPage adds which of the sites that may sign people up the form stands on.
func (s *server) fromPage(r *http.Request) *http.Request {
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.Origins, origin) {
		return r
	}
	o := store.OriginOf(r.Context())
	o.Source += " from " + origin
	return r.WithContext(store.WithOrigin(r.Context(), o))
}

// tellScript answers with what came of a sign-up, always in JSON.
func (s *server) tellScript(w http.ResponseWriter, r *http.Request, in *locale.Language, err error) error {
	faults, faulty := errors.AsType[newsletter.FieldErrors](err)
	switch {
	case err == nil:
		return writeJSON(w, http.StatusOK, signUpAnswer{Status: "check_mail"})
	case faulty:
		return writeJSON(w, http.StatusUnprocessableEntity, signUpAnswer{"invalid", s.faultTexts(in, faults)})
	case errors.Is(err, errStep):
		return writeJSON(w, http.StatusForbidden, signUpAnswer{Status: "challenge"})
	case errors.Is(err, newsletter.ErrMailingOff):
		return writeJSON(w, http.StatusServiceUnavailable, signUpAnswer{Status: "off"})
	}
	f := explain(err)
	s.note(r, f, err)
	answer := signUpAnswer{Status: "failed", Errors: map[string]string{"form": in.T(f.text)}}
	switch f.status {
	case http.StatusTooManyRequests:
		tooMany(w)
		answer.Status = "too_many"
	case http.StatusForbidden:
		answer.Status = "origin"
	}
	return writeJSON(w, f.status, answer)
}

// readFields reads a form, or the same fields as JSON: texts, or lists of texts.
func readFields(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if essence, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || essence != "application/json" {
		return readForm(w, r)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return nil, errors.Join(errForm, err)
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, errors.Join(errForm, err)
	}
	form := url.Values{}
	for name, value := range fields {
		switch value := value.(type) {
		case string:
			form.Set(name, value)
		case float64:
			form.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		case []any:
			for _, v := range value {
				if text, ok := v.(string); ok {
					form.Add(name, text)
				}
			}
		}
	}
	return form, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	write(w, status, "application/json; charset=utf-8", append(body, '\n'))
	return nil
}

// crossOrigin lets scripts of the configured sites read the answer (Fetch §3.2).
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); slices.Contains(s.Origins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
}

// signUpPreflight answers what a browser asks before a script of another site
// may send JSON.
func (s *server) signUpPreflight(w http.ResponseWriter, r *http.Request) {
	s.crossOrigin(w, r)
	h := w.Header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "86400")
	}
	h.Set("Allow", "GET, HEAD, POST, OPTIONS")
	w.WriteHeader(http.StatusNoContent)
}

// faultTexts says what is wrong with fields, for people.
func (s *server) faultTexts(in *locale.Language, faults newsletter.FieldErrors) map[string]string {
	texts := map[string]string{}
	for field, err := range faults {
		texts[field] = faultText(in, field, err)
	}
	return texts
}

// faultText says what is wrong with a field.
func faultText(in *locale.Language, field string, err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, newsletter.ErrDisposable):
		return in.T("subscribe.disposable_fault")
	case errors.Is(err, newsletter.ErrRole):
		return in.T("subscribe.role_fault")
	case field == newsletter.FieldEmail:
		return in.T("subscribe.address_fault")
	case field == newsletter.FieldZone:
		return in.T("choice.zone_fault")
	case field == newsletter.FieldTopics:
		return in.T("subscribe.topics_fault")
	case field == newsletter.FieldFrequency:
		return in.T("choice.frequency_fault")
	}
	return in.T("subscribe.newsletter_fault") // choose one of these
}
