package digest

import (
	"reflect"

	"tidings/internal/locale"
)

// What tests outside the package look at directly.
var (
	Clean = clean
	Cut   = cut
	Wrap  = wrap
	Sent  = sent
)

// The limits that tests hold messages against.
const (
	MaxSubject = maxSubject
	MaxSent    = maxSent
	LineWidth  = lineWidth
)

// Models are what templates are filled with, by the headings of
// docs/templates.md.
var Models = map[string]reflect.Type{
	"Every mail": reflect.TypeFor[letter](), "The digest": reflect.TypeFor[edition](), "A group of posts": reflect.TypeFor[group](),
	"A post": reflect.TypeFor[entry](), "The site": reflect.TypeFor[Site](), "The newsletter": reflect.TypeFor[Newsletter](),
	"The mail that asks to confirm": reflect.TypeFor[confirmation](), "What was asked for": reflect.TypeFor[asked](), "Personal mails": reflect.TypeFor[personal](),
}

// ModelNames are what the page calls some types.
var ModelNames = map[reflect.Type]string{
	reflect.TypeFor[entry](): "post", reflect.TypeFor[group](): "group", reflect.TypeFor[asked](): "choice", reflect.TypeFor[Site](): "site",
	reflect.TypeFor[Newsletter](): "newsletter", reflect.TypeFor[locale.Link](): "link",
}

// Functions gives those of HTML templates, of text templates, and of both.
func Functions() (html, text, shared map[string]any) {
	words := new(locale.Language)
	shared = sharedFuncs(words)
	html, text = htmlFuncs(newStylesheet(), words), textFuncs(words)
	for name := range shared {
		delete(html, name)
		delete(text, name)
	}
	return html, text, shared
}
