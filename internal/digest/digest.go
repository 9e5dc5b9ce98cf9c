// Package digest writes mails: the digest of new posts, composed once for all
// readers who get the same posts, and the mail that asks a new subscriber to
// confirm. Both come as HTML and as text, from templates. The package is
// pure: the same input gives the same message, slot marks excepted. It does
// not decide who gets which posts or when, it builds no MIME, and it knows
// nothing of the reader: what is personal is a slot that package mail fills.
package digest

import (
	"errors"
	"strings"
	"time"

	"tidings/internal/mail"
	"tidings/internal/tmpl"
)

// The slots of the messages: each stands for a token in a link. Compose uses
// SlotUnsubscribe, and SlotEdition for mails that lead to themselves on the
// web; Confirm SlotConfirm, Personal SlotLink.
const (
	SlotUnsubscribe = "unsubscribe"
	SlotEdition     = "edition"
	SlotConfirm     = "confirm"
	SlotLink        = "link"
)

// Errors that callers tell apart.
var (
	ErrNoPosts  = errors.New("a digest needs at least one post")
	ErrTooLarge = errors.New("the mail is too large even with a single post: shorten the introduction or the template")
)

// Site is what people read the posts on.
type Site struct {
	Title    string
	URL      string // absolute
	Language string // BCP 47; "" means English
}

// Newsletter is what readers have subscribed to.
type Newsletter struct {
	Name            string // its key in the configuration; for error messages
	Title           string // "" gives Name
	From            string // "Name <address>"
	ReplyTo         string // "" if none
	SubjectTemplate string // "" gives the leading post's title and a count
	PostalAddress   string // may have several lines; "" if none
	ListID          string // RFC 2919, without angle brackets: "weekly.news.example.org"; "" if none
	WebURL          string // archive of past editions; "" if none
}

// An Item is one post. Strings may hold anything; they are shown as plain
// text, and links only if they are absolute http or https addresses.
type Item struct {
	Title       string // "" for an untitled post
	URL         string
	Summary     string    // plain text
	Published   time.Time // shown as the day it is in its own location
	Categories  []string  // display names; the first one decides the group
	Tags        []string
	ReadingTime int    // minutes; 0 is not shown
	Image       string // absolute; shown for the leading post; "" if none
	ImageAlt    string // what the image shows, for those who do not see it; "" if it is decoration
	ImageWidth  int    // pixels; 0 if it is not known
	Again       bool   // readers had it before, and it is told once more
	Language    string // BCP 47; "" means the site's
}

// Input is everything a digest depends on.
type Input struct {
	Site       Site
	Newsletter Newsletter
	Base       string // public address of the daemon: /unsubscribe/TOKEN lives below it
	WebFolder  string // where editions are on the web, this one at /TOKEN/ below; "" if they are not
	Items      []Item // newest first; the first one leads
	Intro      string // Markdown, shown above the posts; "" if none
	Subject    string // the subject itself, instead of the template's; "" if none
	Date       time.Time
	Location   *time.Location // the zone Date is shown in; nil: its own
	Frequency  string         // how often the readers get one: each, daily, weekly or monthly; others are not said
	Welcome    bool           // the readers have just joined, and the posts are those of the latest edition
	Topics     []string       // what the newsletter is limited to, display names; empty: every post
	Language   string         // the readers', BCP 47; "", or one there are no messages in: the site's

	// Preferences says that Base has a page /preferences/TOKEN for the
	// unsubscribe token, which is then linked.
	Preferences bool
}

// Compose makes the digest. The subject has no control characters and at most
// 120 characters. The mail stays below 80 kB as sent: summaries are shortened
// first, then the oldest posts are replaced by their number and a link to the
// edition on the web, or to the site. ErrNoPosts, ErrTooLarge, or a template's error.
func (t *Templates) Compose(in Input) (mail.Message, error) { return t.current.Load().compose(in) }

func (t *set) compose(in Input) (mail.Message, error) {
	if len(in.Items) == 0 {
		return mail.Message{}, ErrNoPosts
	}
	nonce := mail.NewNonce()
	m := marksOf(nonce)
	e, err := newEdition(in, t.voice(in.Language, in.Site.Language), m, t.intro)
	if err != nil {
		return mail.Message{}, err
	}
	headers, err := listHeaders(e)
	if err != nil {
		return mail.Message{}, err
	}
	html, text, err := t.fit(e)
	if err != nil {
		return mail.Message{}, err
	}
	if err := holdsLeave(m.leave, html, text); err != nil {
		return mail.Message{}, err
	}
	return e.message(html, text, headers, nonce), nil
}

// marks are those that stand for the slots of a digest.
type marks struct{ leave, edition string }

func marksOf(nonce string) marks {
	return marks{leave: mail.Mark(nonce, SlotUnsubscribe), edition: mail.Mark(nonce, SlotEdition)}
}

// holdsLeave checks that both parts of a digest have the link for leaving. The
// one to the reader's own page holds the same token, and does not do.
func holdsLeave(slot, html, text string) error {
	return holdsLink("/unsubscribe/"+slot, "{{.Unsubscribe}}", digestHTML, html, digestText, text)
}

// holdsLink checks that what two files made has the reader's link, which they
// write as an action: a mail that nobody can leave, or confirm, must not go out.
func holdsLink(slot, written, htmlFile, html, textFile, text string) error {
	var faults []error
	for _, part := range [...]struct{ file, made string }{{htmlFile, html}, {textFile, text}} {
		if !strings.Contains(part.made, slot) {
			faults = append(faults, tmpl.Fault{
				File: part.file, Line: 1, Column: 1,
				Message: "the reader's link is missing, or is left out of some mails; put " + written + " where every mail has it",
			})
		}
	}
	return errors.Join(faults...)
}
