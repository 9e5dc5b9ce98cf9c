package tmpl_test

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"reflect"
	"strings"
	"testing"
	texttemplate "text/template"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/tmpl"
)

type base struct{ Title string }

func (base) Head() string { return "" }

type person struct {
	base
	Name   string
	Born   time.Time
	Pets   []pet
	Best   *pet
	Extras map[string]pet
	Any    any
	hidden int
}

type pet struct{ Kind string }

func (p *pet) Loud() bool { return p.Kind == "dog" }

var funcs = map[string]any{
	"up":    strings.ToUpper,
	"join":  func(parts ...string) string { return strings.Join(parts, "") },
	"even":  func(s string) (string, error) { return s, error(nil) },
	"known": func(s string) (string, error) { return s, fmt.Errorf("%q is not known", s) },
	"half":  func(n int) int { return n / 2 },
}

// check gives the faults of one file, as text.
func check(source string) string {
	f, err := tmpl.Parse("a.html", source)
	if err != nil {
		return err.Error()
	}
	if err := tmpl.Join(tmpl.Check([]tmpl.File{f}, funcs, "a.html", reflect.TypeFor[person]())...); err != nil {
		return err.Error()
	}
	return ""
}

func TestCheckFindsNothing(t *testing.T) {
	for _, source := range []string{
		"plain", `{{.Name}} {{.Title}} {{.Head}} {{.Born.Year}} {{$.Name}}`,
		`{{range .Pets}}{{.Kind}}{{.Loud}}{{$.Name}}{{else}}{{.Name}}{{end}}`,
		`{{range $i, $p := .Pets}}{{$p.Kind}}{{$i}}{{end}}{{range $p := .Pets}}{{$p.Kind}}{{end}}{{range 3}}{{.}}{{end}}`,
		`{{range $name, $p := .Extras}}{{$p.Kind}}{{end}}{{.Extras.anything.Kind}}`,
		`{{with .Best}}{{.Kind}}{{else}}{{.Name}}{{end}}{{with $x := .Best}}{{$x.Kind}}{{end}}`,
		`{{with .Any}}{{.Whatever.It.Is}}{{end}}`, `{{(index .Pets 0).Kind}}{{(or .Best .Any).Kind}}`,
		`{{define "x"}}{{.Kind}}{{end}}{{range .Pets}}{{template "x" .}}{{end}}{{template "x" .Best}}`,
		`{{block "y" .}}{{.Name}}{{end}}`, `{{define "r"}}{{if .}}{{template "r" .}}{{end}}{{end}}{{template "r" .}}`,
		`{{up .Name}}{{.Name | up | printf "%s"}}{{join}}{{join "a" .Name}}{{len .Pets | half}}{{even "x"}}{{half 3}}`,
		`{{$x := .Best}}{{if true}}{{$x = .Best}}{{end}}{{$x.Kind}}`, `{{/* .Nonsense */}}{{"{{.Nonsense}}"}}`,
		`{{range .Pets}}{{break}}{{continue}}{{end}}`,
	} {
		if got := check(source); got != "" {
			t.Errorf("%s: %s", source, got)
		}
	}
}

func TestCheckFinds(t *testing.T) {
	const there = "; there are .Any .Best .Born .Extras .Name .Pets .Title"
	for source, want := range map[string]string{
		"x\n é{{.Nonsense}}":                                   "a.html:2:5: there is no .Nonsense here" + there,
		`{{if false}}{{.A}}{{else}}{{.B}}{{end}}`:              "a.html:1:15: there is no .A here" + there + "\na.html:1:29: there is no .B here" + there,
		`{{.hidden}}`:                                          "a.html:1:3: there is no .hidden here" + there,
		`{{range .Pets}}{{.Name}}{{end}}`:                      "a.html:1:18: there is no .Name here; there are .Kind",
		`{{with .Best}}{{.Name}}{{end}}`:                       "a.html:1:17: there is no .Name here; there are .Kind",
		`{{$x := .Best}}{{$x.Name}}`:                           "a.html:1:20: there is no .Name here; there are .Kind",
		`{{.Name.Length}}`:                                     "a.html:1:8: there is no .Length here: . is a text",
		`{{.Pets.Kind}}`:                                       "a.html:1:8: there is no .Kind here: . is a list",
		`{{(index .Pets 0).Name}}`:                             "a.html:1:18: there is no .Name here; there are .Kind",
		`{{up .Nonsense}}`:                                     "a.html:1:6: there is no .Nonsense here" + there,
		`{{define "x"}}{{.Name}}{{end}}{{template "x" .Best}}`: "a.html:1:17: there is no .Name here; there are .Kind",
		`{{template "y" .}}`:                                   `a.html:1:12: there is no template "y"; there are a.html`,
		`{{down .Name}}`:                                       `a.html:1:3: there is no function "down"; docs/templates.md lists them`,
		`{{.Name | down}}`:                                     `a.html:1:11: there is no function "down"; docs/templates.md lists them`,
		`{{up}}`:                                               "a.html:1:3: up takes 1 arguments, not 0",
		`{{.Name | up "x"}}`:                                   "a.html:1:11: up takes 1 arguments, not 2",
		`{{up .Pets}}`:                                         "a.html:1:3: argument 1 of up must be a text, not a list",
		`{{join "a" .Born}}`:                                   "a.html:1:3: argument 2 of join must be a text, not time.Time",
		`{{half .Name}}`:                                       "a.html:1:3: argument 1 of half must be a number, not a text",
		`{{if .Name}}{{known "x"}}{{end}}`:                     `a.html:1:15: "x" is not known`,
		"a\n{{if}}b":                                           "a.html:2:1: missing value for if",
		"{{.Name}} {{if}} {{.Name}}":                           "a.html:1:11: missing value for if",
		"{{.Name}}\n{{.Name}} {{end}}":                         "a.html:2:11: unexpected {{end}}",
		"{{if .Name}}":                                         "a.html:1:1: unexpected EOF",
		"{{.Name":                                              "a.html:1:1: unclosed action",
	} {
		if got := check(source); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", source, got, want)
		}
	}
}

// Whatever Check lets pass with one kind of data, the template packages fill,
// as long as they meet nothing that is missing in the data itself.
func TestCheckAgreesWithExecution(t *testing.T) {
	full := person{Name: "x", Pets: []pet{{"dog"}}, Best: &pet{"cat"}, Extras: map[string]pet{"a": {}}, Any: pet{}, hidden: 1}
	for _, source := range []string{
		`{{.Name}}`, `{{.Nonsense}}`, `{{range .Pets}}{{.Name}}{{end}}`, `{{up .Pets}}`, `{{up .Name}}`, `{{half (len .Pets)}}`,
		`{{.Best.Kind}}`, `{{.Best.Loud}}`, `{{.Name.X}}`, `{{.Extras.a.Kind}}`, `{{.Born.Year | half}}`, `{{.Born | half}}`, `{{known "x"}}`,
	} {
		found := check(source) != ""
		text, err := texttemplate.New("a.html").Funcs(funcs).Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		if failed := text.Execute(io.Discard, full) != nil; failed != found {
			t.Errorf("%s: Check finds a fault: %t, execution: %t", source, found, failed)
		}
	}
}

func TestLocate(t *testing.T) {
	html, err := htmltemplate.New("email/a.html").Parse("\n<a href=\"{{if .}}\">{{end}}x")
	if err != nil {
		t.Fatal(err)
	}
	exec := htmltemplate.Must(htmltemplate.New("b.html").Parse("\n <i>{{.X.Y}}")).Execute(io.Discard, struct{ X int }{})
	other := errors.New("other")
	for _, c := range []struct {
		err  error
		want string
	}{
		{html.Execute(io.Discard, true), "email/a.html:2:15: {{if}} branches end in different contexts"},
		{exec, "b.html:2:9: executing \"b.html\" at <.X.Y>"},
		{other, "other"},
	} {
		if got := tmpl.Locate(c.err); got == nil || !strings.HasPrefix(got.Error(), c.want) {
			t.Errorf("Locate(%v) = %v, want %s", c.err, got, c.want)
		}
	}
	if tmpl.Locate(nil) != nil {
		t.Error("nothing is located")
	}
}

func TestFaults(t *testing.T) {
	a, b := tmpl.Fault{File: "a", Line: 2, Message: "x"}, tmpl.Fault{File: "a", Line: 1, Column: 3, Message: "y"}
	plain := fmt.Errorf("read: %w", io.EOF)
	err := fmt.Errorf("load: %w", errors.Join(fmt.Errorf("one: %w", a), plain, errors.Join(b, a)))
	want := []tmpl.Fault{{Message: "read: EOF"}, b, a}
	if diff := cmp.Diff(want, tmpl.Faults(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := tmpl.Join(err).Error(); got != "read: EOF\na:1:3: y\na:2: x" {
		t.Errorf("joined: %s", got)
	}
	if tmpl.Join(nil, nil) != nil || tmpl.Faults(nil) != nil {
		t.Error("faults of nothing")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{{range $i, $p := .Pets}}{{with $p}}{{.Kind | up}}{{end}}{{end}}`)
	f.Add("{{template \"x\" .}}{{define \"x\"}}{{.Nonsense}}{{end}}\n{{if}}")
	f.Add("{{(index .Pets 0).Kind}}{{$x := 1}}{{$x = .}}{{.Extras.a}}{{nil}}{{1.Name}}")
	f.Fuzz(func(t *testing.T, source string) { check(source) })
}
