package digest_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
	"tidings/internal/mail"
)

func TestDocument(t *testing.T) {
	in := sample(11)
	in.Site.Language = "he"
	doc := parse(t, compose(t, in).HTML)
	for _, n := range append(all(doc, atom.Html), all(doc, atom.Div)[0]) {
		lang, _ := attr(n, "lang")
		if dir, _ := attr(n, "dir"); lang != "he" || dir != "rtl" {
			t.Errorf("<%s> has lang %q and dir %q", n.Data, lang, dir)
		}
	}
	names := map[string]string{}
	for _, n := range all(doc, atom.Meta) {
		name, _ := attr(n, "name")
		names[name], _ = attr(n, "content")
	}
	for _, name := range []string{"viewport", "color-scheme", "supported-color-schemes"} {
		if names[name] == "" {
			t.Errorf("meta %s is missing", name)
		}
	}
	for _, n := range all(doc, atom.Table) {
		if role, _ := attr(n, "role"); role != "presentation" {
			t.Error("a table for layout has not the role presentation")
		}
	}
	if n := len(all(doc, atom.Script, atom.Form, atom.Iframe, atom.Link, atom.Object, atom.Svg)); n != 0 {
		t.Errorf("%d elements that have no place in a mail", n)
	}
}

func TestHeadings(t *testing.T) {
	few := parse(t, compose(t, sample(2)).HTML)
	many := parse(t, compose(t, sample(11)).HTML)
	for _, c := range []struct {
		doc        *html.Node
		h1, h2, h3 int
	}{{few, 1, 2, 0}, {many, 1, 3, 11}} {
		h1, h2, h3 := len(all(c.doc, atom.H1)), len(all(c.doc, atom.H2)), len(all(c.doc, atom.H3))
		if h1 != c.h1 || h2 != c.h2 || h3 != c.h3 {
			t.Errorf("%d h1, %d h2, %d h3, want %d, %d, %d", h1, h2, h3, c.h1, c.h2, c.h3)
		}
	}
}

func TestGroups(t *testing.T) {
	in := sample(9)
	in.Items[0].Categories = nil
	in.Items[1].Categories = []string{"Kitchen", "Garden"}
	in.Items[4].Categories = []string{"KITCHEN"}
	doc := parse(t, compose(t, in).HTML)
	var names []string
	for _, n := range all(doc, atom.H2) {
		names = append(names, text(n))
	}
	if got := strings.Join(names, " "); got != "Kitchen Workshop Gardening More posts" {
		t.Errorf("groups %q", got)
	}
	if got := text(doc); !strings.Contains(got, "Jun 8, 2025 · Kitchen, Garden · 3 min read") {
		t.Errorf("the line of date and categories is missing in %s", got)
	}
	for _, n := range []int{8, 9} {
		in := sample(n)
		for i := range in.Items {
			in.Items[i].Categories = []string{[]string{"A", "B"}[i%2]}
		}
		if got := len(all(parse(t, compose(t, in).HTML), atom.H3)); got != 0 {
			t.Errorf("%d posts of two categories are grouped", n)
		}
	}
}

func TestLinks(t *testing.T) {
	in := sample(3)
	in.Intro = "[docs](/docs/)"
	m := compose(t, in)
	slot := mail.Mark(m.Nonce, digest.SlotUnsubscribe)
	links := all(parse(t, m.HTML), atom.A)
	leave := 0
	for _, a := range links {
		href, _ := attr(a, "href")
		if text(a) == "" || style(a, "text-decoration") != "underline" {
			t.Errorf("link to %s: text %q, not underlined or empty", href, text(a))
		}
		if href == "https://news.house.example/base/unsubscribe/"+slot {
			leave++
		}
	}
	first, _ := attr(links[0], "href")
	if !strings.HasSuffix(first, slot) || leave != 2 {
		t.Errorf("first link %s, %d links for leaving: want them at the top and at the bottom", first, leave)
	}
	if n := strings.Count(m.Text, "\nhttps://news.house.example/base/unsubscribe/"+slot+"\n"); n != 2 {
		t.Errorf("the text part has %d lines with the link for leaving, want 2", n)
	}
	if got, want := strings.Count(m.HTML+m.Text, slot), 6; got != want {
		t.Errorf("the slot occurs %d times, want %d", got, want)
	}
}

func TestSizes(t *testing.T) {
	in := sample(11)
	in.Intro = "# A\n\n## B\n\n`x`\n\n    y\n\n* z"
	doc := parse(t, compose(t, in).HTML)
	for n := range doc.Descendants() {
		if size := style(n, "font-size"); size != "" && text(n) != "" && pixels(t, size) < 16 {
			t.Errorf("<%s> %q has %s", n.Data, text(n), size)
		}
	}
	for _, a := range all(doc, atom.A) {
		if strings.Contains(style(a, "display"), "block") {
			if h := height(t, a); h < 44 {
				t.Errorf("the link %q is %d pixels high", text(a), h)
			}
		}
	}
}

// height is a link's line height and paddings.
func height(t *testing.T, a *html.Node) int {
	line := ""
	for n := a; line == ""; n = n.Parent {
		line = style(n, "line-height")
	}
	vertical, _, _ := strings.Cut(style(a, "padding"), " ")
	return pixels(t, line) + 2*pixels(t, vertical)
}

func TestImages(t *testing.T) {
	in := sample(2)
	in.Items[0].Image, in.Items[1].Image = "https://house.example/a.png", "https://house.example/b.png"
	in.Items[0].ImageAlt, in.Items[0].ImageWidth = "A \"bed\"\n", 4000
	in.Intro = "![](https://house.example/c.png)"
	imgs := all(parse(t, compose(t, in).HTML), atom.Img)
	if len(imgs) != 2 {
		t.Fatalf("%d images, want the introduction's and the leading post's", len(imgs))
	}
	for _, n := range imgs {
		if _, ok := attr(n, "alt"); !ok {
			t.Error("an image without alt")
		}
	}
	if alt, _ := attr(imgs[1], "alt"); alt != `A "bed"` {
		t.Errorf("alt %q", alt)
	}
	if width, _ := attr(imgs[1], "width"); width != "536" {
		t.Errorf("an image of 4000 pixels is %s wide in a column of 536", width)
	}
}

// Where the edition is on the web, the mail says so at the top, and sends
// there whoever misses posts.
func TestWebEdition(t *testing.T) {
	in := sample(300)
	in.WebFolder = "https://news.house.example/base/newsletters/weekly/"
	m := compose(t, in)
	address := in.WebFolder + mail.Mark(m.Nonce, digest.SlotEdition) + "/"
	var hrefs []string
	for _, a := range all(parse(t, m.HTML), atom.A) {
		if href, _ := attr(a, "href"); href == address {
			hrefs = append(hrefs, text(a))
		}
	}
	if len(hrefs) != 2 || hrefs[0] != "View in browser" || !regexp.MustCompile(`^And \d+ more posts in the web edition$`).MatchString(hrefs[1]) {
		t.Errorf("links to the edition on the web: %q", hrefs)
	}
	if !strings.HasPrefix(m.Text[strings.Index(m.Text, "\n\n")+2:], "View in browser:\n"+address+"\n") || !strings.Contains(m.Text, "more posts in the web edition:\n"+address+"\n") {
		t.Error("the text part does not lead to the edition on the web")
	}
}

// The mail names the frequency that its readers have chosen, in their language.
func TestFrequency(t *testing.T) {
	for _, c := range []struct{ language, frequency, want string }{
		{"en", "each", "It comes with each new post."}, {"de", "weekly", "Sie kommt einmal in der Woche"},
		{"ja", "monthly", "月1回"}, {"en", "schedule", ""}, {"en", "", ""},
	} {
		in := sample(1)
		in.Language, in.Frequency = c.language, c.frequency
		m := compose(t, in)
		if !strings.Contains(m.HTML, c.want) || !strings.Contains(strings.ReplaceAll(m.Text, "\n", " "), c.want) || c.want == "" && strings.Contains(m.Text, "It comes") {
			t.Errorf("%s %s: %q is not said as it should be:\n%s", c.language, c.frequency, c.want, m.Text)
		}
	}
}

func TestUpdated(t *testing.T) {
	in := sample(2)
	in.Items[1].Again = true
	m := compose(t, in)
	if strings.Count(m.Text, "Updated · ") != 1 || strings.Count(m.HTML, "Updated</strong> · Jun 8, 2025") != 1 {
		t.Error("the post that readers had is not marked, or others are")
	}
}

// Words of the templates are marked as English where the mail is not.
func TestForeignMailMarksEnglish(t *testing.T) {
	in := sample(1)
	in.Site.Language = "pt-BR"
	doc := parse(t, compose(t, in).HTML)
	for _, a := range all(doc, atom.A) {
		if text(a) != "Unsubscribe" {
			continue
		}
		lang := ""
		for n := a; lang == ""; n = n.Parent {
			lang, _ = attr(n, "lang")
		}
		if lang != "en" {
			t.Errorf("Unsubscribe is marked as %q", lang)
		}
	}
	if !strings.Contains(text(doc), "2025-06-09") {
		t.Error("the date is not in the form that all languages share")
	}
}

func TestPreheader(t *testing.T) {
	for _, c := range []struct {
		posts int
		want  string
	}{{1, "Timber, soil"}, {3, "Post 2: how to build a raised bed · Post 3"}} {
		doc := parse(t, compose(t, sample(c.posts)).HTML)
		hidden := all(doc, atom.Div)[1]
		if style(hidden, "display") != "none" || !strings.HasPrefix(text(hidden), c.want) {
			t.Errorf("%d posts: hidden text %q", c.posts, text(hidden))
		}
	}
}
