package digest

import (
	"errors"
	"time"

	"tidings/internal/mail"
	"tidings/internal/tmpl"
)

// try makes sample mails in a language, has the HTML of each looked at, and
// gives every fault.
func (t *set) try(language string, look func(file, html string) error) error {
	var faults []error
	for _, in := range samples() {
		in.Language = language
		faults = append(faults, t.tryDigest(in, look))
		c := ConfirmInput{Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Date: in.Date, ValidUntil: in.Date, Language: language, Asked: []Asked{{
			Title: "Weekly", Topics: in.Topics, Frequency: "daily", Hour: "6", Zone: "UTC",
		}}}
		m, err := t.confirm(c)
		faults = append(faults, err, look(confirmHTML, m.HTML))
		for _, kind := range []string{LinkMail, AddressMail, MovingMail} {
			m, err := t.personal(PersonalInput{Kind: kind, Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Date: in.Date, ValidUntil: in.Date, Language: language})
			faults = append(faults, err, look(personalHTML, m.HTML))
		}
	}
	return errors.Join(faults...)
}

// tryDigest makes one digest, and the form of it that many posts get.
func (t *set) tryDigest(in Input, look func(file, html string) error) error {
	made, err := t.compose(in)
	switch {
	case errors.Is(err, ErrTooLarge):
		return tmpl.Fault{File: digestHTML, Line: 1, Column: 1, Message: "with digest.txt it makes a mail of more than 80 kB even of a single post; shorten it"}
	case err != nil:
		return err
	}
	m := marksOf(mail.NewNonce())
	e, err := newEdition(in, t.voice(in.Language, in.Site.Language), m, t.intro)
	if err != nil {
		return err
	}
	e.Count++ // one finds no room
	html, text, err := t.in[e.words].digest.render(e.shorten(len(e.posts), shortenings[len(shortenings)-1]))
	return errors.Join(err, holdsLeave(m.leave, html, text), look(digestHTML, made.HTML), look(digestHTML, html))
}

// samples are a digest with little and one with everything, to try templates.
func samples() []Input {
	day := time.Date(2025, time.April, 7, 8, 0, 0, 0, time.UTC)
	little := Input{
		Site:       Site{Title: "Site", URL: "https://example.org/", Language: "en"},
		Newsletter: Newsletter{Name: "weekly"},
		Base:       "https://example.org",
		Items:      []Item{{Title: "Title", Published: day}},
		Date:       day,
	}
	full := little
	full.Newsletter = Newsletter{Name: "weekly", Title: "Weekly", PostalAddress: "Street\nTown", ListID: "weekly.example.org", WebURL: "https://example.org/newsletters/weekly/"}
	full.Intro, full.Topics, full.Preferences, full.Welcome = "Hello", []string{"Topic"}, true, true
	full.WebFolder, full.Frequency = "https://example.org/newsletters/weekly/", "weekly"
	full.Items = nil
	for i := range groupPosts + 1 {
		full.Items = append(full.Items, Item{
			Title: "Title", URL: "https://example.org/a/", Summary: "Summary", Published: day,
			Categories: []string{string(rune('A' + i%groupCategories))}, Tags: []string{"tag"},
			ReadingTime: 1, Image: "https://example.org/a.png", ImageAlt: "Image", Language: "de", Again: i%2 == 0,
		})
	}
	return []Input{little, full}
}
