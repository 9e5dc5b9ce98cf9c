package digest

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/language"

	"tidings/internal/locale"
	"tidings/internal/mail"
)

// letter is what every mail shows. Templates see its fields; all strings are
// clean, all addresses absolute.
type letter struct {
	Language   string            // BCP 47; the readers'
	Direction  string            // ltr or rtl
	Align      string            // left or right: where lines start
	English    template.HTMLAttr // marks the templates' own words as English where there are none in the mail's language
	Subject    string
	Preheader  string // what mail programs show beside the subject
	Site       Site
	Newsletter Newsletter
	Topics     []string
	Date       time.Time
	Day        string // Date for people

	words *locale.Language // of what the templates say
	site  string           // the language of posts that name none
}

// voice is the language of a mail and that of its words, which is English
// where there are no messages in the mail's.
type voice struct {
	tag   language.Tag
	words *locale.Language
}

// voice finds the language for readers on a site.
func (t *set) voice(readers, site string) voice {
	for _, wanted := range []string{readers, site} {
		tag, err := language.Parse(wanted)
		if err != nil || tag == language.Und {
			continue
		}
		if words, ok := t.locales.Find(wanted); ok || wanted == site {
			return voice{tag, words}
		}
	}
	return voice{language.English, t.locales.English()}
}

// Language gives the language of mails to readers of a language, as a BCP 47
// tag: "de" for "de-AT". It is "" if they are in that of the site.
func (t *Templates) Language(readers, site string) string {
	s := t.current.Load()
	if words := s.voice(readers, site).words; words != s.voice("", site).words {
		return words.Tag.String()
	}
	return ""
}

func newLetter(site Site, n Newsletter, base string, topics []string, date time.Time, v voice) (letter, error) {
	if webURL(base) == "" {
		return letter{}, fmt.Errorf("the public address %q is not an absolute http or https address: set http.url", base)
	}
	own := canonical(site.Language)
	if own == "" {
		own = language.English.String()
	}
	l := letter{
		Language:   v.tag.String(),
		Direction:  locale.Direction(v.tag.String()),
		Align:      "left",
		Site:       Site{Title: cut(clean(site.Title), maxName), URL: webURL(site.URL), Language: own},
		Newsletter: cleanNewsletter(n),
		Topics:     cleanAll(topics, maxTopics),
		Date:       date,
		words:      v.words,
		site:       own,
	}
	if l.Direction == "rtl" {
		l.Align = "right"
	}
	if !sameBase(v.tag, v.words.Tag) {
		l.English = template.HTMLAttr(`lang="` + v.words.Tag.String() + `" dir="` + v.words.Dir() + `"`)
	}
	if l.Site.Title == "" {
		l.Site.Title = l.Newsletter.Title
	}
	l.Day = l.longDay(date)
	return l, nil
}

// day gives a day for people, briefly. English months mean little in other
// languages, so those there are no messages in get the ISO form.
func (l letter) day(t time.Time) string { return l.unlessISO(t, l.words.Date) }

func (l letter) longDay(t time.Time) string { return l.unlessISO(t, l.words.LongDate) }

func (l letter) unlessISO(t time.Time, write func(time.Time) string) string {
	if l.English != "" && !t.IsZero() {
		return t.Format(time.DateOnly)
	}
	return write(t)
}

// Limits of what the configuration may bring into a mail.
const (
	maxName    = 100 // characters of a title of a site or newsletter
	maxTopics  = 30
	maxAddress = 500 // characters of a postal address
)

func cleanNewsletter(n Newsletter) Newsletter {
	if n.Title = cut(clean(n.Title), maxName); n.Title == "" {
		n.Title = cut(clean(n.Name), maxName)
	}
	n.PostalAddress = cut(cleanLines(n.PostalAddress), maxAddress)
	n.From, n.ReplyTo, n.ListID = clean(n.From), clean(n.ReplyTo), clean(n.ListID)
	n.WebURL = webURL(n.WebURL)
	return n
}

// cleanLines cleans each line of a text and drops empty ones.
func cleanLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = clean(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// message puts the mail together.
func (l letter) message(html, text string, headers []mail.Header, nonce string) mail.Message {
	return mail.Message{
		From:     l.Newsletter.From,
		ReplyTo:  l.Newsletter.ReplyTo,
		Subject:  l.Subject,
		Date:     l.Date,
		Text:     text,
		HTML:     html,
		Language: l.Language,
		Headers:  headers,
		Nonce:    nonce,
	}
}

// sameBase reports whether two tags are of one language, whatever the region.
func sameBase(a, b language.Tag) bool {
	first, _ := a.Base()
	second, _ := b.Base()
	return first == second
}
