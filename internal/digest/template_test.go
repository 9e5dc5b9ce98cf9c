package digest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/digest"
	"tidings/templates"
)

// with gives the built-in templates with one file changed.
func with(t *testing.T, name, source string) fs.FS {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	return templates.Overlay(dir)
}

func TestParseErrors(t *testing.T) {
	cases := map[string]struct{ file, source, want string }{
		"syntax":             {"email/digest.html", "a\n{{if}}", "email/digest.html:2"},
		"text syntax":        {"email/confirm.txt", "{{.Confirm", "email/confirm.txt:1"},
		"frame syntax":       {"email/frame.html", "{{end}}", "email/frame.html:1"},
		"unknown field":      {"email/digest.txt", "{{.Unsubscribe}}\n{{.Nonsense}}", "email/digest.txt:2"},
		"unknown function":   {"email/digest.html", "{{nonsense}}", "email/digest.html:1"},
		"unknown style":      {"email/digest.html", `<p {{css "nonsense"}}>{{.Unsubscribe}}`, `css "nonsense"`},
		"no frame":           {"email/frame.html", "", "no such template"},
		"context":            {"email/digest.html", `<a href="{{.Unsubscribe}}">{{if .Intro}}<a href="{{end}}x`, "email/digest.html"},
		"no way out":         {"email/digest.html", "<p>{{.Count}} posts</p>", `email/digest.html: the link for "unsubscribe" is missing`},
		"no way out of text": {"email/digest.txt", "{{.Count}} posts", `email/digest.txt: the link for "unsubscribe" is missing`},
		"no way out at times": {"email/digest.txt", "{{with .IntroText}}{{.}}{{else}}{{.Unsubscribe}}{{end}}",
			`email/digest.txt: the link for "unsubscribe" is missing`},
		"no confirmation":    {"email/confirm.html", "<p>Hello</p>", `email/confirm.html: the link for "confirm" is missing`},
		"no text to confirm": {"email/confirm.txt", "Hello", `email/confirm.txt: the link for "confirm" is missing`},
		"no such message":    {"email/digest.txt", "{{.Unsubscribe}}\n{{if .Intro}}{{t \"digest.nonsense\"}}{{end}}", "email/digest.txt:2"},
		"too large":          {"email/digest.html", "{{.Unsubscribe}}" + strings.Repeat("x", 100_000), "too large"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := digest.Parse(with(t, c.file, c.source))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
	if _, err := digest.Parse(os.DirFS(t.TempDir())); err == nil || !strings.Contains(err.Error(), "locales/en.yaml") {
		t.Errorf("no templates at all: %v", err)
	}
}

// A template of the user's may use everything the built-in ones do, and the
// raw values besides.
func TestOwnTemplate(t *testing.T) {
	files := with(t, "email/digest.txt", `{{.Newsletter.Title}} {{.Date.Format "02.01.2006"}} {{longDate .Date}} ({{tn "posts.count" .Count}})
{{range .Groups}}{{range .Posts}}{{date .Published}} {{.Title}} {{.URL}}
{{end}}{{end}}{{.Unsubscribe}}
`)
	c, err := digest.Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Compose(sample(2))
	if err != nil {
		t.Fatal(err)
	}
	if want := "The Weekly 09.06.2025 June 9, 2025 (2 posts)\nJun 9, 2025 Post 1: how"; !strings.HasPrefix(m.Text, want) {
		t.Errorf("got %q, want it to start with %q", m.Text, want)
	}
}
