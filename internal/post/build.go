package post

import (
	"strings"
	"time"
)

// post makes the Post of what front matter, name and body say.
func (r *reader) post() (*Post, error) {
	f := r.fields
	p := &Post{File: r.file, Body: r.body, BodyHash: hexSum(asBytes(r.body))}
	p.Link, p.Hidden = "", f.hidden()
	if err := r.setDates(p); err != nil {
		return nil, err
	}
	p.GUID = clean(f.first("guid", "id").scalar())
	p.Title = f.title()
	p.Language = f.language()
	p.Aliases = f.aliases()
	p.Slug = f.slug(p)
	p.Categories, p.Tags = f.categories(), f.tags()
	p.Authors, p.Enclosure, p.Comments = f.authors(), f.enclosure(), f.comments()
	f.setImage(p)
	f.setMailing(p)
	p.Minutes = minutes(p.Body)
	p.FullText = f.fullText()
	p.Summary = f.summary(p.Body)
	p.Params = f.params()
	return p, nil
}

// setDates sets the three instants and the link, which may hold a date.
func (r *reader) setDates(p *Post) error {
	f := r.fields
	published, bad := f.published()
	p.Link = f.link(published)
	if published.IsZero() {
		published = r.dateOfPlace(p.Link)
	}
	switch {
	case published.IsZero() && bad != nil && p.Hidden == "":
		return bad.problem
	case published.IsZero() && p.Hidden == "" && r.isTemplatePage():
		return errTemplatePage(r.file)
	case published.IsZero() && p.Hidden == "":
		return r.fail(0, "no date: add a line \"date: %s\" to the front matter, or put the date in front of the file's name", "2024-05-07")
	case bad != nil:
		r.warnings = append(r.warnings, bad.asWarning(published))
	}
	p.Published = published
	p.Updated = f.updated()
	var err error
	p.Expires, err = f.expires()
	return err
}

// dateOfPlace is the date in the file's name, its folders or its address.
func (r *reader) dateOfPlace(link string) time.Time {
	for _, day := range []*civilDate{r.name.day, r.name.dirDay, pathDate(link)} {
		if day != nil {
			return day.in(r.opt.Location)
		}
	}
	return time.Time{}
}

// isTemplatePage tells whether the file only names a template: it has
// neither title nor text.
func (r *reader) isTemplatePage() bool {
	return r.fields.peek("title") == nil && strings.TrimSpace(r.body) == ""
}

// clean makes one line of a text and drops what XML cannot carry; escapes in
// front matter may bring it in.
func clean(text string) string {
	if oneLine(text) {
		return text
	}
	return strings.Join(strings.Fields(legible(text)), " ")
}

// oneLine reports whether clean has nothing to do.
func oneLine(text string) bool {
	last := byte(' ')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c >= 0x7f || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return text == "" || last != ' '
}
