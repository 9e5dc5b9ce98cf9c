package digest

import (
	"fmt"
	"strings"
	"time"

	"tidings/internal/locale"
	"tidings/internal/mail"
)

// The kinds of personal mails.
const (
	LinkMail    = "link"    // leads a reader to their own page
	AddressMail = "address" // asks an address whether it is to take the place of the present one
	MovingMail  = "moving"  // tells the present address of that
)

// PersonalInput is everything a personal mail depends on. Nothing in it is a
// visitor's own word.
type PersonalInput struct {
	Kind       string
	Site       Site
	Newsletter Newsletter // in whose name it goes out
	Base       string     // public address of the daemon
	Date       time.Time
	ValidUntil time.Time      // when the link stops working
	Location   *time.Location // the zone ValidUntil is shown in; nil: its own
	Language   string         // the reader's, BCP 47; "": the site's
}

// personal is what the templates of these mails are filled with.
type personal struct {
	letter
	Title  string
	Text   []string
	Button string
	NotYou string // what to do if it was not the reader who asked
	Link   string
	Until  string // "" if not said
}

// Personal makes a mail that somebody asked for on a page. It has one link,
// with SlotLink in it.
func (t *Templates) Personal(in PersonalInput) (mail.Message, error) {
	return t.current.Load().personal(in)
}

func (t *set) personal(in PersonalInput) (mail.Message, error) {
	nonce := mail.NewNonce()
	slot := mail.Mark(nonce, SlotLink)
	l, err := newLetter(in.Site, in.Newsletter, in.Base, nil, in.Date, t.voice(in.Language, in.Site.Language))
	if err != nil {
		return mail.Message{}, err
	}
	p := personal{letter: l, Until: until(l, in)}
	path, err := p.say(in.Kind, l.words)
	if err != nil {
		return mail.Message{}, err
	}
	p.Link = strings.TrimRight(webURL(in.Base), "/") + path + slot
	p.Subject = cut(l.words.T("personal.subject", "title", p.Title, "site", l.Site.Title), maxSubject)
	p.Preheader = cut(p.Text[0], 100)
	html, text, err := t.in[l.words].personal.render(p)
	if err != nil {
		return mail.Message{}, err
	}
	if err := holdsLink(slot, "{{.Link}}", personalHTML, html, personalText, text); err != nil {
		return mail.Message{}, err
	}
	return p.message(html, text, noticeHeaders(), nonce), nil
}

// say sets the words of a kind of mail, and gives the path of the page that its
// link leads to.
func (p *personal) say(kind string, in *locale.Language) (path string, err error) {
	site := p.Site.Title
	switch kind {
	case LinkMail:
		p.Title, p.Button = in.T("personal.link_title"), in.T("personal.link_button")
		p.Text = []string{in.T("personal.link_text", "site", site)}
		p.NotYou = in.T("personal.link_not_you")
		return "/preferences/", nil
	case AddressMail:
		p.Title, p.Button = in.T("personal.address_title"), in.T("personal.address_button")
		p.Text = []string{in.T("personal.address_text", "site", site)}
		p.NotYou = in.T("personal.address_not_you")
		return "/address/", nil
	case MovingMail:
		p.Title, p.Button = in.T("personal.moving_title"), in.T("personal.link_button")
		p.Text = []string{in.T("personal.moving_text", "site", site), in.T("personal.moving_stays")}
		p.NotYou = in.T("personal.moving_not_you")
		return "/preferences/", nil
	}
	return "", fmt.Errorf("there is no personal mail %q", kind)
}

// until gives when a link stops working, to the minute: that may be today.
func until(l letter, in PersonalInput) string {
	at := in.ValidUntil
	if at.IsZero() {
		return ""
	}
	if in.Location != nil {
		at = at.In(in.Location)
	}
	return l.longDay(at) + ", " + at.Format("15:04 MST")
}
