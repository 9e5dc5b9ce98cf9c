package digest

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"tidings/internal/locale"
)

// The template files. The HTML ones share the definitions of frameHTML.
const (
	frameHTML   = "email/frame.html"
	digestHTML  = "email/digest.html"
	digestText  = "email/digest.txt"
	confirmHTML = "email/confirm.html"
	confirmText = "email/confirm.txt"

	personalHTML = "email/personal.html"
	personalText = "email/personal.txt"
)

// Templates makes mails. It is safe for concurrent use.
type Templates struct {
	locales *locale.Catalogue
	in      map[*locale.Language]pages
	intro   *introRenderer
}

// pages is every mail in one language.
type pages struct{ digest, confirm, personal page }

// page is one mail's pair of templates.
type page struct {
	html, text executor
}

// executor is what the two template packages have in common.
type executor interface {
	Execute(w io.Writer, data any) error
}

// Parse reads the templates and the messages from files, which has the folders
// email/ and locales/, and tries them with sample mails in each language. Errors name the file, and the line where they
// can. A template without the link that its mail is for is refused.
func Parse(files fs.FS) (*Templates, error) {
	locales, err := locale.Load(files)
	if err != nil {
		return nil, err
	}
	look := newStylesheet()
	t := &Templates{locales: locales, in: map[*locale.Language]pages{}, intro: newIntroRenderer(look)}
	for _, words := range locales.Languages() {
		p := parser{files: files, look: look, locales: locales, words: words}
		var own pages
		if own.digest, err = p.parse(digestHTML, digestText); err != nil {
			return nil, err
		}
		if own.confirm, err = p.parse(confirmHTML, confirmText); err != nil {
			return nil, err
		}
		if own.personal, err = p.parse(personalHTML, personalText); err != nil {
			return nil, err
		}
		t.in[words] = own
		if err := t.try(words.Tag.String()); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// try makes sample mails in a language.
func (t *Templates) try(language string) error {
	for _, in := range samples() {
		in.Language = language
		if _, err := t.Compose(in); err != nil {
			return fmt.Errorf("mail templates, tried with a sample digest: %w", err)
		}
		c := ConfirmInput{Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Asked: []Asked{{Title: "Weekly", Topics: in.Topics, Frequency: "daily", Hour: "6", Zone: "UTC"}}, Date: in.Date, ValidUntil: in.Date, Language: language}
		if _, err := t.Confirm(c); err != nil {
			return fmt.Errorf("mail templates, tried with a sample confirmation: %w", err)
		}
		p := PersonalInput{Kind: LinkMail, Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Date: in.Date, ValidUntil: in.Date, Language: language}
		if _, err := t.Personal(p); err != nil {
			return fmt.Errorf("mail templates, tried with a sample link: %w", err)
		}
	}
	return nil
}

// parser parses templates that speak one language.
type parser struct {
	files   fs.FS
	look    stylesheet
	locales *locale.Catalogue
	words   *locale.Language
}

func (p parser) parse(htmlFile, textFile string) (page, error) {
	html := htmltemplate.New(frameHTML).Funcs(htmlFuncs(p.look, p.words)).Funcs(p.words.Funcs())
	for _, name := range []string{frameHTML, htmlFile} {
		source, err := fs.ReadFile(p.files, name)
		if err != nil {
			return page{}, fmt.Errorf("read mail template: %w", err)
		}
		if html, err = html.New(name).Parse(string(source)); err != nil {
			return page{}, fmt.Errorf("mail template %s: %w", name, err)
		}
	}
	for _, defined := range html.Templates() {
		if defined.Tree != nil {
			p.look.fold(defined.Tree.Root)
		}
		if err := errors.Join(p.locales.Check(defined.Tree)...); err != nil {
			return page{}, err
		}
	}
	source, err := fs.ReadFile(p.files, textFile)
	if err != nil {
		return page{}, fmt.Errorf("read mail template: %w", err)
	}
	text, err := texttemplate.New(textFile).Funcs(textFuncs(p.words)).Funcs(p.words.Funcs()).Parse(string(source))
	if err != nil {
		return page{}, fmt.Errorf("mail template %s: %w", textFile, err)
	}
	if err := errors.Join(p.locales.Check(text.Tree)...); err != nil {
		return page{}, err
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

// htmlFuncs are the functions of the HTML templates: those of sharedFuncs and
// of locale.Language.Funcs, and
//
//	css NAME       class and style of a kind of element, see newStylesheet
//	darkStyles     content of a style element: phones, dark mode
//	outlookStyles  content of another: dark mode in Outlook's apps
//	mso HTML       what only Outlook with Word's engine sees
//	lines TEXT     its lines
//	link URL NAME  a link in a message, that looks like a kind of element
func htmlFuncs(look stylesheet, words *locale.Language) htmltemplate.FuncMap {
	funcs := sharedFuncs(words)
	funcs["css"] = look.attributes
	funcs["darkStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.media()) }
	funcs["outlookStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.outlook()) }
	funcs["mso"] = func(s string) htmltemplate.HTML { return htmltemplate.HTML("<!--[if mso]>" + s + "<![endif]-->") }
	funcs["link"] = func(address, name string) (locale.Link, error) {
		attributes, err := look.attributes(name)
		return locale.Link{URL: address, Attributes: attributes}, err
	}
	funcs["lines"] = func(s string) []string { return strings.Split(s, "\n") }
	return funcs
}

// textFuncs are the functions of the text templates: those of sharedFuncs and
// of locale.Language.Funcs, and
//
//	wrap PART…        the parts as one text, broken at 72 columns
//	underline C TEXT  a line of C as wide as the text
func textFuncs(words *locale.Language) texttemplate.FuncMap {
	funcs := sharedFuncs(words)
	funcs["wrap"] = func(parts ...string) string { return wrap(strings.Join(parts, ""), "", "") }
	funcs["underline"] = func(c, s string) string { return strings.Repeat(c, min(columns(s), lineWidth)) }
	return funcs
}

// sharedFuncs are functions of all templates:
//
//	join LIST   its elements, comma-separated
//	dots PART…  those parts that are not empty, with dots between them
func sharedFuncs(words *locale.Language) map[string]any {
	return map[string]any{
		"join": func(list []string) string { return strings.Join(list, words.T("list.comma")) },
		"dots": dots,
	}
}

func dots(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, " · ")
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
	full.WebURL, full.Frequency = "https://example.org/newsletters/weekly/1/", "weekly"
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
