package digest_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
)

// Every text of every mail stands on its background with a contrast of at
// least 4.5:1 (WCAG 2.2, 1.4.3), in light and in dark mode.
func TestContrast(t *testing.T) {
	in := sample(11)
	in.Topics = []string{"Gardening"}
	in.Intro = "# A\n\nb [c](https://example.org/) `d`\n\n> e\n\n    f\n\n* g\n\n---"
	in.Items[0].Image = "https://house.example/a.png"
	confirm, err := builtin(t).Confirm(digest.ConfirmInput{Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Date: in.Date})
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{compose(t, in).HTML, confirm.HTML} {
		doc := parse(t, source)
		dark := darkRules(t, doc)
		for n := range doc.Descendants() {
			if n.Type != html.TextNode || strings.TrimSpace(n.Data) == "" || n.Parent.DataAtom == atom.Style || n.Parent.DataAtom == atom.Title {
				continue
			}
			for mode, rules := range map[string]map[string]string{"light": nil, "dark": dark} {
				colour, background := computed(n, "color", rules), computed(n, "background-color", rules)
				if r := ratio(t, colour, background); r < 4.5 {
					t.Errorf("%s: %.2f:1 of %s on %s for %q", mode, r, colour, background, strings.TrimSpace(n.Data))
				}
			}
		}
	}
}

var classRule = regexp.MustCompile(`\.(\w+)\{([^}]*)\}`)

// darkRules gives the declarations of the dark style block by class.
func darkRules(t *testing.T, doc *html.Node) map[string]string {
	t.Helper()
	styles := all(doc, atom.Style)
	_, block, ok := strings.Cut(text(styles[0]), "(prefers-color-scheme:dark){")
	if !ok {
		t.Fatal("no rules for dark mode")
	}
	rules := map[string]string{}
	for _, m := range classRule.FindAllStringSubmatch(block, -1) {
		rules[m[1]] = m[2]
	}
	for _, m := range classRule.FindAllStringSubmatch(text(styles[1]), -1) {
		if rules[m[1]] != m[2] {
			t.Errorf("class %s is %q for Outlook, %q for others", m[1], m[2], rules[m[1]])
		}
	}
	return rules
}

// computed gives a colour property as it reaches a node: the nearest element
// that sets it, by class where rules have it.
func computed(n *html.Node, property string, rules map[string]string) string {
	for ; n != nil; n = n.Parent {
		classes, _ := attr(n, "class")
		for class := range strings.FieldsSeq(classes) {
			if value := declaration(rules[class], property); value != "" {
				return value
			}
		}
		if value := style(n, property); value != "" {
			return value
		}
	}
	return ""
}

func ratio(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is WCAG's relative luminance of "#rrggbb".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("colour %q: %v", colour, err)
	}
	linear := func(c uint64) float64 {
		s := float64(c&0xff) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// The measure itself, against known values.
func TestRatio(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{{"#000000", "#ffffff", "21.00"}, {"#777777", "#ffffff", "4.48"}} {
		if got := fmt.Sprintf("%.2f", ratio(t, c.a, c.b)); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
