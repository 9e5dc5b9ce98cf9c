package digest

import (
	"fmt"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

// maxSubject is the length of a subject in characters. Phones show about 40,
// desktops about 100.
const maxSubject = 120

// defaultSubject names the leading post and counts the others.
const defaultSubject = `{{.Title}}{{if eq .More 1}} and 1 more post{{else if .More}} and {{.More}} more posts{{end}}`

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

// String gives the day for people: "April 7, 2025", or "2025-04-07" where the
// site is not in English.
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
	for _, source := range []string{in.Newsletter.SubjectTemplate, defaultSubject} {
		if strings.TrimSpace(source) == "" {
			continue
		}
		s, err := fillWithin(source, f, maxSubject)
		if s != "" || err != nil {
			return s, err
		}
	}
	return f.Newsletter, nil
}

// fillWithin fills the template, with a shorter title if need be.
func fillWithin(source string, f subjectFields, limit int) (string, error) {
	const shortest = 30 // a title cut further says nothing
	s, err := fill(source, f)
	if err != nil {
		return "", err
	}
	if over := utf8.RuneCountInString(s) - limit; over > 0 {
		title := utf8.RuneCountInString(f.Title)
		f.Title = cut(f.Title, max(title-over, min(title, shortest)))
		if s, err = fill(source, f); err != nil {
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
