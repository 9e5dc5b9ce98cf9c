package digest

import (
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
)

// The template files. The HTML ones share the definitions of frameHTML.
const (
	frameHTML   = "email/frame.html"
	digestHTML  = "email/digest.html"
	digestText  = "email/digest.txt"
	confirmHTML = "email/confirm.html"
	confirmText = "email/confirm.txt"
)

// Templates makes mails. It is safe for concurrent use.
type Templates struct {
	digest, confirm page
	intro           *introRenderer
}

// page is one mail's pair of templates.
type page struct {
	html, text executor
}

// executor is what the two template packages have in common.
type executor interface {
	Execute(w io.Writer, data any) error
}

// Parse reads the templates from files, which has the folder email/, and
// tries them with sample mails. Errors name the file, and the line where they
// can. A template without the link that its mail is for is refused.
func Parse(files fs.FS) (*Templates, error) {
	look := newStylesheet()
	t := &Templates{intro: newIntroRenderer(look)}
	var err error
	if t.digest, err = parsePage(files, look, digestHTML, digestText); err != nil {
		return nil, err
	}
	if t.confirm, err = parsePage(files, look, confirmHTML, confirmText); err != nil {
		return nil, err
	}
	for _, in := range samples() {
		if _, err := t.Compose(in); err != nil {
			return nil, fmt.Errorf("mail templates, tried with a sample digest: %w", err)
		}
		c := ConfirmInput{Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Topics: in.Topics, Date: in.Date, ValidUntil: in.Date}
		if _, err := t.Confirm(c); err != nil {
			return nil, fmt.Errorf("mail templates, tried with a sample confirmation: %w", err)
		}
	}
	return t, nil
}

func parsePage(files fs.FS, look stylesheet, htmlFile, textFile string) (page, error) {
	html := htmltemplate.New(frameHTML).Funcs(htmlFuncs(look))
	for _, name := range []string{frameHTML, htmlFile} {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			return page{}, fmt.Errorf("read mail template: %w", err)
		}
		if html, err = html.New(name).Parse(string(source)); err != nil {
			return page{}, fmt.Errorf("mail template %s: %w", name, err)
		}
	}
	source, err := fs.ReadFile(files, textFile)
	if err != nil {
		return page{}, fmt.Errorf("read mail template: %w", err)
	}
	text, err := texttemplate.New(textFile).Funcs(textFuncs()).Parse(string(source))
	if err != nil {
		return page{}, fmt.Errorf("mail template %s: %w", textFile, err)
	}
	return page{html: html, text: text}, nil
}

// render fills both templates.
func (p page) render(data any) (html, text string, err error) {
	var h, t strings.Builder
	if err := p.html.Execute(&h, data); err != nil {
		return "", "", err
	}
	if err := p.text.Execute(&t, data); err != nil {
		return "", "", err
	}
	return h.String(), t.String(), nil
}

// htmlFuncs are the functions of the HTML templates: those of sharedFuncs, and
//
//	css NAME       class and style of a kind of element, see newStylesheet
//	darkStyles     content of a style element: phones, dark mode
//	outlookStyles  content of another: dark mode in Outlook's apps
//	mso HTML       what only Outlook with Word's engine sees
//	lines TEXT     its lines
func htmlFuncs(look stylesheet) htmltemplate.FuncMap {
	funcs := sharedFuncs()
	funcs["css"] = look.attributes
	funcs["darkStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.media()) }
	funcs["outlookStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.outlook()) }
	funcs["mso"] = func(s string) htmltemplate.HTML { return htmltemplate.HTML("<!--[if mso]>" + s + "<![endif]-->") }
	funcs["lines"] = func(s string) []string { return strings.Split(s, "\n") }
	return funcs
}

// textFuncs are the functions of the text templates: those of sharedFuncs, and
//
//	wrap PART…        the parts as one text, broken at 72 columns
//	underline C TEXT  a line of C as wide as the text
func textFuncs() texttemplate.FuncMap {
	funcs := sharedFuncs()
	funcs["wrap"] = func(parts ...string) string { return wrap(strings.Join(parts, ""), "", "") }
	funcs["underline"] = func(c, s string) string { return strings.Repeat(c, min(columns(s), lineWidth)) }
	return funcs
}

// sharedFuncs are functions of all templates:
//
//	date FORM TIME    the time in Go's reference form
//	join LIST         its elements, comma-separated
//	dots PART…        those parts that are not empty, with dots between them
//	count N ONE MANY  "1 ONE", "2 MANY"; nothing for 0
func sharedFuncs() map[string]any {
	return map[string]any{
		"date":  func(form string, t time.Time) string { return t.Format(form) },
		"join":  func(list []string) string { return strings.Join(list, ", ") },
		"dots":  dots,
		"count": count,
	}
}

func dots(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, " · ")
}

func count(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
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
	full.Intro, full.Topics, full.Preferences = "Hello", []string{"Topic"}, true
	full.Items = nil
	for i := range groupPosts + 1 {
		full.Items = append(full.Items, Item{
			Title: "Title", URL: "https://example.org/a/", Summary: "Summary", Published: day,
			Categories: []string{string(rune('A' + i%groupCategories))}, Tags: []string{"tag"},
			ReadingTime: 1, Image: "https://example.org/a.png", Language: "de",
		})
	}
	return []Input{little, full}
}
