package feed

import (
	"slices"
	"strings"
	"time"
)

// untitled is how much of its text stands for the title of an entry without
// one, in characters.
const untitled = 60

// title is never "": Atom (RFC 4287 §4.1.2) demands one of every entry.
func (e Entry) title() string {
	if t := line(e.Title); t != "" {
		return t
	}
	if s := line(e.Summary); s != "" {
		return excerpt(s, untitled)
	}
	if d := formatDate(e.Published, time.DateOnly); d != "" {
		return d
	}
	return e.id()
}

func (e Entry) id() string {
	if id := line(e.ID); id != "" {
		return id
	}
	return address(e.URL)
}

// Changed is the later of the two dates of e, zero if neither can be shown.
func (e Entry) Changed() time.Time {
	updated, ok := date(e.Updated)
	if published, fine := date(e.Published); fine && (!ok || published.After(updated)) {
		return published
	}
	if !ok {
		return time.Time{}
	}
	return updated
}

// changed is when the feed last changed; zero if it is not known.
func (d Feed) changed() time.Time {
	if t, ok := date(d.Updated); ok {
		return t
	}
	var newest time.Time
	for _, e := range d.Entries {
		if t := e.Changed(); t.After(newest) {
			newest = t
		}
	}
	return newest
}

// moved is changed, or when the last entry left, if that was later.
func (d Feed) moved() time.Time {
	newest := d.changed()
	for _, stone := range d.Tombstones {
		if t, ok := date(stone.When); ok && t.After(newest) {
			newest = t
		}
	}
	return newest
}

// authors are those of e, else the feed's; empty if nobody is named.
func (e Entry) authors(d Feed) []Person {
	if people := named(e.Authors); len(people) > 0 {
		return people
	}
	return named([]Person{d.Author})
}

// named gives the cleaned people who have a name, or an address to stand for it.
func named(people []Person) []Person {
	var out []Person
	for _, p := range people {
		p = Person{Name: line(p.Name), Email: line(p.Email), URL: address(p.URL)}
		if p.Name == "" {
			p.Name = p.Email
		}
		if !strings.Contains(p.Email, "@") {
			p.Email = "" // every format asks for a mail address here, or nothing
		}
		if p.Name != "" {
			out = append(out, p)
		}
	}
	return out
}

// content is the HTML of e, in a wrapper that carries its language where
// readers would otherwise show it in the wrong direction: most of them drop
// what the feed says about languages, but keep this.
func (e Entry) content(d Feed) string {
	html := replacement(clean(e.HTML))
	if html == "" {
		return ""
	}
	site, own := language(d.Language), language(e.Language)
	if own == "" {
		own = site
	}
	switch {
	case rightToLeft(own):
		return `<div lang="` + own + `" dir="rtl">` + html + `</div>`
	case rightToLeft(site):
		return `<div lang="` + own + `" dir="ltr">` + html + `</div>`
	case startsRightToLeft(e.Title), startsRightToLeft(e.Summary): // nobody has said which language it is
		return `<div dir="auto">` + html + `</div>`
	}
	return html
}

// language is the entry's where it differs from the feed's.
func (e Entry) language(d Feed) string {
	if own := language(e.Language); own != language(d.Language) {
		return own
	}
	return ""
}

// description of the feed; RSS demands one.
func (d Feed) description() string {
	if s := line(d.Description); s != "" {
		return s
	}
	return line(d.Title)
}

// categories are the terms that have a name, each once, with clean strings.
func (e Entry) categories() []Category {
	var out []Category
	for _, c := range e.Categories {
		c = Category{Name: line(c.Name), Scheme: address(c.Scheme)}
		if c.Name != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
