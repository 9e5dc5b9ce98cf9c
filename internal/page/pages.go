package page

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"tidings/internal/locale"
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
	locales, err := locale.Load(fsys)
	if err != nil {
		return nil, err
	}
	l := &loader{fsys: fsys, locales: locales, funcs: template.FuncMap{
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
	if err := errors.Join(l.faults...); err != nil {
		return nil, fmt.Errorf("load the web templates: %w", err)
	}
	return p, nil
}

// loader collects faults, so that all are reported at once.
type loader struct {
	fsys    fs.FS
	locales *locale.Catalogue
	funcs   template.FuncMap
	shared  *template.Template
	used    []string
	faults  []error
}

// parseShared parses what all pages have in common.
func (l *loader) parseShared() {
	l.shared = template.New("").Funcs(l.funcs).Funcs(l.locales.English().Funcs())
	parts, err := fs.Glob(l.fsys, "web/parts/*.html")
	if err != nil {
		l.faults = append(l.faults, err)
	}
	for _, name := range append([]string{"web/layout.html"}, parts...) {
		l.parse(l.shared, name)
	}
}

// parse adds one file to t.
func (l *loader) parse(t *template.Template, name string) {
	l.used = append(l.used, name)
	text, err := fs.ReadFile(l.fsys, name)
	if err == nil {
		_, err = t.New(path.Base(name)).Parse(string(text))
	}
	if err != nil {
		l.faults = append(l.faults, err)
		return
	}
	for _, defined := range t.Templates() {
		if defined.Tree != nil && defined.Tree.ParseName == path.Base(name) {
			l.faults = append(l.faults, l.locales.Check(defined.Tree)...)
		}
	}
}

// load makes the view of one file and renders it once in each language, empty:
// a field that does not exist and markup that cannot be escaped show only then.
func load[T framed](l *loader, name string) View[T] {
	t, err := l.shared.Clone()
	if err != nil {
		l.faults = append(l.faults, err)
		return View[T]{}
	}
	before := len(l.faults)
	l.parse(t, "web/"+name)
	if len(l.faults) > before || t.Lookup("layout") == nil {
		return View[T]{}
	}
	v := View[T]{name: name, english: l.locales.English(), in: map[*locale.Language]*template.Template{}}
	var empty T
	for _, words := range l.locales.Languages() {
		own, err := t.Clone()
		if err == nil {
			v.in[words] = own.Funcs(words.Funcs())
			_, err = v.render(words, empty)
		}
		if err != nil {
			l.faults = append(l.faults, err)
			break
		}
	}
	return v
}

// refuseUnused finds files that nothing shows: a misspelt replacement would
// otherwise be ignored in silence.
func (l *loader) refuseUnused() {
	err := fs.WalkDir(l.fsys, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		if !slices.Contains(l.used, name) {
			l.faults = append(l.faults, fmt.Errorf("%s: no page uses this file; compare its name with the output of: tidings templates list", name))
		}
		return nil
	})
	if err != nil {
		l.faults = append(l.faults, err)
	}
}
