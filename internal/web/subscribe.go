package web

import (
	"errors"
	"net/http"

	"tidings/internal/newsletter"
	"tidings/internal/page"
)

// trap is a field that people do not see and programs fill in.
const trap = "remarks"

// subscribeForm shows the form; a link may have filled it in.
func (s *server) subscribeForm(w http.ResponseWriter, r *http.Request) error {
	body, err := s.subscribePage(choicesOf(r.URL.Query()))
	return s.show(w, r, body, err)
}

func (s *server) subscribePage(c choices) ([]byte, error) {
	frame := s.frame("Subscribe", "/subscribe")
	frame.Section = "subscribe"
	return s.pages.Subscribe.Render(page.Subscribe{Frame: frame, Form: s.form(c)})
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
	c := choicesOf(form)
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
		return s.checkMail(w, r)
	case errors.Is(err, newsletter.ErrAddress), errors.Is(err, newsletter.ErrNewsletter):
		c.faults = err
		return s.again(w, http.StatusUnprocessableEntity, c)
	case errors.Is(err, newsletter.ErrMailingOff):
		return s.again(w, http.StatusServiceUnavailable, c)
	}
	return err
}

// again shows the form with what was wrong.
func (s *server) again(w http.ResponseWriter, status int, c choices) error {
	body, err := s.subscribePage(c)
	return tell(w, status, body, err)
}

// checkMail says that the next step is in the visitor's mail.
func (s *server) checkMail(w http.ResponseWriter, r *http.Request) error {
	n := page.Notice{
		Frame: s.frame("Check your mail", ""), Good: true,
		Text: []string{
			"We have sent you a message with a link. Open it and confirm, and you are subscribed.",
			"Nothing there after a few minutes? Look into the spam folder. Who is subscribed already, or has just asked several times, gets no further message.",
		},
		Action: &page.Link{Name: "Back to the posts", URL: s.front()},
	}
	n.NoIndex = true
	if s.Mailbox != nil && fromThisMachine(r) {
		n.Hint = &page.Link{Name: "read the message in the mailbox", URL: s.local("/admin/mailbox/")}
	}
	body, err := s.pages.Notice.Render(n)
	return tell(w, http.StatusOK, body, err)
}
