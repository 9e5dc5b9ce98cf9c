package digest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/tmpl"
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
		"syntax":             {"email/digest.html", "a\n{{if}}", "email/digest.html:2:1: "},
		"text syntax":        {"email/confirm.txt", "{{.Confirm", "email/confirm.txt:1:1: "},
		"frame syntax":       {"email/frame.html", "{{end}}", "email/frame.html:1:1: "},
		"unknown field":      {"email/digest.txt", "{{.Unsubscribe}}\n é {{.Nonsense}}", "email/digest.txt:2:6: there is no .Nonsense here; there are .Align .Compact "},
		"unknown function":   {"email/digest.html", "{{nonsense}}", `email/digest.html:1:3: there is no function "nonsense"`},
		"unknown style":      {"email/digest.html", `<p {{css "nonsense"}}>{{.Unsubscribe}}`, `email/digest.html:1:6: css "nonsense"`},
		"no frame":           {"email/frame.html", "", "email/digest.html:1:12: there is no template \"top\""},
		"context":            {"email/digest.html", `<a href="{{.Unsubscribe}}">{{if .Intro}}<a href="{{end}}x`, "email/digest.html"},
		"no way out":         {"email/digest.html", "<p>{{.Count}} posts</p>", `email/digest.html:1:1: the reader's link is missing`},
		"no way out of text": {"email/digest.txt", "{{.Count}} posts", `email/digest.txt:1:1: the reader's link is missing`},
		"no way out at times": {"email/digest.txt", "{{with .IntroText}}{{.}}{{else}}{{.Unsubscribe}}{{end}}",
			`email/digest.txt:1:1: the reader's link is missing`},
		"reader's page alone": {"email/digest.html", "{{if lt .Count 2}}{{.Unsubscribe}}{{else}}<a href=\"{{.Preferences}}\">x</a>{{end}}",
			`email/digest.html:1:1: the reader's link is missing`},
		"no confirmation":    {"email/confirm.html", "<p>Hello</p>", `email/confirm.html:1:1: the reader's link is missing`},
		"no text to confirm": {"email/confirm.txt", "Hello", `email/confirm.txt:1:1: the reader's link is missing`},
		"no such message":    {"email/digest.txt", "{{.Unsubscribe}}\n{{if .Intro}}{{t \"digest.nonsense\"}}{{end}}", "email/digest.txt:2:16: there is no message"},
		"style sheet":        {"email/digest.html", "{{.Unsubscribe}}\n<style>p{color:red}\n p{color red}</style>", "email/digest.html:3:10: style sheet: expected colon in declaration"},
		"relative link":      {"email/digest.html", "{{.Unsubscribe}}\n <a href=\"/about\">x</a>", `email/digest.html:2:11: href="/about" leads nowhere from a mail`},
		"relative to scheme": {"email/frame.html", `{{define "top"}}<img src="logo.png">{{end}}{{define "bottom"}}{{end}}`, `email/frame.html:1:27: src="logo.png" leads nowhere`},
		"made of a title":    {"email/digest.html", `{{.Unsubscribe}}<a href="{{.Subject}}">x</a>`, `email/digest.html:1:1: href="Title" leads nowhere`},
		"runs a script":      {"email/digest.html", "{{.Unsubscribe}}\n<a href=\"JavaScript:x()\">x</a>", `email/digest.html:2:10: href="JavaScript:x()" leads nowhere`},
		"script":             {"email/confirm.html", "{{.Confirm}}\n<script>x()</script>", `email/confirm.html:2:1: no mail program shows what is in <script>`},
		"frame":              {"email/personal.html", "{{.Link}}<iframe src=\"https://x.example/\"></iframe>", `no mail program shows what is in <iframe>`},
		"too large":          {"email/digest.html", "{{.Unsubscribe}}" + strings.Repeat("x", 100_000), "more than 80 kB"},
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

// Every fault is told at once, each once however many languages there are, and
// also those that no sample would meet.
func TestParseTellsEverything(t *testing.T) {
	dir := t.TempDir()
	for name, source := range map[string]string{
		"digest.html":  "{{template \"top\" .}}{{if gt .Count 1000}}{{.Nonsense}}{{nonsense}}{{end}}{{.Unsubscribe}}\n{{range .Groups}}{{range .Posts}}{{.Name}}{{end}}{{end}}",
		"digest.txt":   "{{if",
		"confirm.html": `<p {{css "nonsense"}}>{{t "nonsense"}}`,
		"digets.html":  "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "email"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "email", name), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := digest.Parse(templates.Overlay(dir))
	var got []string
	for _, f := range tmpl.Faults(err) {
		f.Message, _, _ = strings.Cut(f.Message, ";")
		got = append(got, f.Error())
	}
	want := []string{
		`email/confirm.html:1:6: css "nonsense": no such kind of element`,
		`email/confirm.html:1:25: there is no message "nonsense"`,
		"email/digest.html:1:44: there is no .Nonsense here",
		`email/digest.html:1:57: there is no function "nonsense"`,
		"email/digest.html:2:36: there is no .Name here",
		"email/digest.txt:1:1: unclosed action",
		"email/digets.html: no mail is made of this file",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// A style sheet of the user's is inlined, and leaves what the built-in one has
// for phones and dark mode; the reader's link is still a slot.
func TestOwnStyles(t *testing.T) {
	source, err := fs.ReadFile(templates.Builtin(), "email/digest.html")
	if err != nil {
		t.Fatal(err)
	}
	own := `<style>h1{color:#123456!important} .muted{letter-spacing:{{len .Groups}}px} @media (max-width:480px){h1{font-size:20px}}</style>`
	c, err := digest.Parse(with(t, "email/digest.html", strings.Replace(string(source), "{{template \"top\" .}}", "{{template \"top\" .}}"+own, 1)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Compose(sample(11))
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, m.HTML)
	if h1 := all(doc, atom.H1)[0]; style(h1, "color") != "#123456" || style(h1, "font-size") != "30px" {
		t.Errorf("the heading has the style %v", h1.Attr)
	}
	if note := all(doc, atom.P)[0]; style(note, "letter-spacing") != "3px" {
		t.Errorf("a sheet with actions is not inlined: %v", note.Attr)
	}
	for _, want := range []string{"@media (max-width:480px){h1{font-size:20px!important}", "(prefers-color-scheme:dark)", "[data-ogsc] .page{", "<!--[if mso]>"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("%q is lost", want)
		}
	}
	if strings.Contains(m.HTML, "#123456!important") || strings.Count(m.HTML, mail.Mark(m.Nonce, digest.SlotUnsubscribe)) != 3 {
		t.Error("a rule was not taken over, or a link was")
	}
	if _, err := mail.Compile(m); err != nil {
		t.Error(err)
	}
	if size := digest.Sent(m.HTML, m.Text); size > digest.MaxSent {
		t.Errorf("%d bytes", size)
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

// Templates may be replaced while mails are made: each mail is of one set.
func TestReplace(t *testing.T) {
	one, err := digest.Parse(with(t, "email/digest.txt", "one {{.Unsubscribe}} one"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := digest.Parse(with(t, "email/digest.txt", "two {{.Unsubscribe}} two"))
	if err != nil {
		t.Fatal(err)
	}
	live := builtin(t)
	live.Replace(one)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		for range 50 {
			live.Replace(two)
			live.Replace(one)
		}
		live.Replace(two)
	})
	for range 50 {
		m, err := live.Compose(sample(1))
		if err != nil {
			t.Fatal(err)
		}
		if first := m.Text[:3]; first != "one" && first != "two" || !strings.HasSuffix(m.Text, first) {
			t.Fatalf("a mixed mail: %q", m.Text)
		}
	}
	group.Wait()
	if m, err := live.Compose(sample(1)); err != nil || m.Text[:3] != "two" {
		t.Errorf("the last set is not in use: %q, %v", m.Text, err)
	}
}
