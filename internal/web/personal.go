package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/store"
)

// confirmation shows what would be confirmed. Programs open every link in a
// mail, so that only the button counts.
func (s *server) confirmation(w http.ResponseWriter, r *http.Request) error {
	subs, err := s.People.Confirmation(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(subs, func(sub newsletter.Subscription) bool { return sub.Status == store.StatusPending }) {
		return s.welcome(w, r, subs)
	}
	in := s.speaksTo(w, r, subs[0].Language)
	contents := page.Confirm{Frame: s.personal(in, in.T("confirm.title")), Email: subs[0].Email}
	for _, sub := range subs {
		contents.Subscriptions = append(contents.Subscriptions, shown(in, sub))
	}
	body, err := s.pages.Confirm.Render(contents)
	return tell(w, http.StatusOK, body, err)
}

func (s *server) confirm(w http.ResponseWriter, r *http.Request) error {
	if err := s.sameSiteToken(r); err != nil {
		return err
	}
	subs, err := s.People.Confirmation(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, subs[0].Language)
	r = withWording(r, in.T("confirm.asked")+" "+titles(in, subs)+" — "+in.T("confirm.button"))
	if subs, err = s.People.Confirm(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	return s.welcome(w, r, subs)
}

// titles names newsletters.
func titles(in *locale.Language, subs []newsletter.Subscription) string {
	var list []string
	for _, sub := range subs {
		list = append(list, sub.Title)
	}
	return strings.Join(list, in.T("list.comma"))
}

func (s *server) welcome(w http.ResponseWriter, r *http.Request, subs []newsletter.Subscription) error {
	in := s.speaksTo(w, r, subs[0].Language)
	return s.done(w, in, in.T("welcome.title"), in.T("welcome.text", "newsletter", titles(in, subs)), in.T("welcome.leave"))
}

// leaving shows what would be ended, or, to who has left, how to take it back.
func (s *server) leaving(w http.ResponseWriter, r *http.Request) error {
	sub, err := s.People.Leaving(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.showLeaving(w, r, r.PathValue("token"), sub, func(*locale.Language, *page.Unsubscribe) {})
}

// showLeaving shows the page of leaving, as change makes it.
func (s *server) showLeaving(w http.ResponseWriter, r *http.Request, token string, sub newsletter.Subscription, change func(*locale.Language, *page.Unsubscribe)) error {
	in := s.speaksTo(w, r, sub.Language)
	contents := page.Unsubscribe{
		Frame: s.personal(in, in.T("leave.title")), Subscription: shown(in, sub), Left: sub.Status == store.StatusUnsubscribed, MayReturn: sub.MayReturn,
		Action: s.local("/unsubscribe/" + token),
	}
	if sub.Email != "" { // not erased, and not of a test mail
		contents.Preferences = s.local("/preferences/" + token)
		contents.Reasons = reasons(in)
	}
	change(in, &contents)
	body, err := s.pages.Unsubscribe.Render(contents)
	return tell(w, http.StatusOK, body, err)
}

// reasons are those that somebody may have who leaves.
func reasons(in *locale.Language) []page.Choice {
	words := map[string]string{
		"too_many": in.T("left.why_too_many"), "not_interesting": in.T("left.why_not_interesting"), "never_asked": in.T("left.why_never_asked"),
		"feed_instead": in.T("left.why_feed_instead"), "other": in.T("left.why_other"),
	}
	var list []page.Choice
	for _, why := range newsletter.WhyLeft {
		list = append(list, page.Choice{Value: why, Label: words[why]})
	}
	return list
}

// unsubscribe ends a subscription, for a person at the page's button or for a
// mail program on behalf of one (RFC 8058); takes that back; or notes why.
func (s *server) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	if oneClick(form) {
		return s.unsubscribeOneClick(w, r)
	}
	if err := s.sameSiteToken(r); err != nil {
		return err
	}
	switch form.Get("act") {
	case "return":
		return s.takeBack(w, r)
	case "why":
		return s.sayWhy(w, r, form.Get("why"))
	}
	token, all := r.PathValue("token"), form.Get("scope") == "all"
	if err := s.People.Unsubscribe(r.Context(), token, all); err != nil {
		return err
	}
	sub, err := s.People.Leaving(r.Context(), token)
	if err != nil {
		return err
	}
	return s.showLeft(w, r, token, sub, all)
}

// showLeft is the page of leaving for who has just left.
func (s *server) showLeft(w http.ResponseWriter, r *http.Request, token string, sub newsletter.Subscription, all bool) error {
	return s.showLeaving(w, r, token, sub, func(in *locale.Language, p *page.Unsubscribe) {
		p.Left, p.Just, p.LeftAll = true, true, all
		p.What = in.T("left.one", "newsletter", sub.Title)
		if all {
			p.What = in.T("left.all", "site", s.Title)
		}
	})
}

// takeBack makes it as if a person had not left.
func (s *server) takeBack(w http.ResponseWriter, r *http.Request) error {
	sub, err := s.People.Return(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	in := s.speaksTo(w, r, sub.Language)
	return s.done(w, in, in.T("left.undone_title"), in.T("left.undone", "newsletter", sub.Title))
}

func (s *server) sayWhy(w http.ResponseWriter, r *http.Request, why string) error {
	token := r.PathValue("token")
	sub, err := s.People.Leaving(r.Context(), token)
	if err != nil {
		return err
	}
	if err := s.People.SayWhy(r.Context(), token, why); err != nil {
		return err
	}
	return s.showLeaving(w, r, token, sub, func(_ *locale.Language, p *page.Unsubscribe) { p.Thanks = true })
}

// oneClick reports whether a form is that of RFC 8058 §3.1.
func oneClick(form url.Values) bool {
	return strings.EqualFold(strings.TrimSpace(form.Get("List-Unsubscribe")), "One-Click")
}

// unsubscribeOneClick asks nothing of the sender but the token: mail providers
// send neither cookies nor an origin of ours, and follow no redirect.
func (s *server) unsubscribeOneClick(w http.ResponseWriter, r *http.Request) error {
	if err := s.People.Unsubscribe(r.Context(), r.PathValue("token"), false); err != nil {
		return err
	}
	writeText(w, http.StatusOK, "unsubscribed\n")
	return nil
}

// sameSiteToken is sameSite for pages with a token. These tell the browser to
// send no referrer, and it then names no origin either, but "null"; without
// Sec-Fetch-Site, which browsers leave out on plain HTTP, our own button would
// be refused. The token is what authorises the request.
func (s *server) sameSiteToken(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null" {
		return nil
	}
	return s.sameSite(r)
}

// done says that something was done.
func (s *server) done(w http.ResponseWriter, in *locale.Language, title string, text ...string) error {
	body, err := s.pages.Notice.Render(page.Notice{
		Frame: s.personal(in, title), Good: true, Text: text,
		Action: &page.Link{Name: in.T("done.posts"), URL: s.front()},
	})
	return tell(w, http.StatusOK, body, err)
}

// personal is the frame of a page for one person.
func (s *server) personal(in *locale.Language, title string) page.Frame {
	f := s.frame(in, title, "")
	f.NoIndex = true
	return f
}

// shown is a subscription as its owner sees it.
func shown(in *locale.Language, sub newsletter.Subscription) page.Subscription {
	out := page.Subscription{Newsletter: sub.Title, Email: sub.Email, Topics: slices.Concat(sub.Categories, sub.Tags)}
	if f := frequency(in, sub.Frequency); f != "" {
		out.When = append(out.When, f)
	}
	if sub.Hour != "" {
		out.When = append(out.When, clockTime(sub.Hour))
	}
	if sub.Timezone != "" {
		out.When = append(out.When, strings.ReplaceAll(sub.Timezone, "_", " "))
	}
	if sub.Format == store.FormatText {
		out.When = append(out.When, in.T("choice.format_text"))
	}
	return out
}
