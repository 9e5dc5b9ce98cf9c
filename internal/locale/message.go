package locale

import (
	"errors"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	textmessage "golang.org/x/text/message"
)

// A message is a text in one language, or several of which a number picks one.
// Texts hold placeholders, {name}, and where pages show them links,
// [words]({name}).
type message struct {
	plural bool
	forms  map[plural.Form]string // plural.Other alone unless plural
}

var (
	placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)
	link        = regexp.MustCompile(`\[([^\[\]]+)\]\(\{([a-z_]+)\}\)`)
)

// placeholders is every name that any form holds, the addresses of links
// among them or not.
func (m message) placeholders(links bool) map[string]bool {
	names := map[string]bool{}
	for _, text := range m.forms {
		if !links {
			text = unlinked(text)
		}
		for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
			names[found[1]] = true
		}
	}
	return names
}

// A Link is where a linked part of a message leads. With no address the words
// stand alone.
type Link struct {
	URL        string
	Attributes template.HTMLAttr // of the element, beside its address
}

// T gives the message, filled with args: name, value, name, value, … A name's
// value may be a string or a number; a message with plural forms goes by that
// of "count". What is missing shows as {name}: the check of templates and the
// tests find it earlier.
func (l *Language) T(id string, args ...any) string {
	text, _ := l.Text(id, args...)
	return text
}

// Count gives the message in the form that n asks for, with n as {count}.
func (l *Language) Count(id string, n int, args ...any) string {
	return l.T(id, append([]any{"count", n}, args...)...)
}

// unlinked keeps the words of links alone.
func unlinked(text string) string { return link.ReplaceAllString(text, "$1") }

// Text is T that also says what is wrong. Links are words in it.
func (l *Language) Text(id string, args ...any) (string, error) {
	in, text, values, err := l.pick(id, args)
	if err != nil {
		return id, err
	}
	filled, err := fill(unlinked(text), func(name string) (string, bool) {
		v, ok := values[name]
		return in.show(v), ok
	})
	if err != nil {
		return filled, fmt.Errorf("message %q: %w", id, err)
	}
	return filled, nil
}

// HTML is Text as HTML: words and values are escaped, values stand apart from
// the direction of the words around them, and a Link, or a string, makes an
// element of [words]({name}).
func (l *Language) HTML(id string, args ...any) (template.HTML, error) {
	in, text, values, err := l.pick(id, args)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	var faults []error
	words := func(s string) {
		filled, err := fill(template.HTMLEscapeString(s), func(name string) (string, bool) {
			v, ok := values[name]
			shown := template.HTMLEscapeString(in.show(v))
			if _, text := v.(string); text {
				shown = `<span dir="auto">` + shown + "</span>" // many mail programs drop <bdi>
			}
			return shown, ok
		})
		faults = append(faults, err)
		b.WriteString(filled)
	}
	end := 0
	for _, at := range link.FindAllStringSubmatchIndex(text, -1) {
		words(text[end:at[0]])
		open, close, err := anchor(values[text[at[4]:at[5]]])
		faults = append(faults, err)
		b.WriteString(open)
		words(text[at[2]:at[3]])
		b.WriteString(close)
		end = at[1]
	}
	words(text[end:])
	if err := errors.Join(faults...); err != nil {
		return "", fmt.Errorf("message %q: %w", id, err)
	}
	return template.HTML(b.String()), nil
}

// pick finds the text of a message and the values to fill it with, and in
// which language it is.
func (l *Language) pick(id string, args []any) (in *Language, text string, values map[string]any, err error) {
	m, in, err := l.find(id)
	if err != nil {
		return nil, "", nil, err
	}
	values = make(map[string]any, len(args)/2)
	for pair := range slices.Chunk(args, 2) {
		name, ok := pair[0].(string)
		if !ok || len(pair) != 2 {
			return nil, "", nil, fmt.Errorf("message %q: arguments are pairs of a name and a value", id)
		}
		values[name] = pair[1]
	}
	form := plural.Other
	if m.plural {
		n, ok := values["count"].(int)
		if !ok {
			return nil, "", nil, fmt.Errorf("message %q: it has plural forms and needs a number named count", id)
		}
		form = formOf(in, n)
	}
	if text, ok := m.forms[form]; ok {
		return in, text, values, nil
	}
	return in, m.forms[plural.Other], values, nil
}

// fill puts values into a text; what has none stays, and is an error.
func fill(text string, value func(name string) (string, bool)) (string, error) {
	var missing []error
	filled := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		v, ok := value(found[1 : len(found)-1])
		if !ok {
			missing = append(missing, fmt.Errorf("nothing is given for %s", found))
			return found
		}
		return v
	})
	return filled, errors.Join(missing...)
}

// show writes a value as the language does.
func (l *Language) show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return l.Number(v)
	}
	return fmt.Sprint(v)
}

// Number writes a whole number.
func (l *Language) Number(n int) string {
	if 0 <= n && n < len(l.small) {
		return l.small[n]
	}
	return l.write(n)
}

func (l *Language) write(n int) string {
	return textmessage.NewPrinter(l.numbers).Sprint(n)
}

// formOf gives the plural form of a number of things (CLDR's cardinal rules).
func formOf(l *Language, n int) plural.Form {
	if n < 0 {
		n = -n
	}
	return plural.Cardinal.MatchPlural(l.Tag, n, 0, 0, 0, 0)
}

// anchor gives the tags around linked words.
func anchor(v any) (open, close string, err error) {
	var to Link
	switch v := v.(type) {
	case string:
		to.URL = v
	case Link:
		to = v
	default:
		return "", "", errors.New("a link needs an address")
	}
	if to.URL == "" {
		return "", "", nil
	}
	if !leadsToPage(to.URL) {
		return "", "", fmt.Errorf("%q is no address of a page", to.URL)
	}
	open = `<a href="` + template.HTMLEscapeString(to.URL) + `"`
	if to.Attributes != "" {
		open += " " + string(to.Attributes)
	}
	return open + ">", "</a>", nil
}

// leadsToPage refuses what a browser would run: an address begins with / or #
// or is an absolute one of the web.
func leadsToPage(address string) bool {
	for _, prefix := range []string{"/", "#", "http://", "https://"} {
		if strings.HasPrefix(address, prefix) {
			return true
		}
	}
	return false
}
