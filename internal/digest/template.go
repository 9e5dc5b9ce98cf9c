package digest

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	texttemplate "text/template"

	"tidings/internal/inline"
	"tidings/internal/locale"
	"tidings/internal/tmpl"
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

// kinds are the mails there are, with their files and what fills them.
var kinds = [...]struct {
	html, text string
	data       reflect.Type
	of         func(*pages) *page
}{
	{digestHTML, digestText, reflect.TypeFor[edition](), func(p *pages) *page { return &p.digest }},
	{confirmHTML, confirmText, reflect.TypeFor[confirmation](), func(p *pages) *page { return &p.confirm }},
	{personalHTML, personalText, reflect.TypeFor[personal](), func(p *pages) *page { return &p.personal }},
}

// fileNames gives the names of all template files.
func fileNames() []string {
	names := []string{frameHTML}
	for _, k := range kinds {
		names = append(names, k.html, k.text)
	}
	return names
}

// Templates makes mails. It is safe for concurrent use.
type Templates struct{ current atomic.Pointer[set] }

// Replace makes t what others are; a mail that is being made is made of one or
// the other.
func (t *Templates) Replace(others *Templates) { t.current.Store(others.current.Load()) }

// set is templates as they were parsed.
type set struct {
	locales *locale.Catalogue
	in      map[*locale.Language]pages
	intro   *introRenderer
}

// pages is every mail in one language.
type pages struct{ digest, confirm, personal page }

// page is one mail's pair of templates.
type page struct {
	html, text executor
	styled     bool // the HTML has style sheets of the user's, to be inlined
}

// executor is what the two template packages have in common.
type executor interface {
	Execute(w io.Writer, data any) error
}

// Parse reads the templates and the messages from files, which has the folders
// email/ and locales/, checks them, and tries them with sample mails in each
// language. A template without the link that its mail is for is refused. The
// error holds every fault there is; tmpl.Faults gives them one by one.
func Parse(files fs.FS) (*Templates, error) {
	locales, fault := locale.Load(files)
	if locales == nil {
		return nil, fault
	}
	s := &set{locales: locales, in: map[*locale.Language]pages{}, intro: newIntroRenderer(newStylesheet())}
	p := parser{look: s.intro.look, locales: locales}
	if err := tmpl.Join(fault, p.read(files), p.check()); err != nil {
		return nil, err
	}
	var faults []error
	for _, words := range locales.Languages() {
		own, err := p.speaking(words)
		if err == nil {
			s.in[words] = own
			err = s.try(words.Tag.String(), p.works)
		}
		faults = append(faults, err)
	}
	if err := tmpl.Join(faults...); err != nil {
		return nil, err
	}
	t := new(Templates)
	t.current.Store(s)
	return t, nil
}

// parser turns files into templates.
type parser struct {
	look    stylesheet
	locales *locale.Catalogue
	files   map[string]tmpl.File
}

// read parses every file.
func (p *parser) read(files fs.FS) error {
	p.files = map[string]tmpl.File{}
	var faults []error
	for _, name := range fileNames() {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("read mail template: %w", err))
			continue
		}
		f, err := tmpl.Parse(name, string(source))
		if err == nil {
			p.files[name] = f
		}
		faults = append(faults, err)
	}
	return errors.Join(append(faults, p.refuseUnused(files))...)
}

// refuseUnused finds files that no mail is made of: a misspelt replacement
// would otherwise be ignored in silence.
func (p *parser) refuseUnused(files fs.FS) error {
	var faults []error
	err := fs.WalkDir(files, "email", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") || slices.Contains(fileNames(), name) {
			return err
		}
		faults = append(faults, tmpl.Fault{File: name, Message: "no mail is made of this file; compare its name with the output of: tidings templates list"})
		return nil
	})
	return errors.Join(append(faults, err)...)
}

// check looks for what is wrong whatever the language.
func (p *parser) check() error {
	words := p.locales.English()
	var faults []error
	for _, f := range p.files {
		faults = append(faults, checkSheets(f))
		for _, tree := range f.Trees {
			for _, err := range p.locales.Check(tree) {
				faults = append(faults, tmpl.Locate(err))
			}
		}
	}
	for _, k := range kinds {
		faults = append(faults, p.checkCalls(htmlFuncs(p.look, words), k.data, frameHTML, k.html)...)
		faults = append(faults, p.checkCalls(textFuncs(words), k.data, k.text)...)
	}
	return errors.Join(faults...)
}

// checkCalls looks at files that belong together, of which the last one is
// filled. What cannot be read is not looked at: that is said already.
func (p *parser) checkCalls(funcs map[string]any, data reflect.Type, names ...string) []error {
	var files []tmpl.File
	for _, name := range names {
		f, ok := p.files[name]
		if !ok {
			return nil
		}
		files = append(files, f)
	}
	return tmpl.Check(files, funcs, names[len(names)-1], data)
}

// speaking gives the mails in one language.
func (p *parser) speaking(words *locale.Language) (own pages, err error) {
	for _, k := range kinds {
		if *k.of(&own), err = p.page(words, k.html, k.text); err != nil {
			return pages{}, err
		}
	}
	return own, nil
}

func (p *parser) page(words *locale.Language, htmlFile, textFile string) (page, error) {
	html := htmltemplate.New(frameHTML).Funcs(htmlFuncs(p.look, words))
	for _, name := range []string{frameHTML, htmlFile} {
		var err error
		if html, err = html.New(name).Parse(p.files[name].Source); err != nil {
			return page{}, tmpl.Locate(err)
		}
	}
	for _, defined := range html.Templates() {
		if defined.Tree != nil {
			p.look.fold(defined.Tree.Root)
		}
	}
	text, err := texttemplate.New(textFile).Funcs(textFuncs(words)).Parse(p.files[textFile].Source)
	if err != nil {
		return page{}, tmpl.Locate(err)
	}
	styled := len(sheets(p.files[frameHTML]))+len(sheets(p.files[htmlFile])) > 0
	return page{html: html, text: text, styled: styled}, nil
}

// render fills both templates.
func (p page) render(data any) (html, text string, err error) {
	var h, t strings.Builder
	if err := errors.Join(tmpl.Locate(p.html.Execute(&h, data)), tmpl.Locate(p.text.Execute(&t, data))); err != nil {
		return "", "", err
	}
	html, text = h.String(), t.String()
	if p.styled {
		html, err = inline.Styles(html)
	}
	return html, text, err
}
