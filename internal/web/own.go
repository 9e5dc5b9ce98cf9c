package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
)

// own shows a person's own page.
func (s *server) own(w http.ResponseWriter, r *http.Request) error {
	p, err := s.People.Person(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, p.Language)
	return s.showOwn(w, http.StatusOK, in, s.ownPage(in, p))
}

func (s *server) showOwn(w http.ResponseWriter, status int, in *locale.Language, contents page.Preferences) error {
	if len(contents.Feed) > 0 {
		w.Header().Set("Content-Security-Policy", scriptPolicy) // for the buttons that copy addresses
	}
	body, err := s.pages.Preferences.Render(contents)
	return tell(w, status, body, err)
}

// An act is what a button on a person's own page does. It gives the words that
// tell of it, or answers by itself.
type act func(s *server, w http.ResponseWriter, r *http.Request, form url.Values) (done func(*locale.Language) string, err error)

// acts by the value of their button.
var acts = map[string]act{
	"save":    (*server).savePreferences,
	"feed":    switchFeed(true, func(in *locale.Language) string { return in.T("own.feed_made") }),
	"nofeed":  switchFeed(false, func(in *locale.Language) string { return in.T("own.feed_ended") }),
	"link":    (*server).renewLink,
	"address": (*server).askAddress,
}

// act does what a button on a person's own page says.
func (s *server) act(w http.ResponseWriter, r *http.Request) error {
	if err := s.sameSiteToken(r); err != nil {
		return err
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	switch form.Get("act") {
	case "export":
		return s.export(w, r)
	case "erase":
		return s.erase(w, r)
	case "leave":
		return s.leaveAll(w, r)
	case "stay":
		return s.keepAddress(w, r)
	}
	do, ok := acts[form.Get("act")]
	if !ok {
		return errForm
	}
	done, err := do(s, w, r, form)
	faults, faulty := errors.AsType[newsletter.FieldErrors](err)
	if err != nil && !faulty {
		return err
	}
	p, err := s.People.Person(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, p.Language)
	if faulty {
		contents := s.ownPage(in, s.refilled(p, form))
		s.fault(in, &contents, faults, form)
		return s.showOwn(w, http.StatusUnprocessableEntity, in, contents)
	}
	contents := s.ownPage(in, p)
	contents.Done = done(in)
	return s.showOwn(w, http.StatusOK, in, contents)
}

func (s *server) savePreferences(_ http.ResponseWriter, r *http.Request, form url.Values) (func(*locale.Language) string, error) {
	return func(in *locale.Language) string { return in.T("own.saved") },
		s.People.SetPreferences(r.Context(), r.PathValue("token"), s.preferences(form))
}

// preferences reads what a person wants from their page.
func (s *server) preferences(form url.Values) newsletter.Choices {
	c := newsletter.Choices{
		Language: form.Get("language"), Timezone: form.Get("timezone"), Format: form.Get("format"),
		QuietFrom: form.Get("quiet_from"), QuietTo: form.Get("quiet_to"), PauseUntil: form.Get("pause"),
		Letters: map[string]newsletter.LetterChoice{},
	}
	if _, ok := s.tongues.locales.Find(c.Language); !ok {
		c.Language = ""
	}
	for _, n := range s.Newsletters {
		c.Letters[n.Name] = newsletter.LetterChoice{
			On:         form.Get("on."+n.Name) != "",
			Categories: form["category."+n.Name], Tags: form["tag."+n.Name],
			Frequency: form.Get("frequency." + n.Name), Hour: form.Get("hour." + n.Name),
		}
	}
	return c
}

func switchFeed(on bool, done func(*locale.Language) string) act {
	return func(s *server, _ http.ResponseWriter, r *http.Request, _ url.Values) (func(*locale.Language) string, error) {
		return done, s.People.SwitchFeed(r.Context(), r.PathValue("token"), on)
	}
}

// leaveAll ends everything, and shows how to take that back.
func (s *server) leaveAll(w http.ResponseWriter, r *http.Request) error {
	token, err := s.People.LeaveAll(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	sub, err := s.People.Leaving(r.Context(), token)
	if err != nil {
		return err
	}
	return s.showLeft(w, r, token, sub, true)
}

// keepAddress stops a change of address. The link that did it is void with the
// others.
func (s *server) keepAddress(w http.ResponseWriter, r *http.Request) error {
	p, err := s.People.KeepAddress(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, p.Language)
	return s.done(w, in, in.T("own.stayed_title"), in.T("own.stayed"))
}

func (s *server) renewLink(_ http.ResponseWriter, r *http.Request, _ url.Values) (func(*locale.Language) string, error) {
	return func(in *locale.Language) string { return in.T("link.text") }, s.People.RenewLink(r.Context(), r.PathValue("token"))
}

func (s *server) askAddress(_ http.ResponseWriter, r *http.Request, form url.Values) (func(*locale.Language) string, error) {
	err := s.People.AskAddress(r.Context(), r.PathValue("token"), strings.TrimSpace(form.Get("email")))
	if errors.Is(err, newsletter.ErrAddress) {
		err = newsletter.FieldErrors{newsletter.FieldEmail: err}
	}
	return func(in *locale.Language) string { return in.T("own.address_asked") }, err
}

// export answers with all that is kept about a person, as a file.
func (s *server) export(w http.ResponseWriter, r *http.Request) error {
	record, err := s.People.Export(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="my-data.json"`)
	write(w, http.StatusOK, "application/json; charset=utf-8", record)
	return nil
}

func (s *server) erase(w http.ResponseWriter, r *http.Request) error {
	p, err := s.People.Person(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if err := s.People.Erase(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	in := s.speaksTo(w, r, p.Language)
	return s.done(w, in, in.T("own.erased_title"), in.T("own.erased"))
}

// askLink is the form that sends a person the link to their own page.
func (s *server) askLink(w http.ResponseWriter, r *http.Request) error {
	return s.linkForm(w, s.speaks(w, r), http.StatusOK, page.Form{})
}

func (s *server) linkForm(w http.ResponseWriter, in *locale.Language, status int, form page.Form) error {
	body, err := s.pages.AskLink.Render(page.AskLink{Frame: s.personal(in, in.T("own.title")), Root: s.root, Form: form})
	return tell(w, status, body, err)
}

// sendLink sends it. The answer does not tell whether the address is known.
func (s *server) sendLink(w http.ResponseWriter, r *http.Request) error {
	if err := s.sameSite(r); err != nil {
		return err
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	in, email := s.speaks(w, r), strings.TrimSpace(form.Get("email"))
	switch {
	case form.Get(trap) != "":
	case !s.guard.admit(formLink, clientAddr(r, s.TrustedProxies), s.Now()):
		err = errTooMany
	default:
		err = s.People.SendLink(r.Context(), email)
	}
	if errors.Is(err, newsletter.ErrAddress) {
		return s.linkForm(w, in, http.StatusUnprocessableEntity, page.Form{Email: email, EmailError: in.T("subscribe.address_fault")})
	}
	if err != nil {
		return err
	}
	return s.sent(w, r, in, in.T("sent.title"), in.T("link.text"), in.T("link.nothing"))
}

// nextAddress shows which address is to take the place of which.
func (s *server) nextAddress(w http.ResponseWriter, r *http.Request) error {
	p, err := s.People.NextAddress(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, p.Language)
	if p.NextEmail == p.Email {
		return s.addressChanged(w, in, p)
	}
	body, err := s.pages.Address.Render(page.Address{Frame: s.personal(in, in.T("address.title")), Email: p.Email, NextEmail: p.NextEmail})
	return tell(w, http.StatusOK, body, err)
}

func (s *server) moveAddress(w http.ResponseWriter, r *http.Request) error {
	if err := s.sameSiteToken(r); err != nil {
		return err
	}
	p, err := s.People.MoveAddress(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.addressChanged(w, s.speaksTo(w, r, p.Language), p)
}

func (s *server) addressChanged(w http.ResponseWriter, in *locale.Language, p newsletter.Person) error {
	return s.done(w, in, in.T("address.done_title"), in.T("address.done", "address", p.NextEmail))
}

// day gives the date of an instant as a field has it; "" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
