package digest_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tidings/internal/digest"
)

// withoutHarm are the features of our mails that some mail program lacks, and
// why the mail is good there without them.
var withoutHarm = map[string]string{
	"css-at-media":                      "paddings on phones stay wider",
	"css-at-media-prefers-color-scheme": "the mail stays light, or the program darkens it",
	"css-border-radius":                 "corners are square",
	"css-display-none":                  "the preheader shows",
	"css-important":                     "the style elements are left out there too",
	"css-selector-class":                "paddings and colours are those of the light mail on a desk",
	"css-max-height":                    "display:none hides the preheader",
	"css-overflow":                      "display:none hides the preheader",
	"css-selector-attribute":            "for Outlook's apps alone, in a style element of its own",
	"css-selector-descendant":           "the same",
	"css-table-layout":                  "long words widen the column",
	"css-white-space":                   "code is not broken as written",
	"css-word-break":                    "long words widen the column",
	"css-word-wrap":                     "the same",
	"html-aria-label":                   "the article has no name",
	"html-body":                         "a cell over the whole width has the same colours",
	"html-dir":                          "cells are aligned by align; each text has a direction of its own by its letters",
	"html-doctype":                      "programs put the mail into a page of theirs",
	"html-lang":                         "screen readers speak the language of the program",
	"html-meta-color-scheme":            "the mail stays light",
	"html-role":                         "screen readers name the layout's tables",
	"html-style":                        "every element has its style with it",
}

// wellKnown are what every mail program has, and therefore nobody tests.
var wellKnown = []string{
	"<html>", "<head>", "<meta>", "<title>", "<tr>", "<td>", "<tbody>", "<a>", "<br>", "<em>", "<noscript>",
	"alt", "border", "charset", "class", "content", "href", "name", "src", "start", "style", "xmlns", "xmlns:o",
	"color", "font-family", "font-style", "border-color", "border-style", "border-width",
	"mso-hide", "-webkit-text-size-adjust", "-ms-text-size-adjust", // each for one program
}

// TestCanIEmail checks what our mails are made of against the tests of mail
// programs that Can I email collects: a feature that one of them lacks must be
// one whose loss does no harm.
func TestCanIEmail(t *testing.T) {
	known, lacking := canIEmail(t)
	used := map[string]bool{}
	for name, in := range looks("https://house.example/wide.png") {
		if name == "hostile" || strings.HasPrefix(name, "300") {
			in.Intro = ""
		}
		featuresOf(t, compose(t, in).HTML, used)
	}
	full := sample(2)
	full.Intro = "# A\n\n## B\n\n1. `c`\n\n* d ~~e~~ **f** *g*\n\n> h\n\n    i\n\n---\n\n![j](/j.png)"
	featuresOf(t, compose(t, full).HTML, used)
	confirm, err := builtin(t).Confirm(digest.ConfirmInput{Site: full.Site, Newsletter: full.Newsletter, Base: full.Base, Date: full.Date})
	if err != nil {
		t.Fatal(err)
	}
	featuresOf(t, confirm.HTML, used)
	for _, feature := range slices.Sorted(maps.Keys(used)) {
		if slices.Contains(wellKnown, feature) {
			continue
		}
		slug, ok := known[feature]
		if !ok {
			t.Errorf("%s: nobody has tested it in mail programs", feature)
		} else if lacking[slug] != "" && withoutHarm[slug] == "" {
			t.Errorf("%s (%s) is lacking in %s", feature, slug, lacking[slug])
		} else if lacking[slug] != "" {
			used[slug] = true
		}
	}
	for slug := range withoutHarm {
		if !used[slug] {
			t.Errorf("%s is not used, or not lacking anywhere", slug)
		}
	}
	if len(used) < 60 {
		t.Errorf("only %d features are found", len(used))
	}
}

// canIEmail reads the table: features by how they are written, and the mail
// programs that lack them.
func canIEmail(t *testing.T) (known, lacking map[string]string) {
	t.Helper()
	table, err := os.ReadFile("testdata/caniemail.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known, lacking = map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3 {
			continue
		}
		title := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(cells[1], " element"), " attribute"), " property")
		known[title], lacking[cells[0]] = cells[0], cells[2]
	}
	if len(known) < 250 {
		t.Fatalf("%d features are known", len(known))
	}
	for written, title := range writtenAs {
		known[written] = known[title]
	}
	return known, lacking
}

// writtenAs gives the titles of features that are written otherwise.
var writtenAs = map[string]string{
	"<h1>": "<h1> to <h6> elements", "<h2>": "<h1> to <h6> elements", "<h3>": "<h1> to <h6> elements",
	"<ul>": "<ul>, <ol> and <dl>", "<ol>": "<ul>, <ol> and <dl>", "<li>": "<ul>, <ol> and <dl>",
	"padding-left": "padding", "padding-right": "padding", "font-family": "font shorthand",
}

var (
	declared = regexp.MustCompile(`([\w-]+):([^;{}]+)`)
	number   = regexp.MustCompile(`\d(px|em|rem|pt|vw|vh|%)`)
	comment  = regexp.MustCompile(`(?s)<!--\[if mso\]>.*?<!\[endif\]-->`)
)

// featuresOf notes what HTML is made of: elements as "<p>", attributes,
// properties, values and rules as Can I email names them.
func featuresOf(t *testing.T, source string, used map[string]bool) {
	t.Helper()
	doc := parse(t, comment.ReplaceAllString(source, "")) // Outlook's alone, who knows them
	used["HTML comments"], used["HTML5 doctype"] = true, true
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		used["<"+n.Data+">"] = true
		for _, a := range n.Attr {
			used[a.Key] = true
			if a.Key == "style" {
				declarationsOf(a.Val, used)
			}
			if a.Key == "name" && a.Val == "color-scheme" {
				used["color-scheme meta tag"] = true
			}
		}
		if n.Data == "style" {
			sheetOf(text(n), used)
		}
	}
}

func declarationsOf(style string, used map[string]bool) {
	for _, m := range declared.FindAllStringSubmatch(style, -1) {
		property, value := m[1], m[2]
		used[property] = true
		if property == "display" && value == "none" {
			used["display:none"] = true
		}
		if strings.Contains(value, "!important") {
			used["!important keyword"] = true
		}
		for _, unit := range number.FindAllStringSubmatch(value, -1) {
			used[unit[1]+" unit"] = true
		}
	}
}

// sheetOf notes the rules of a style element.
func sheetOf(sheet string, used map[string]bool) {
	for prefix, feature := range map[string]string{"@media (max-width": "@media", "(prefers-color-scheme": "@media (prefers-color-scheme)",
		"{.": "Class selector", "[data-": "Attribute selector", "] .": "Descendant combinator"} {
		if strings.Contains(sheet, prefix) {
			used[feature] = true
		}
	}
	for rule := range strings.SplitSeq(sheet, "{") {
		if body, _, ok := strings.Cut(rule, "}"); ok {
			declarationsOf(body, used)
		}
	}
}
