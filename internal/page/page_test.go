package page_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tidings/internal/page"
	"tidings/templates"
)

// builtin copies the shipped files, for a test to change.
func builtin(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, dir := range []string{"web", "web/parts", "assets", "locales"} {
		entries, err := fs.ReadDir(templates.Builtin(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			name := path.Join(dir, e.Name())
			data, err := fs.ReadFile(templates.Builtin(), name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: data}
		}
	}
	return files
}

func TestLoadFaults(t *testing.T) {
	put := func(name, text string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { f[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	remove := func(name string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { delete(f, name) }
	}
	for _, c := range []struct {
		name   string
		change func(fstest.MapFS)
		want   []string // parts of the message
	}{
		{"a page is missing", remove("web/feeds.html"), []string{"web/feeds.html"}},
		{"the frame is missing", remove("web/layout.html"), []string{"web/layout.html"}},
		{"a part is missing", remove("web/parts/form.html"), []string{"home.html", "subscribe.html", `there is no template`}},
		{"a file nothing uses", put("web/hom.html", "x"), []string{"web/hom.html", "no page uses this file"}},
		{"a file in the wrong folder", put("web/parts/more/x.html", "x"), []string{"web/parts/more/x.html"}},
		{"bad syntax", put("web/home.html", `{{define "main"}}{{if}}{{end}}`), []string{"home.html:1"}},
		{"no such field", put("web/home.html", `{{define "main"}}{{.Nonsense}}{{end}}`), []string{"home.html:1", "Nonsense"}},
		{"a page without contents", put("web/home.html", `{{define "mian"}}{{end}}`), []string{"home.html", "main"}},
		{"no such asset", put("web/home.html", `{{define "main"}}<img src="{{asset "x.png"}}">{{end}}`), []string{"assets/x.png"}},
		{"no such message", put("web/home.html", `{{define "main"}}{{if .Title}}{{t "home.nonsense"}}{{end}}{{end}}`), []string{"home.html:1", "home.nonsense"}},
		{"a message not filled in", put("web/home.html", `{{define "main"}}{{t "left.all"}}{{end}}`), []string{"home.html:1", `"left.all" needs "site"`}},
		{"bad messages", put("locales/de.yaml", "name: Deutsch\n"), []string{"locales/de.yaml", "dates is missing"}},
		{"not escapable", put("web/home.html", `{{define "main"}}<a href="{{if .Title}}">{{end}}</a>{{end}}`), []string{"home.html", "different contexts"}},
		{"two at once", func(f fstest.MapFS) {
			delete(f, "web/feeds.html")
			delete(f, "web/term.html")
		}, []string{"web/feeds.html", "web/term.html"}},
		{"no assets", func(f fstest.MapFS) {
			delete(f, "assets/style.css")
			delete(f, "assets/icon.svg")
		}, []string{"assets"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := builtin(t)
			c.change(files)
			_, err := page.Load(files, "")
			if err == nil {
				t.Fatal("loaded")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// A user's directory may replace one file and leave the others.
func TestReplacedTemplate(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/web", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/web/notice.html", []byte(`{{define "main"}}<p>mine: {{.Title}}</p>{{end}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	pages, err := page.Load(templates.Overlay(dir), "/news")
	if err != nil {
		t.Fatal(err)
	}
	b, err := pages.Notice.Render(page.Notice{Frame: page.Frame{Title: "a < b"}})
	if err != nil || !strings.Contains(string(b), "<p>mine: a &lt; b</p>") || !strings.Contains(string(b), `href="/news/assets/style.css?v=`) {
		t.Errorf("%v\n%s", err, b)
	}
}

func TestAssetAddressFollowsBytes(t *testing.T) {
	address := func(css string) string {
		files := builtin(t)
		files["assets/style.css"] = &fstest.MapFile{Data: []byte(css)}
		pages, err := page.Load(files, "")
		if err != nil {
			t.Fatal(err)
		}
		u, err := pages.Assets.URL("style.css")
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if a, b := address("a{}"), address("b{}"); a == b || a != address("a{}") {
		t.Errorf("addresses %s and %s", a, b)
	}
}

// A page speaks in the language of its frame: words, dates and direction.
func TestLanguages(t *testing.T) {
	pages, err := page.Load(templates.Builtin(), "")
	if err != nil {
		t.Fatal(err)
	}
	when := time.Date(2025, time.April, 7, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	for tag, want := range map[string][]string{
		"": {"Apr 7, 2025</time>", ">Subscribe</a>", `<html lang="" dir="">`}, "de": {"7. Apr. 2025</time>", ">Abonnieren</a>", `<html lang="de" dir="ltr">`},
		"ar": {"7 أبريل 2025</time>", ">اشترك</a>", `<html lang="ar" dir="rtl">`}, "ja": {"2025年4月7日</time>", ">購読</a>", `<html lang="ja" dir="ltr">`},
	} {
		site := page.Site{Mailing: true}
		if words, ok := pages.Locales.Find(tag); ok {
			site.Words, site.Language, site.Dir = words, tag, words.Dir()
		}
		b, err := pages.Post.Render(page.Post{Frame: page.Frame{Site: site}, Entry: page.Entry{Title: "x", Published: when}})
		for _, w := range want {
			if err != nil || !strings.Contains(string(b), w) {
				t.Errorf("%q: no %s; %v\n%s", tag, w, err, b)
			}
		}
		if !strings.Contains(string(b), `<time datetime="2025-04-07T23:30:00-05:00">`) {
			t.Errorf("%q: the machine's date is another", tag)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 KB", 1499: "1 KB", 31_500: "32 KB", 2_000_000: "2000 KB"} {
		if got := page.Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
