package digest

import (
	"cmp"
	"fmt"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

// maxSubject is the length of a subject in characters. Phones show about 40,
// desktops about 100.
const maxSubject = 120

// subjectFields is what a subject template may use.
type subjectFields struct {
	Title      string // the leading post's
	Count      int    // posts
	More       int    // posts beside the leading one
	Newsletter string
	Site       string
	Date       Day
}

// A Day is a time that prints as its day; in templates its Format method
// gives other forms.
type Day struct {
	time.Time
	text string
}

// String gives the day for people, as the language of the mail writes it:
// "April 7, 2025", "7. April 2025".
func (d Day) String() string { return d.text }

// CheckSubject reports what is wrong with a subject template.
func CheckSubject(source string) error {
	_, err := fill(source, subjectFields{Title: "Title", Count: 2, More: 1, Newsletter: "Newsletter", Site: "Site", Date: Day{text: "April 7, 2025"}})
	return err
}

// subject makes the subject of an edition: the one asked for, or else the
// template's, or, if that comes out empty, the default. If it is too long the
// leading post's title is shortened, so that what stands after it is kept.
func subject(in Input, e edition) (string, error) {
	if s := clean(in.Subject); s != "" {
		return cut(s, maxSubject), nil
	}
	f := subjectFields{
		Title:      e.posts[0].Title,
		Count:      e.Count,
		More:       e.Count - 1,
		Newsletter: e.Newsletter.Title,
		Site:       e.Site.Title,
		Date:       Day{Time: e.Date, text: e.Day},
	}
	if source := in.Newsletter.SubjectTemplate; strings.TrimSpace(source) != "" {
		s, err := within(maxSubject, f.Title, func(title string) (string, error) {
			f.Title = title
			return fill(source, f)
		})
		if s != "" || err != nil {
			return s, err
		}
	}
	s, err := within(maxSubject, f.Title, func(title string) (string, error) {
		return clean(e.defaultSubject(title)), nil
	})
	return cmp.Or(s, f.Newsletter), err
}

// defaultSubject names the leading post and counts the others.
func (e edition) defaultSubject(title string) string {
	if more := e.Count - 1; more > 0 {
		return e.words.Count("digest.subject", more, "title", title)
	}
	return title
}

// within makes a text around a title, with a shorter one if need be.
func within(limit int, title string, make func(title string) (string, error)) (string, error) {
	const shortest = 30 // a title cut further says nothing
	s, err := make(title)
	if err != nil {
		return "", err
	}
	if over := utf8.RuneCountInString(s) - limit; over > 0 {
		length := utf8.RuneCountInString(title)
		if s, err = make(cut(title, max(length-over, min(length, shortest)))); err != nil {
			return "", err
		}
	}
	return cut(s, limit), nil
}

func fill(source string, f subjectFields) (string, error) {
	t, err := template.New("subject").Parse(source)
	if err != nil {
		return "", fmt.Errorf("subject template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		return "", fmt.Errorf("subject template: %w", err)
	}
	return clean(b.String()), nil
}
