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
	body, err := s.subscribePage(s.speaks(w, r), choicesOf(r.URL.Query()))
	return s.show(w, r, body, err)
}

func (s *server) subscribePage(in *locale.Language, c choices) ([]byte, error) {
	frame := s.frame(in, in.T("subscribe.title"), "/subscribe")
	frame.Section = "subscribe"
	return s.pages.Subscribe.Render(page.Subscribe{Frame: frame, Form: s.form(in, c)})
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
	switch {
	case s.signUpOff() != "":
		err = newsletter.ErrMailingOff
	case form.Get(trap) == "":
		err = s.People.SignUp(r.Context(), c.SignUp)
	default:
		s.Log.Debug("a program tried to sign up; nothing was done")
	}
	switch {
	case err == nil:
		return s.checkMail(w, r, in)
	case errors.Is(err, newsletter.ErrAddress), errors.Is(err, newsletter.ErrNewsletter):
		c.faults = err
		return s.again(w, in, http.StatusUnprocessableEntity, c)
	case errors.Is(err, newsletter.ErrMailingOff):
		return s.again(w, in, http.StatusServiceUnavailable, c)
	}
	return err
}

// again shows the form with what was wrong.
func (s *server) again(w http.ResponseWriter, in *locale.Language, status int, c choices) error {
	body, err := s.subscribePage(in, c)
	return tell(w, status, body, err)
}

// checkMail says that the next step is in the visitor's mail.
func (s *server) checkMail(w http.ResponseWriter, r *http.Request, in *locale.Language) error {
	return s.sent(w, r, in, in.T("sent.title"), in.T("sent.text"), in.T("sent.nothing"))
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
