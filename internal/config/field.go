package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is one key of a section, as its struct tags describe it.
type field struct {
	key  string
	doc  string
	at   int // index in the struct
	kind reflect.Type
	rule rule
}

// rule is what a value must be, parsed from a "check" tag: a comma-separated
// list of the words below or of the name of a form (see checkForm).
type rule struct {
	required bool     // not empty
	unique   bool     // no element twice
	lines    bool     // may have several lines
	path     bool     // relative to the folder of the file
	address  bool     // or an address, with path
	secret   bool     // never shown
	positive bool     // a duration above zero
	enum     []string // enum=a|b
	min      int      // min=1; numbers are never negative
	max      int      // max=9; 0: no limit
	form     string   // name of a form; "" for any text
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	stringsType  = reflect.TypeFor[[]string]()
)

// A collection is a list of sections that the file writes as a mapping by
// name. Each has a field Name, which holds its key.
type collection struct {
	check    func(name string) string // "" or what is wrong with a name
	pattern  string                   // of names, for the schema; "": any
	defaults func(name string) any    // a section
}

var collections = map[reflect.Type]collection{
	reflect.TypeFor[[]Newsletter]():  {checkNewsletterName, namePattern, func(name string) any { return newsletterDefaults(name) }},
	reflect.TypeFor[[]Combination](): {checkCombinationName, namePattern, func(name string) any { return Combination{Name: name} }},
	reflect.TypeFor[[]DomainRate]():  {checkRatedDomain, "", func(name string) any { return DomainRate{Name: name} }},
	reflect.TypeFor[[]DKIMKey]():     {checkSelector, `^[^\s/]+$`, func(name string) any { return DKIMKey{Name: name} }},
	reflect.TypeFor[[]Term]():        {checkTermName, "", func(name string) any { return Term{Name: name} }},
}

// ofCollection says of what kind the sections below a key are, each with a
// name of its own.
func (f field) ofCollection() (c collection, ok bool) {
	c, ok = collections[f.kind]
	return c, ok
}

// fieldsOf gives the keys of a section in their order.
func fieldsOf(section reflect.Type) []field {
	var fs []field
	for i := range section.NumField() {
		f := section.Field(i)
		key, ok := f.Tag.Lookup("yaml")
		if !ok {
			continue
		}
		fs = append(fs, field{key: key, doc: f.Tag.Get("doc"), at: i, kind: f.Type, rule: parseRule(f.Tag.Get("check"))})
	}
	return fs
}

func parseRule(tag string) rule {
	var r rule
	for word := range strings.SplitSeq(tag, ",") {
		word, arg, _ := strings.Cut(word, "=")
		switch word {
		case "required":
			r.required = true
		case "unique":
			r.unique = true
		case "lines":
			r.lines = true
		case "path":
			r.path = true
		case "place":
			r.path, r.address = true, true
		case "secret":
			r.secret = true
		case "positive":
			r.positive = true
		case "enum":
			r.enum = strings.Split(arg, "|")
		case "min":
			r.min, _ = strconv.Atoi(arg)
		case "max":
			r.max, _ = strconv.Atoi(arg)
		default:
			r.form = word
		}
	}
	return r
}

// section gives the type of the mapping below a key; ok is false if the key
// holds a value.
func (f field) section() (t reflect.Type, ok bool) {
	if _, ok := f.ofCollection(); ok {
		return f.kind.Elem(), true
	}
	return f.kind, f.kind.Kind() == reflect.Struct
}

// anyName stands for the name of a newsletter or term in the path of a key.
const anyName = "NAME"

// keysBelow gives the path of every key that holds a value.
func keysBelow(section reflect.Type, prefix string) []string {
	var keys []string
	for _, f := range fieldsOf(section) {
		path := join(prefix, f.key)
		sub, ok := f.section()
		_, many := f.ofCollection()
		switch {
		case many:
			keys = append(keys, keysBelow(sub, join(path, anyName))...)
		case ok:
			keys = append(keys, keysBelow(sub, path)...)
		default:
			keys = append(keys, path)
		}
	}
	return keys
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}
