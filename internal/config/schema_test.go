package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/config"
)

// schema is the part of JSON Schema that the configuration's makes use of.
type schema struct {
	Type                 string             `json:"type"`
	Description          string             `json:"description"`
	Default              any                `json:"default"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties any                `json:"additionalProperties"`
	PropertyNames        *schema            `json:"propertyNames"`
	Items                *schema            `json:"items"`
	AnyOf                []*schema          `json:"anyOf"`
	Enum                 []any              `json:"enum"`
	Pattern              string             `json:"pattern"`
	Minimum              *float64           `json:"minimum"`
	Maximum              *float64           `json:"maximum"`
	MinLength            *int               `json:"minLength"`
	MinItems             *int               `json:"minItems"`
	UniqueItems          bool               `json:"uniqueItems"`
}

func loadSchema(t *testing.T) *schema {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// element is the schema of a mapping's values, whatever their key.
func (s *schema) element(t *testing.T) *schema {
	t.Helper()
	m, ok := s.AdditionalProperties.(map[string]any)
	if !ok {
		return nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var one schema
	if err := json.Unmarshal(text, &one); err != nil {
		t.Fatal(err)
	}
	return &one
}

// problems validates a value.
func (s *schema) problems(t *testing.T, path string, v any) []string {
	t.Helper()
	if len(s.AnyOf) > 0 {
		var all []string
		for _, one := range s.AnyOf {
			p := one.problems(t, path, v)
			if p == nil {
				return nil
			}
			all = append(all, p...)
		}
		return all
	}
	var all []string
	fail := func(format string, args ...any) { all = append(all, path+": "+fmt.Sprintf(format, args...)) }
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		fail("%v is not in %v", v, s.Enum)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			fail("is an object")
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			sub := s.Properties[key]
			if sub == nil {
				sub = s.element(t)
			}
			if sub == nil {
				fail("unknown key %s", key)
				continue
			}
			if s.PropertyNames != nil {
				s.PropertyNames.Type = "string"
				all = append(all, s.PropertyNames.problems(t, path+" "+key, key)...)
			}
			all = append(all, sub.problems(t, path+"."+key, v[key])...)
		}
	case []any:
		if s.Type != "array" || s.MinItems != nil && len(v) < *s.MinItems {
			fail("is an array of %d", len(v))
		}
		for _, one := range v {
			if s.Items != nil {
				all = append(all, s.Items.problems(t, path+"[]", one)...)
			}
		}
	case string:
		if s.Type != "string" || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) || s.MinLength != nil && len(v) < *s.MinLength {
			fail("%q", v)
		}
	case bool:
		if s.Type != "boolean" {
			fail("is a boolean")
		}
	case float64:
		if s.Type != "integer" && s.Type != "number" || s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			fail("%v", v)
		}
	}
	return all
}

// values reads YAML as JSON would be.
func values(t *testing.T, src []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// leaves gives the path of every key that holds no further keys.
func (s *schema) leaves(t *testing.T, path string) []string {
	t.Helper()
	if one := s.element(t); one != nil {
		return one.leaves(t, path+".NAME")
	}
	if s.Type != "object" {
		return []string{strings.TrimPrefix(path, ".")}
	}
	var all []string
	for key, sub := range s.Properties {
		all = append(all, sub.leaves(t, path+"."+key)...)
	}
	slices.Sort(all)
	return all
}

func leavesOf(v any, path string) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{strings.Replace(strings.TrimPrefix(path, "."), ".weekly.", ".NAME.", 1)}
	}
	var all []string
	for key, sub := range m {
		all = append(all, leavesOf(sub, path+"."+key)...)
	}
	slices.Sort(all)
	return all
}

func TestSchemaHasTheKeysOfTheShippedFile(t *testing.T) {
	src, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(loadSchema(t).leaves(t, ""), func(key string) bool {
		return strings.HasPrefix(key, "terms.") || strings.HasPrefix(key, "mail.dkim.also.") || strings.HasPrefix(key, "feeds.combined.") || strings.HasPrefix(key, "mail.rate.domains.")
	}) // it names none
	if diff := cmp.Diff(want, leavesOf(values(t, src), "")); diff != "" {
		t.Errorf("-schema +config.yaml:\n%s", diff)
	}
}

func TestSchemaAccepts(t *testing.T) {
	src, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string][]byte{
		"shipped":   src,
		"starter":   config.Starter(),
		"variables": []byte(`{mail: {smtp: {port: "${PORT}", tls: "${TLS}"}}, posts: {settle: "${S}"}, newsletters: {a-b: {approve: "${A}"}}}`),
		"more":      []byte(`{feeds: {precompress: [br], hubs: ["https://h.example/?x"]}, newsletters: {wöchentlich: {schedule: "@daily", in_doubt: hold, quiet_hours: 22-07, frequencies: [each], hour: 0, weekday: FRI, month_day: 28}}}`),
		"rates":     []byte(`{mail: {rate: {domains: {example.com: {per_second: 2.5, connections: "${N}"}, bücher.example: {}}}}}`),
		"terms":     []byte(`{feeds: {preset: jekyll, combined: {ops: {title: Operations, any: {tags: [go], categories: [DevOps]}, not: {tags: [news]}}}}, terms: {tags: {"C++": {slug: cplusplus, was: [cpp]}, a.b: {}}}}`),
	} {
		if problems := loadSchema(t).problems(t, "", values(t, src)); problems != nil {
			t.Errorf("%s:\n%s", name, strings.Join(problems, "\n"))
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	for _, src := range []string{
		`{sites: {}}`, `{site: {titel: x}}`, `{newsletters: {Weekly: {}}}`, `{newsletters: {weekly: {cron: x}}}`, `{site: 5}`,
		`{newsletters: {weekly: {schedule: "@every 1h"}}}`, `{newsletters: {weekly: {schedule: "0 8 * *"}}}`, `{newsletters: {weekly: {min_posts: 0}}}`,
		`{newsletters: {weekly: {hour: 24}}}`, `{newsletters: {weekly: {month_day: 29}}}`, `{newsletters: {weekly: {weekday: Monday}}}`,
		`{newsletters: {weekly: {quiet_hours: 22}}}`, `{newsletters: {weekly: {quiet_hours: 22-24}}}`, `{newsletters: {weekly: {frequencies: []}}}`,
		`{newsletters: {weekly: {frequencies: [hourly]}}}`,
		`{posts: {settle: 30}}`, `{posts: {settle: 3 days}}`, `{posts: {permalink: posts}}`, `{feeds: {formats: []}}`, `{feeds: {formats: [xml]}}`,
		`{mail: {transport: ""}}`, `{mail: {smtp: {port: 70000}}}`, `{site: {title: ""}}`, `{http: {url: localhost}}`, `{database: {url: x.db}}`,
		`{newsletters: {weekly: {Name: x}}}`, `{terms: {tags: {go: {name: Go}}}}`, `{terms: {tags: [go]}}`, `{feeds: {preset: drupal}}`, `{feeds: {combined: {Big: {}}}}`, `{feeds: {combined: {x: {any: [a]}}}}`,
	} {
		if loadSchema(t).problems(t, "", values(t, []byte(src))) == nil {
			t.Errorf("the schema accepts %s", src)
		}
		if _, err := config.Parse("c", []byte(src), nil); err == nil {
			t.Errorf("Parse accepts %s", src)
		}
	}
}

func TestSchemaDescribesEverything(t *testing.T) {
	var visit func(path string, s *schema)
	visit = func(path string, s *schema) {
		for key, sub := range s.Properties {
			if sub.Description == "" {
				t.Errorf("%s.%s has no description", path, key)
			}
			visit(path+"."+key, sub)
		}
		if one := s.element(t); one != nil {
			visit(path+".NAME", one)
		} else if s.Type == "object" && s.AdditionalProperties != false {
			t.Errorf("%s allows unknown keys", path)
		}
		if s.Type != "object" && s.Default == nil {
			t.Errorf("%s has no default", path)
		}
	}
	s := loadSchema(t)
	visit("", s)
	if s.Properties["posts"].Properties["settle"].Default != "30s" {
		t.Error("posts.settle: wrong default")
	}
}
