package page

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"

	"tidings/internal/locale"
	"tidings/internal/tmpl"
)

// Pages is every page of one site, ready to be rendered. It is immutable and
// safe for concurrent use.
type Pages struct {
	Assets  *Assets
	Locales *locale.Catalogue

	Home        View[Home]
	Post        View[Post]
	Term        View[Term]
	Feeds       View[Feeds]
	Feed        View[FeedPage]
	Issues      View[Issues]
	Subscribe   View[Subscribe]
	Confirm     View[Confirm]
	Unsubscribe View[Unsubscribe]
	Preferences View[Preferences]
	AskLink     View[AskLink]
	Address     View[Address]
	Notice      View[Notice]
	Mailbox     View[Mailbox]
	Message     View[Message]
}

// framed is what every page embeds a Frame for.
type framed interface{ words() *locale.Language }

// A View renders one page, in the language of its words.
type View[T framed] struct {
	name    string
	english *locale.Language
	in      map[*locale.Language]*template.Template
}

// Render gives the page as HTML.
func (v View[T]) Render(contents T) ([]byte, error) {
	words := contents.words()
	if words == nil {
		words = v.english
	}
	return v.render(words, contents)
}

func (v View[T]) render(words *locale.Language, contents T) ([]byte, error) {
	var b bytes.Buffer
	if err := v.in[words].ExecuteTemplate(&b, "layout", contents); err != nil {
		return nil, fmt.Errorf("render page %s: %w", v.name, err)
	}
	return b.Bytes(), nil
}

// Load parses the templates web/*.html and web/parts/*.html and reads the
// assets and the messages of fsys, for a site whose pages live below root. It
// reports every faulty file at once.
func Load(fsys fs.FS, root string) (*Pages, error) {
	assets, err := loadAssets(fsys, root)
	if err != nil {
		return nil, err
	}
	locales, fault := locale.Load(fsys)
	if locales == nil {
		return nil, fault
	}
	l := &loader{fsys: fsys, locales: locales, faults: []error{fault}, funcs: template.FuncMap{
		"asset":    assets.URL,
		"clock":    clock,
		"rfc":      rfc3339,
		"download": download,
	}}
	l.parseShared()
	p := &Pages{
		Assets:      assets,
		Locales:     locales,
		Home:        load[Home](l, "home.html"),
		Post:        load[Post](l, "post.html"),
		Term:        load[Term](l, "term.html"),
		Feeds:       load[Feeds](l, "feeds.html"),
		Feed:        load[FeedPage](l, "feed.html"),
		Issues:      load[Issues](l, "issues.html"),
		Subscribe:   load[Subscribe](l, "subscribe.html"),
		Confirm:     load[Confirm](l, "confirm.html"),
		Unsubscribe: load[Unsubscribe](l, "unsubscribe.html"),
		Preferences: load[Preferences](l, "preferences.html"),
		AskLink:     load[AskLink](l, "link.html"),
		Address:     load[Address](l, "address.html"),
		Notice:      load[Notice](l, "notice.html"),
		Mailbox:     load[Mailbox](l, "mailbox.html"),
		Message:     load[Message](l, "message.html"),
	}
	l.refuseUnused()
	if err := tmpl.Join(l.faults...); err != nil {
		return nil, fmt.Errorf("load the web templates: %w", err)
	}
	return p, nil
}

// loader collects faults, so that all are reported at once.
type loader struct {
	fsys    fs.FS
	locales *locale.Catalogue
	funcs   template.FuncMap
	parts   []tmpl.File // what all pages have in common
	broken  bool        // some of it cannot be read
	used    []string
	faults  []error
}

// parseShared parses what all pages have in common.
func (l *loader) parseShared() {
	parts, err := fs.Glob(l.fsys, "web/parts/*.html")
	if err != nil {
		l.faults = append(l.faults, err)
	}
	for _, name := range append([]string{"web/layout.html"}, parts...) {
		f, ok := l.parse(name)
		l.broken = l.broken || !ok
		l.parts = append(l.parts, f)
	}
}

// parse reads one file, and looks at the messages it asks for.
func (l *loader) parse(name string) (f tmpl.File, ok bool) {
	l.used = append(l.used, name)
	source, err := fs.ReadFile(l.fsys, name)
	if err == nil {
		f, err = tmpl.Parse(name, string(source))
	}
	if err != nil {
		l.faults = append(l.faults, err)
		return f, false
	}
	for _, tree := range f.Trees {
		for _, err := range l.locales.Check(tree) {
			l.faults = append(l.faults, tmpl.Locate(err))
		}
	}
	return f, true
}

// load makes the view of one file and renders it once in each language, empty:
// a field that does not exist and markup that cannot be escaped show only then.
func load[T framed](l *loader, name string) View[T] {
	own, ok := l.parse("web/" + name)
	if !ok || l.broken {
		return View[T]{}
	}
	if !slices.ContainsFunc(own.Trees, func(t *parse.Tree) bool { return t.Name == "main" }) {
		l.faults = append(l.faults, tmpl.Fault{File: own.Name, Line: 1, Column: 1, Message: `what the page shows is missing; put it between {{define "main"}} and {{end}}`})
		return View[T]{}
	}
	files := append(slices.Clone(l.parts), own)
	funcs := l.locales.English().Funcs()
	maps.Copy(funcs, l.funcs)
	if faults := tmpl.Check(files, funcs, "layout", reflect.TypeFor[T]()); len(faults) > 0 {
		l.faults = append(l.faults, faults...)
		return View[T]{}
	}
	v := View[T]{name: name, english: l.locales.English(), in: map[*locale.Language]*template.Template{}}
	var empty T
	for _, words := range l.locales.Languages() {
		own, err := l.build(files, words)
		if err == nil {
			v.in[words] = own
			_, err = v.render(words, empty)
		}
		if err != nil {
			l.faults = append(l.faults, tmpl.Locate(err))
			break
		}
	}
	return v
}

// build makes a page's template in one language.
func (l *loader) build(files []tmpl.File, words *locale.Language) (*template.Template, error) {
	t := template.New("").Funcs(l.funcs).Funcs(words.Funcs())
	for _, f := range files {
		if _, err := t.New(f.Name).Parse(f.Source); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// refuseUnused finds files that nothing shows: a misspelt replacement would
// otherwise be ignored in silence.
func (l *loader) refuseUnused() {
	err := fs.WalkDir(l.fsys, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		if !slices.Contains(l.used, name) {
			l.faults = append(l.faults, tmpl.Fault{File: name, Message: "no page uses this file; compare its name with the output of: tidings templates list"})
		}
		return nil
	})
	if err != nil {
		l.faults = append(l.faults, err)
	}
}
