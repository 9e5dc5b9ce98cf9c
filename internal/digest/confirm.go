package digest

import (
	"strings"
	"time"

	"tidings/internal/mail"
)

// ConfirmInput is everything the mail to a new subscriber depends on. Nothing
// in it may be the visitor's own words: Topics are names of the site's own
// categories and tags.
type ConfirmInput struct {
	Site       Site
	Newsletter Newsletter
	Base       string   // public address of the daemon: /confirm/TOKEN lives below it
	Topics     []string // what the visitor chose; empty: everything
	Date       time.Time
	ValidUntil time.Time // when the link stops working; zero: not said
	Language   string    // the reader's, BCP 47; "", or one there are no messages in: the site's
}

// confirmation is what the templates of that mail are filled with.
type confirmation struct {
	letter
	Confirm string // the link
	Until   string // the last day it works; "" if not said
}

// Confirm makes the mail that asks a new subscriber whether it was they who
// signed up (double opt-in). It has one link, with SlotConfirm in it.
func (t *Templates) Confirm(in ConfirmInput) (mail.Message, error) {
	nonce := mail.NewNonce()
	slot := mail.Mark(nonce, SlotConfirm)
	l, err := newLetter(in.Site, in.Newsletter, in.Base, in.Topics, in.Date, t.voice(in.Language, in.Site.Language))
	if err != nil {
		return mail.Message{}, err
	}
	l.Subject = cut(l.words.T("confirmation.subject", "newsletter", l.Newsletter.Title), maxSubject)
	l.Preheader = cut(l.words.T("confirmation.preheader", "site", l.Site.Title), 100)
	c := confirmation{
		letter:  l,
		Confirm: strings.TrimRight(webURL(in.Base), "/") + "/confirm/" + slot,
		Until:   l.longDay(in.ValidUntil),
	}
	html, text, err := t.in[l.words].confirm.render(c)
	if err != nil {
		return mail.Message{}, err
	}
	if err := holdsSlot(slot, SlotConfirm, confirmHTML, html, confirmText, text); err != nil {
		return mail.Message{}, err
	}
	return l.message(html, text, noticeHeaders(), nonce), nil
}
