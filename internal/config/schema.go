package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"
)

// Patterns of the schema. Editors judge by them while a file is typed; the
// reader judges more exactly.
const (
	durationPattern = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h|d|w))+$|^0$`
	variablePattern = `\$\{[A-Za-z_][A-Za-z0-9_]*\}`
	namePattern     = `^[^A-Z\s_./:?#%-]+(-[^A-Z\s_./:?#%-]+)*$`
)

// Schema gives the JSON Schema (2020-12) of a configuration file, for
// editors.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == durationType {
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	s := r.Reflect(Config{})
	s.Title = "tidings configuration"
	describeSection(s, reflect.ValueOf(*defaults()))
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("make the schema of the configuration: %w", err)
	}
	return append(text, '\n'), nil
}

// describeSection adds to the reflected types what the tags and the defaults say.
func describeSection(s *jsonschema.Schema, section reflect.Value) {
	for _, f := range fieldsOf(section.Type()) {
		property, _ := s.Properties.Get(f.key)
		value := section.Field(f.at)
		c, many := f.ofCollection()
		switch {
		case many:
			property = collectionSchema(property, c)
			s.Properties.Set(f.key, property)
		case f.kind.Kind() == reflect.Struct:
			describeSection(property, value)
		default:
			property = constrain(property, f)
			property.Default = shown(f, value)
			s.Properties.Set(f.key, property)
		}
		property.Description = f.doc
	}
}

// collectionSchema makes a mapping by name of what reflects as a list.
func collectionSchema(list *jsonschema.Schema, c collection) *jsonschema.Schema {
	one := list.Items
	one.Properties.Delete("Name")
	describeSection(one, reflect.ValueOf(c.defaults("")))
	names := &jsonschema.Schema{Pattern: c.pattern}
	if c.pattern == "" {
		names.MinLength = new(uint64(1))
	}
	return &jsonschema.Schema{Type: "object", PropertyNames: names, AdditionalProperties: one}
}

// constrain adds what is allowed. Where not every text is, a value may still
// be left to an environment variable.
func constrain(s *jsonschema.Schema, f field) *jsonschema.Schema {
	switch {
	case f.kind == stringsType:
		s.UniqueItems = f.rule.unique
		if f.rule.required {
			one := uint64(1)
			s.MinItems = &one
		}
		element := f.rule
		element.required = true
		s.Items = allowed(s.Items, element)
		return s
	case f.kind == durationType:
		s.Pattern = durationPattern
	case f.kind.Kind() == reflect.Int, f.kind.Kind() == reflect.Float64:
		s.Minimum = json.Number(strconv.Itoa(f.rule.min))
		if f.rule.max > 0 {
			s.Maximum = json.Number(strconv.Itoa(f.rule.max))
		}
	case f.kind.Kind() == reflect.String:
		return allowed(s, f.rule)
	}
	return orVariable(s)
}

// allowed constrains a text.
func allowed(s *jsonschema.Schema, r rule) *jsonschema.Schema {
	pattern := formPattern(r.form)
	switch {
	case r.enum != nil:
		for _, word := range r.enum {
			s.Enum = append(s.Enum, word)
		}
		if !r.required {
			s.Enum = append(s.Enum, "")
		}
		return orVariable(s)
	case pattern != "":
		s.Pattern = pattern
		if !r.required {
			s.Pattern = "^$|" + pattern
		}
		return orVariable(s)
	case r.required:
		one := uint64(1)
		s.MinLength = &one
	}
	return s
}

// hoursPattern is a span of hours, without what a pattern cannot tell.
const hoursPattern = `^([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-3])$`

// formPattern is what of a form a pattern can tell.
func formPattern(form string) string {
	switch form {
	case "hours":
		return hoursPattern
	case "url":
		return `^https?://[^/?#\s]+[^?#\s]*$`
	case "hub", "picture":
		return `^https?://[^/?#\s]+[^#\s]*$`
	case "cron":
		return `^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$|^\s*[^@\s]+(\s+\S+){4}\s*$`
	case "address", "email", "returnpath":
		return `@`
	case "permalink":
		return `^/.*:slug`
	case "listen":
		return `:[0-9]+$`
	case "host", "domain":
		return `^[^\s/]+$`
	case "database":
		return `^(sqlite:.|postgres(ql)?://.)`
	}
	return ""
}

func orVariable(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "string", Pattern: variablePattern}}}
}
