package digest

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/language"

	"tidings/internal/mail"
)

// letter is what every mail shows. Templates see its fields; all strings are
// clean, all addresses absolute.
type letter struct {
	Language   string            // BCP 47
	Direction  string            // ltr or rtl
	Align      string            // left or right: where lines start
	English    template.HTMLAttr // marks the templates' own words as English where the mail is not
	Subject    string
	Preheader  string // what mail programs show beside the subject
	Site       Site
	Newsletter Newsletter
	Topics     []string
	Date       time.Time
	Day        string // Date for people
}

func newLetter(site Site, n Newsletter, base string, topics []string, date time.Time) (letter, error) {
	if webURL(base) == "" {
		return letter{}, fmt.Errorf("the public address %q is not an absolute http or https address: set http.url", base)
	}
	tag, err := language.Parse(site.Language)
	if err != nil || tag == language.Und {
		tag = language.English
	}
	l := letter{
		Language:   tag.String(),
		Direction:  "ltr",
		Align:      "left",
		Site:       Site{Title: cut(clean(site.Title), maxName), URL: webURL(site.URL), Language: tag.String()},
		Newsletter: cleanNewsletter(n),
		Topics:     cleanAll(topics, maxTopics),
		Date:       date,
	}
	if rightToLeft(tag) {
		l.Direction, l.Align = "rtl", "right"
	}
	if !isEnglish(tag) {
		l.English = `lang="en" dir="ltr"`
	}
	if l.Site.Title == "" {
		l.Site.Title = l.Newsletter.Title
	}
	l.Day = l.day(date, "January 2, 2006")
	return l, nil
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

// day gives a day for people. English months mean little in other languages,
// so those get the ISO form.
func (l letter) day(t time.Time, english string) string {
	if t.IsZero() {
		return ""
	}
	if l.English != "" {
		return t.Format(time.DateOnly)
	}
	return t.Format(english)
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

func isEnglish(tag language.Tag) bool {
	base, _ := tag.Base()
	return base.String() == "en"
}

// rightToLeft reports whether the language's script runs from right to left.
func rightToLeft(tag language.Tag) bool {
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return true
	}
	return false
}
