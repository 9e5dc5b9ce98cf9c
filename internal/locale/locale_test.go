package locale_test

import (
	"html/template"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"text/template/parse"
	"time"

	"golang.org/x/text/language"

	"tidings/internal/locale"
	"tidings/templates"
)

func shipped(t testing.TB) *locale.Catalogue {
	t.Helper()
	c, err := locale.Load(templates.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func in(t testing.TB, tag string) *locale.Language {
	t.Helper()
	l, ok := shipped(t).Find(tag)
	if !ok {
		t.Fatalf("no messages in %s", tag)
	}
	return l
}

// Every shipped language says everything.
func TestShippedLanguagesAreComplete(t *testing.T) {
	c := shipped(t)
	var tags []string
	for _, l := range c.Languages() {
		tags = append(tags, l.Tag.String())
		for _, id := range c.IDs() {
			if !l.Has(id) {
				t.Errorf("%s has no message %q", l.Tag, id)
			}
		}
	}
	if got, want := strings.Join(tags, " "), "en ar de es fr ja"; got != want {
		t.Errorf("languages %s, want %s", got, want)
	}
}

const dates = `
dates:
  long: "{day} {month} {year}"
  short: "{day} {month} {year}"
  months: [a, b, c, d, e, f, g, h, i, j, k, l]
  short_months: [a, b, c, d, e, f, g, h, i, j, k, l]
`

const smallEnglish = "name: English" + dates + `messages:
  hello: "Hello {name}"
  see: "See [the page]({url})."
  posts: {one: "1 post", other: "{count} posts"}
  only: Only here
`

func load(t *testing.T, files map[string]string) (*locale.Catalogue, error) {
	t.Helper()
	fsys := fstest.MapFS{"locales/en.yaml": {Data: []byte(smallEnglish)}}
	for name, text := range files {
		if text == "" {
			delete(fsys, "locales/"+name)
			continue
		}
		fsys["locales/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return locale.Load(fsys)
}

func TestLoadReportsEveryFault(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"no English", map[string]string{"en.yaml": ""}, []string{"locales/en.yaml is missing"}},
		{"not a language", map[string]string{"german.yaml": smallEnglish}, []string{"locales/german.yaml", "not a language tag"}},
		{"no head", map[string]string{"de.yaml": "messages: {}\n"}, []string{"de.yaml: name is missing", "de.yaml: dates is missing"}},
		{"unknown key", map[string]string{"de.yaml": "name: Deutsch\nmonths: []\n" + dates}, []string{"de.yaml", "months"}},
		{"a message twice", map[string]string{"de.yaml": "name: Deutsch" + dates + "messages:\n  only: a\n  only: b\n"}, []string{"de.yaml", "only"}},
		{"bad dates", map[string]string{"de.yaml": "name: Deutsch\ndates: {long: x, short: \"{day} {number} {year}\", months: [a], short_months: [a]}\n"},
			[]string{"twelve", "long needs"}},
		{"bad digits", map[string]string{"de.yaml": "name: Deutsch\ndigits: \"x y\"" + dates}, []string{"numbering system"}},
		{"faults of messages, all at once", map[string]string{
			"de.yaml": "name: Deutsch" + dates + "messages:\n  hello: \"Hallo {nmae}\"\n  see: Siehe hier\n  posts: {other: \"{count} Beiträge\"}\n  more: Mehr\n  only: {one: x, other: y}\n",
			"ar.yaml": "name: عربي" + dates + "messages:\n  posts: {one: a, two: b, other: c}\n",
		}, []string{
			"de.yaml: hello: {name} is missing", "de.yaml: hello: {nmae} is unknown", "de.yaml: see: {url} is missing",
			`de.yaml: posts: the plural form "one" is missing`, "de.yaml: more: English has no such message", "de.yaml: only: it must have plural forms",
			`ar.yaml: posts: the plural form "zero" is missing`, `ar.yaml: posts: the plural form "few" is missing`, `ar.yaml: posts: the plural form "many" is missing`,
		}},
		{"forms that are none", map[string]string{"de.yaml": "name: Deutsch" + dates + "messages:\n  posts: {some: x}\n  hello: \"\"\n"}, []string{`"some" is not a plural form`, "hello: the message is empty"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.files)
			if err == nil {
				t.Fatal("loaded")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v\ndoes not say %q", err, w)
				}
			}
		})
	}
}

// Adding a language is adding a file, which may lag behind.
func TestAddedLanguageFallsBack(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/locales", 0o700); err != nil {
		t.Fatal(err)
	}
	text := "name: Nederlands" + dates + "messages:\n  nav.posts: Berichten\n"
	if err := os.WriteFile(dir+"/locales/nl.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := locale.Load(templates.Overlay(dir))
	if err != nil {
		t.Fatal(err)
	}
	dutch, ok := c.Find("nl-BE")
	if !ok || dutch.T("nav.posts") != "Berichten" || dutch.T("nav.subscribe") != "Subscribe" || dutch.Count("posts.count", 1) != "1 post" {
		t.Errorf("found %v: %q, %q, %q", ok, dutch.T("nav.posts"), dutch.T("nav.subscribe"), dutch.Count("posts.count", 1))
	}
	if german, _ := c.Find("de"); german.T("nav.posts") != "Beiträge" {
		t.Error("the shipped languages are gone")
	}
}

func TestFind(t *testing.T) {
	c := shipped(t)
	for tag, want := range map[string]string{
		"en": "en", "en-GB": "en", "de": "de", "de-AT": "de", "pt-BR": "", "nl": "", "ar-EG": "ar", "ja-JP": "ja", "fr-CA": "fr", "es-MX": "es",
		"he": "", "fa": "", "zh": "", "": "", "und": "", "rubbish_!": "", "x-klingon": "",
	} {
		l, ok := c.Find(tag)
		if ok != (want != "") || ok && l.Tag.String() != want || !ok && l != c.English() {
			t.Errorf("%q: %s, %v; want %q", tag, l.Tag, ok, want)
		}
	}
	if got := c.Match("nl", "", "fr-BE", "de").Tag; got != language.French {
		t.Errorf("Match: %s", got)
	}
}

func TestPreferred(t *testing.T) {
	for field, want := range map[string]string{
		"": "", "de": "de", "en;q=0.5, de-CH, fr;q=0.9": "de-CH fr en", "de;q=x": "", strings.Repeat("de,", 100): "", "!!": "",
	} {
		if got := strings.Join(locale.Preferred(field), " "); got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
}

func TestDirection(t *testing.T) {
	for tag, want := range map[string]string{
		"": "ltr", "en": "ltr", "de-AT": "ltr", "zh-CN": "ltr", "ar": "rtl", "he-IL": "rtl", "fa": "rtl", "ur": "rtl",
		"az": "ltr", "az-Arab": "rtl", "dv": "rtl", "yi": "rtl", "nonsense-tag": "ltr",
	} {
		if got := locale.Direction(tag); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
}

func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		tag  string
		n    int
		want string
	}{
		{"en", 0, "0 posts"}, {"en", 1, "1 post"}, {"en", 1234, "1,234 posts"},
		{"de", 1, "1 Beitrag"}, {"de", 1234, "1.234 Beiträge"},
		{"fr", 0, "0 article"}, {"fr", 1, "1 article"}, {"fr", 2, "2 articles"},
		{"ja", 1, "1件の記事"}, {"ja", 5, "5件の記事"},
		{"ar", 0, "لا مقالات"}, {"ar", 1, "مقال واحد"}, {"ar", 2, "مقالان"}, {"ar", 3, "3 مقالات"}, {"ar", 11, "11 مقالًا"}, {"ar", 100, "100 مقال"}, {"ar", 103, "103 مقالات"},
	} {
		if got := in(t, c.tag).Count("posts.count", c.n); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.tag, c.n, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	when := time.Date(2025, time.April, 7, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	for tag, want := range map[string][2]string{
		"en": {"Apr 7, 2025", "April 7, 2025"}, "de": {"7. Apr. 2025", "7. April 2025"}, "fr": {"7 avr. 2025", "7 avril 2025"},
		"es": {"7 abr 2025", "7 de abril de 2025"}, "ja": {"2025年4月7日", "2025年4月7日"}, "ar": {"7 أبريل 2025", "7 أبريل 2025"},
	} {
		l := in(t, tag)
		if got := [2]string{l.Date(when), l.LongDate(when)}; got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
	if got := in(t, "de").Date(time.Time{}); got != "" {
		t.Errorf("no time: %q", got)
	}
}

func TestHTMLEscapes(t *testing.T) {
	c, err := load(t, map[string]string{"de.yaml": "name: Deutsch" + dates + "messages:\n  hello: \"<b>Hallo</b> {name}\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	german, _ := c.Find("de")
	got, err := german.HTML("hello", "name", `<i>"&`)
	if want := template.HTML(`&lt;b&gt;Hallo&lt;/b&gt; <span dir="auto">&lt;i&gt;&#34;&amp;</span>`); got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	english := c.English()
	for _, link := range []struct {
		to   any
		want template.HTML // "": refused
	}{
		{"/a?b&c", `See <a href="/a?b&amp;c">the page</a>.`},
		{locale.Link{URL: "https://example.org/", Attributes: `class="x"`}, `See <a href="https://example.org/" class="x">the page</a>.`},
		{"", `See the page.`},
		{`/"><script>`, `See <a href="/&#34;&gt;&lt;script&gt;">the page</a>.`},
		{"javascript:alert(1)", ""},
		{7, ""},
	} {
		got, err := english.HTML("see", "url", link.to)
		if got != link.want || (err == nil) != (link.want != "") {
			t.Errorf("%v: %q, %v; want %q", link.to, got, err, link.want)
		}
	}
	if got := english.T("see"); got != "See the page." {
		t.Errorf("as text: %q", got)
	}
}

func TestCheckTemplates(t *testing.T) {
	c, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		`{{t "hello" "name" .X}} {{tn "posts" 3}} {{th "see" "url" "/"}} {{t "see"}} {{t "only"}}`: "",
		`{{if .A}}{{with .B}}{{t "helo"}}{{end}}{{end}}`:                                           `there is no message "helo"`,
		`{{range .A}}{{else}}{{print (t "hello")}}{{end}}`:                                         `message "hello" needs "name"`,
		`{{define "x"}}{{t "only" "name" "y"}}{{end}}`:                                             `message "only" has no {name}`,
		`{{th "see"}}`:    `message "see" needs "url"`,
		`{{t "posts"}}`:   `message "posts" needs "count"`,
		`{{$x := t "z"}}`: `there is no message "z"`,
	} {
		trees, err := parse.Parse("page.html", source, "", "", map[string]any{"t": 1, "tn": 1, "th": 1, "print": 1})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, tree := range trees {
			for _, fault := range c.Check(tree) {
				got = append(got, fault.Error())
			}
		}
		all := strings.Join(got, "\n")
		if want == "" && all != "" || want != "" && (len(got) != 1 || !strings.Contains(all, want) || !strings.Contains(all, "page.html:1")) {
			t.Errorf("%s: %q, want %q", source, all, want)
		}
	}
}
