package digest

import (
	"fmt"
	"strings"
	"time"

	"tidings/internal/locale"
	"tidings/internal/mail"
)

// ConfirmInput is everything the mail to a new subscriber depends on. Nothing
// in it may be the visitor's own words: Topics are names of the site's own
// categories and tags.
type ConfirmInput struct {
	Site       Site
	Newsletter Newsletter
	Base       string  // public address of the daemon: /confirm/TOKEN lives below it
	Asked      []Asked // what the visitor chose, of each newsletter
	Date       time.Time
	ValidUntil time.Time // when the link stops working; zero: not said
	Language   string    // the reader's, BCP 47; "", or one there are no messages in: the site's
}

// Asked is what a visitor chose of one newsletter.
type Asked struct {
	Title     string
	Topics    []string // empty: everything
	Frequency string   // schedule, each, daily, weekly, monthly
	Hour      string   // "0" to "23"; "": the newsletter's
	Zone      string   // IANA name; "": not said
	TextOnly  bool
}

// confirmation is what the templates of that mail are filled with.
type confirmation struct {
	letter
	Titles  string // of all newsletters
	Asked   []asked
	Confirm string // the link
	Until   string // the last day it works; "" if not said
}

// Confirm makes the mail that asks a new subscriber whether it was they who
// signed up (double opt-in). It has one link, with SlotConfirm in it.
func (t *Templates) Confirm(in ConfirmInput) (mail.Message, error) {
	return t.current.Load().confirm(in)
}

func (t *set) confirm(in ConfirmInput) (mail.Message, error) {
	nonce := mail.NewNonce()
	slot := mail.Mark(nonce, SlotConfirm)
	l, err := newLetter(in.Site, in.Newsletter, in.Base, nil, in.Date, t.voice(in.Language, in.Site.Language))
	if err != nil {
		return mail.Message{}, err
	}
	c := confirmation{letter: l, Titles: l.Newsletter.Title}
	for _, a := range in.Asked {
		c.Asked = append(c.Asked, l.asked(a))
	}
	if len(c.Asked) > 0 {
		c.Titles = titles(l, c.Asked)
	}
	c.Subject = cut(l.words.T("confirmation.subject", "newsletter", c.Titles), maxSubject)
	c.Preheader = cut(l.words.T("confirmation.preheader", "site", l.Site.Title), 100)
	c.Confirm = strings.TrimRight(webURL(in.Base), "/") + "/confirm/" + slot
	c.Until = l.longDay(in.ValidUntil)
	html, text, err := t.in[l.words].confirm.render(c)
	if err != nil {
		return mail.Message{}, err
	}
	if err := holdsLink(slot, "{{.Confirm}}", confirmHTML, html, confirmText, text); err != nil {
		return mail.Message{}, err
	}
	return c.message(html, text, noticeHeaders(), nonce), nil
}

// titles names all newsletters.
func titles(l letter, list []asked) string {
	var names []string
	for _, a := range list {
		names = append(names, a.Title)
	}
	return strings.Join(names, l.words.T("list.comma"))
}

// asked is what the templates show of one newsletter.
type asked struct {
	Title string
	How   string // "Daily · 06:00 · Europe/Berlin · Go, Databases"
}

func (l letter) asked(a Asked) asked {
	parts := []string{frequency(l.words, a.Frequency)}
	if a.Hour != "" {
		parts = append(parts, fmt.Sprintf("%02s:00", a.Hour))
	}
	parts = append(parts, clean(strings.ReplaceAll(a.Zone, "_", " ")), strings.Join(cleanAll(a.Topics, maxTopics), l.words.T("list.comma")))
	if a.TextOnly {
		parts = append(parts, l.words.T("choice.format_text"))
	}
	return asked{Title: cut(clean(a.Title), maxName), How: dots(parts...)}
}

// frequency names how often a newsletter comes.
func frequency(in *locale.Language, f string) string {
	switch f {
	case "schedule":
		return in.T("frequency.schedule")
	case "each":
		return in.T("frequency.each")
	case "daily":
		return in.T("frequency.daily")
	case "weekly":
		return in.T("frequency.weekly")
	case "monthly":
		return in.T("frequency.monthly")
	}
	return ""
}
