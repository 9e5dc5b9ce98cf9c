package locale

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

const (
	folder  = "locales"
	english = "en"
)

// file is a catalogue as it is written.
type file struct {
	Name     string          `yaml:"name"`
	Digits   string          `yaml:"digits"` // a numbering system of CLDR: "latn"; "": the usual one
	Dates    *dates          `yaml:"dates"`
	Messages map[string]text `yaml:"messages"`
}

// text is a message as it is written: a text, or one for each plural form.
type text struct {
	one    string
	plural map[string]string
}

// UnmarshalYAML takes either.
func (t *text) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&t.one); err == nil {
		return nil
	}
	return unmarshal(&t.plural)
}

// Load reads locales/*.yaml, each named by the tag of its language. It
// reports every fault of every file at once: a message that English lacks,
// placeholders that are not English's, a plural form that the language needs.
// Unless English itself cannot be read, it gives what could be read as well.
func Load(fsys fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(fsys, folder+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("load the messages: %w", err)
	}
	own := path.Join(folder, english+".yaml")
	if !slices.Contains(names, own) {
		return nil, fmt.Errorf("load the messages: %s is missing", own)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == own })
	c := &Catalogue{}
	var faults []error
	for _, name := range append([]string{own}, names...) {
		l, err := read(fsys, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		c.languages = append(c.languages, l)
	}
	if len(c.languages) == 0 || c.languages[0].Tag != language.English {
		return nil, fmt.Errorf("load the messages: %w", errors.Join(faults...))
	}
	faults = append(faults, c.check()...)
	var tags []language.Tag
	for _, l := range c.languages {
		tags = append(tags, l.Tag)
	}
	c.matcher = language.NewMatcher(tags)
	if err := errors.Join(faults...); err != nil {
		return c, fmt.Errorf("load the messages: %w", err)
	}
	return c, nil
}

// read reads one language.
func read(fsys fs.FS, name string) (*Language, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".yaml"))
	if err != nil {
		return nil, fmt.Errorf("%s: the name of the file is not a language tag such as de or pt-BR", name)
	}
	var f file
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l := &Language{Tag: tag, Name: f.Name, messages: map[string]message{}, numbers: tag}
	if f.Digits != "" {
		if l.numbers, err = language.Parse(tag.String() + "-u-nu-" + f.Digits); err != nil {
			return nil, fmt.Errorf("%s: digits: %q is not a numbering system such as latn", name, f.Digits)
		}
	}
	for n := range l.small {
		l.small[n] = l.write(n)
	}
	var faults []error
	if f.Name == "" {
		faults = append(faults, errors.New("name is missing: what the language calls itself"))
	}
	if f.Dates == nil {
		faults = append(faults, errors.New("dates is missing"))
	} else if l.dates = *f.Dates; true {
		faults = append(faults, l.dates.faults()...)
	}
	for id, t := range f.Messages {
		m, err := t.message()
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", id, err))
		}
		l.messages[id] = m
	}
	return l, named(name, faults)
}

// message turns what is written into what is filled.
func (t text) message() (message, error) {
	if t.plural == nil {
		if strings.TrimSpace(t.one) == "" {
			return message{}, errors.New("the message is empty")
		}
		return message{forms: map[plural.Form]string{plural.Other: t.one}}, nil
	}
	m := message{plural: true, forms: map[plural.Form]string{}}
	for name, words := range t.plural {
		i := slices.Index(formNames[:], name)
		if i < 0 {
			return m, fmt.Errorf("%q is not a plural form; there are %s", name, strings.Join(formNames[:], ", "))
		}
		if strings.TrimSpace(words) == "" {
			return m, fmt.Errorf("the form %q is empty", name)
		}
		m.forms[plural.Form(i)] = words
	}
	return m, nil
}

// formNames are CLDR's names of plural forms, in the order of plural.Form.
var formNames = [...]string{plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}

// named says in which file faults are; nil if there are none.
func named(file string, faults []error) error {
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for i, err := range faults {
		faults[i] = fmt.Errorf("%s: %w", file, err)
	}
	return errors.Join(faults...)
}

func (d dates) faults() []error {
	var faults []error
	if len(d.Months) != 12 || len(d.ShortMonths) != 12 {
		faults = append(faults, errors.New("dates: months and short_months must each have twelve names"))
	}
	for _, form := range []struct{ key, text string }{{"long", d.Long}, {"short", d.Short}} {
		if !strings.Contains(form.text, "{day}") || !strings.Contains(form.text, "{year}") ||
			!strings.Contains(form.text, "{month}") && !strings.Contains(form.text, "{number}") {
			faults = append(faults, fmt.Errorf("dates: %s needs {day}, {month} or {number}, and {year}", form.key))
		}
	}
	return faults
}

// check compares every language with English.
func (c *Catalogue) check() []error {
	var faults []error
	for _, l := range c.languages {
		if l != c.English() {
			l.english = c.English()
		}
		var own []error
		for id, m := range l.messages {
			own = append(own, l.compare(id, m, c.English())...)
		}
		if err := named(path.Join(folder, l.Tag.String()+".yaml"), own); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// compare gives the faults of one message.
func (l *Language) compare(id string, m message, english *Language) []error {
	original, ok := english.messages[id]
	if !ok {
		return []error{fmt.Errorf("%s: English has no such message", id)}
	}
	if m.plural != original.plural {
		return []error{fmt.Errorf("%s: it must have plural forms in English and here, or in neither", id)}
	}
	var faults []error
	known := original.placeholders(true)
	for form, text := range m.forms {
		has := message{forms: map[plural.Form]string{form: text}}.placeholders(true)
		for name := range has {
			if !known[name] {
				faults = append(faults, fmt.Errorf("%s: {%s} is unknown; there are %s", id, name, braced(known)))
			}
		}
		for name := range known {
			// "One post" needs no number; nor need links be told apart.
			if !has[name] && !(m.plural && name == "count") {
				faults = append(faults, fmt.Errorf("%s: {%s} is missing", id, name))
			}
		}
	}
	if m.plural {
		for _, form := range l.formsNeeded() {
			if m.forms[form] == "" {
				faults = append(faults, fmt.Errorf("%s: the plural form %q is missing", id, formNames[form]))
			}
		}
	}
	return faults
}

// formsNeeded are the plural forms of whole numbers in the language.
func (l *Language) formsNeeded() []plural.Form {
	needed := map[plural.Form]bool{plural.Other: true}
	for n := range 201 {
		needed[formOf(l, n)] = true
	}
	return slices.Sorted(maps.Keys(needed))
}

func braced(names map[string]bool) string {
	var list []string
	for _, n := range slices.Sorted(maps.Keys(names)) {
		list = append(list, "{"+n+"}")
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
