package digest_test

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func parse(tb testing.TB, source string) *html.Node {
	tb.Helper()
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// all gives the elements of the kinds.
func all(doc *html.Node, kinds ...atom.Atom) []*html.Node {
	var found []*html.Node
	for n := range doc.Descendants() {
		for _, k := range kinds {
			if n.Type == html.ElementNode && n.DataAtom == k {
				found = append(found, n)
			}
		}
	}
	return found
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// style gives one property of an element's inline style.
func style(n *html.Node, property string) string {
	value, _ := attr(n, "style")
	return declaration(value, property)
}

func declaration(style, property string) string {
	for d := range strings.SplitSeq(style, ";") {
		if name, value, ok := strings.Cut(d, ":"); ok && strings.TrimSpace(name) == property {
			return strings.TrimSpace(strings.TrimSuffix(value, "!important"))
		}
	}
	return ""
}

// pixels gives the number of a length such as "16px".
func pixels(t *testing.T, length string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(length, "px"))
	if err != nil {
		t.Fatalf("length %q: %v", length, err)
	}
	return n
}
