package web

import (
	"errors"
	"net/http"

	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
)

// trap is a field that people do not see and programs fill in.
const trap = "remarks"

// subscribeForm shows the form; a link may have filled it in.
func (s *server) subscribeForm(w http.ResponseWriter, r *http.Request) error {
	in := s.speaks(w, r)
	body, err := s.subscribePage(in, s.form(in, choicesOf(r.URL.Query())), false)
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	return s.show(w, r, body, err)
}

func (s *server) subscribePage(in *locale.Language, form page.Form, step bool) ([]byte, error) {
	frame := s.frame(in, in.T("subscribe.title"), "/subscribe")
	frame.Section = "subscribe"
	return s.pages.Subscribe.Render(page.Subscribe{Frame: frame, Form: form, Step: step})
}

// subscribe signs up. The answer does not tell whether the address is known.
func (s *server) subscribe(w http.ResponseWriter, r *http.Request) error {
	if err := s.sameSite(r); err != nil {
		return err
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	c, in := choicesOf(form), s.speaks(w, r)
	c.Language = s.site(in).Language
	r = withWording(r, in.T("subscribe.intro", "site", s.Title)+" — "+in.T("subscribe.button"))
	err = s.signUp(r, form.Get(trap), form.Get("token"), form.Get("nonce"), c)
	faults, faulty := errors.AsType[newsletter.FieldErrors](err)
	switch {
	case err == nil:
		return s.sent(w, r, in, in.T("sent.title"), in.T("sent.text"), in.T("sent.nothing"))
	case faulty:
		c.faults = faults
		return s.again(w, in, http.StatusUnprocessableEntity, c, false)
	case errors.Is(err, errStep):
		return s.again(w, in, http.StatusOK, c, true)
	case errors.Is(err, newsletter.ErrMailingOff):
		return s.again(w, in, http.StatusServiceUnavailable, c, false)
	}
	return err
}

// signUp hands a sign-up over, if it looks like a person's: that is found out
// before anything is looked up.
func (s *server) signUp(r *http.Request, trapped, tok, nonce string, c choices) error {
	switch {
	case s.signUpOff() != "":
		return newsletter.ErrMailingOff
	case trapped != "":
		s.Log.Debug("a program tried to sign up; nothing was done")
		return nil
	}
	if err := s.guard.check(tok, nonce, s.Now()); err != nil {
		return err
	}
	if !s.guard.admit(formSignUp, clientAddr(r, s.TrustedProxies), s.Now()) {
		return errTooMany
	}
	if s.guard.asks() {
		c.Form = tok
	}
	err := s.People.SignUp(r.Context(), c.SignUp)
	if errors.Is(err, newsletter.ErrSpent) {
		return errStep
	}
	return err
}

// again shows the form with what was wrong, or for the click that shows that a
// person is there. It is for this visitor alone.
func (s *server) again(w http.ResponseWriter, in *locale.Language, status int, c choices, step bool) error {
	form := s.form(in, c)
	form.Token = s.guard.stamp(s.Now())
	body, err := s.subscribePage(in, form, step)
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	return tell(w, status, body, err)
}

// sent says that a mail is on its way, to whomsoever.
func (s *server) sent(w http.ResponseWriter, r *http.Request, in *locale.Language, title string, text ...string) error {
	n := page.Notice{
		Frame: s.frame(in, title, ""), Good: true, Text: text,
		Action: &page.Link{Name: in.T("sent.back"), URL: s.front()},
	}
	n.NoIndex = true
	if s.Mailbox != nil && fromThisMachine(r) {
		n.Hint = s.local("/admin/mailbox/")
	}
	body, err := s.pages.Notice.Render(n)
	return tell(w, http.StatusOK, body, err)
}
