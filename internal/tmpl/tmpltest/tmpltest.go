// Package tmpltest holds docs/templates.md against what templates are filled
// with.
package tmpltest

import (
	"html/template"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const file = "../../docs/templates.md"

var (
	fieldRow    = regexp.MustCompile("(?m)^\\| `(\\.\\w+)` \\| ([^|]+) \\| [^|]+ \\|")
	functionRow = regexp.MustCompile("(?m)^\\| `([a-z]\\w*)([^`]*)` \\| ([^|]+) \\| [^|]+ \\|")
)

// Fields compares a section's table with the fields of a type, and with its
// methods, those of embedded types aside. names gives what the page calls types.
func Fields(t *testing.T, heading string, typ reflect.Type, names map[reflect.Type]string) {
	t.Helper()
	got := map[string]string{}
	for _, m := range fieldRow.FindAllStringSubmatch(section(t, heading), -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(fields(typ, names), got); diff != "" {
		t.Errorf("docs/templates.md, %q (-there are +the page says):\n%s", heading, diff)
	}
}

func fields(typ reflect.Type, names map[reflect.Type]string) map[string]string {
	all := map[string]string{}
	embedded := map[string]bool{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		switch {
		case f.Anonymous:
			for m := range f.Type.Methods() {
				embedded[m.Name] = true
			}
		case f.IsExported():
			all["."+f.Name] = name(f.Type, names)
		}
	}
	for m := range typ.Methods() {
		if !embedded[m.Name] {
			all["."+m.Name] = name(m.Type.Out(0), names)
		}
	}
	return all
}

// Functions compares a section's table with functions, and with what they give.
func Functions(t *testing.T, heading string, funcs map[string]any, names map[reflect.Type]string) {
	t.Helper()
	got, want := map[string]string{}, map[string]string{}
	for _, m := range functionRow.FindAllStringSubmatch(section(t, heading), -1) {
		got[m[1]] = m[3]
	}
	for f := range maps.Keys(funcs) {
		want[f] = name(reflect.TypeOf(funcs[f]).Out(0), names)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/templates.md, %q (-there are +the page says):\n%s", heading, diff)
	}
}

func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut("\n"+string(page), "\n### "+heading+"\n")
	if !found {
		t.Fatalf("docs/templates.md has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n#")
	return rest
}

// name is what the page calls a type.
func name(t reflect.Type, names map[reflect.Type]string) string {
	if n := names[t]; n != "" {
		return n
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return "time"
	case reflect.TypeFor[template.HTML](), reflect.TypeFor[template.HTMLAttr](), reflect.TypeFor[template.CSS]():
		return t.Name()
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + name(t.Elem(), names)
	case reflect.Pointer:
		return name(t.Elem(), names) + " or nothing"
	case reflect.String:
		return "text"
	case reflect.Int:
		return "number"
	case reflect.Bool:
		return "true or false"
	}
	return t.Name()
}
