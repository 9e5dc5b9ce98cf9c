// Package locale gives the words of pages and mails in several languages: it
// reads message catalogues, one YAML file a language, finds the language that
// suits a reader, and fills messages with names and numbers as that language
// writes them, dates and plural forms (CLDR) included. English is complete;
// what another language lacks is said in English. The package knows neither
// pages nor mails, only templates' need of functions and of a check.
package locale

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// A Catalogue is the languages there are messages in. It is immutable and
// safe for concurrent use.
type Catalogue struct {
	languages []*Language // English first, the others by tag
	matcher   language.Matcher
}

// A Language is one language of a catalogue.
type Language struct {
	Tag      language.Tag
	Name     string // in the language itself: "Deutsch"
	messages map[string]message
	english  *Language // where a missing message is taken from; nil: this is English
	dates    dates
	numbers  language.Tag // Tag, with the digits that the file asks for
	small    [100]string  // numbers as it writes them: days, counts, digits of years
}

// rightToLeft are the scripts (ISO 15924) written from right to left.
const rightToLeft = "Adlm Arab Hebr Mand Nkoo Rohg Samr Syrc Thaa"

// Direction gives "rtl" or "ltr" for a BCP 47 language tag.
func Direction(tag string) string {
	script, _ := language.Make(tag).Script()
	if strings.Contains(rightToLeft, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// Dir is the direction of the language: "rtl" or "ltr".
func (l *Language) Dir() string { return Direction(l.Tag.String()) }

// Languages gives all of them, English first.
func (c *Catalogue) Languages() []*Language { return slices.Clone(c.languages) }

// English is the language that has every message.
func (c *Catalogue) English() *Language { return c.languages[0] }

// Find gives the language for one BCP 47 tag: "de" for "de-AT" too; false,
// with English, if none is near enough.
func (c *Catalogue) Find(tag string) (*Language, bool) {
	t, err := language.Parse(tag)
	if err != nil || t == language.Und {
		return c.English(), false
	}
	_, i, confidence := c.matcher.Match(t)
	if confidence < language.High {
		return c.English(), false
	}
	return c.languages[i], true
}

// Match gives the first language that a reader's wishes name, most wanted
// first; English if none does.
func (c *Catalogue) Match(tags ...string) *Language {
	for _, tag := range tags {
		if l, ok := c.Find(tag); ok {
			return l
		}
	}
	return c.English()
}

// Preferred gives the tags of an Accept-Language field (RFC 9110 §12.5.4),
// most wanted first; none if it cannot be understood.
func Preferred(field string) []string {
	const most = 200 // bytes; browsers send few languages
	if len(field) > most {
		return nil
	}
	tags, _, err := language.ParseAcceptLanguage(field)
	if err != nil {
		return nil
	}
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.String()
	}
	return names
}

// Placeholders gives the names that a message is filled with, sorted; false if
// there is no such message. Without links it is what T needs, with them what
// HTML does.
func (c *Catalogue) Placeholders(id string, links bool) ([]string, bool) {
	m, ok := c.English().messages[id]
	if !ok {
		return nil, false
	}
	names := m.placeholders(links)
	if m.plural {
		names["count"] = true
	}
	return slices.Sorted(maps.Keys(names)), true
}

// IDs gives the identifiers of all messages, sorted.
func (c *Catalogue) IDs() []string { return slices.Sorted(maps.Keys(c.English().messages)) }

// Has reports whether the language says a message in its own words.
func (l *Language) Has(id string) bool {
	_, ok := l.messages[id]
	return ok
}

func (l *Language) find(id string) (message, *Language, error) {
	if m, ok := l.messages[id]; ok {
		return m, l, nil
	}
	if l.english != nil {
		return l.english.find(id)
	}
	return message{}, nil, fmt.Errorf("there is no message %q", id)
}
