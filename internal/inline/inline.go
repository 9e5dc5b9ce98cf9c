// Package inline moves the rules of a document's style elements into the style
// attributes of the elements they are for, because many mail programs drop
// style elements. Rules that no attribute can hold stay where they are: media
// queries, states such as :hover, and what matches nothing. It decides by the
// cascade (CSS Cascade 4 §6): importance, attributes before sheets, specificity,
// order.
package inline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Styles gives the document with its styles inlined. What stays in a style
// element becomes important, or the attributes would outdo it.
func Styles(document string) (string, error) {
	doc, err := html.Parse(strings.NewReader(document))
	if err != nil {
		return "", fmt.Errorf("inline the styles: %w", err)
	}
	in := inliner{matched: map[*html.Node][]matched{}}
	var elements []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == atom.Body {
			in.body = n
		}
		if n.Type == html.ElementNode && n.DataAtom == atom.Style && everywhere(n) {
			elements = append(elements, n)
		}
	}
	for _, n := range elements {
		in.sheet(n)
	}
	for n, rules := range in.matched {
		dress(n, rules)
	}
	var out strings.Builder
	if err := html.Render(&out, doc); err != nil {
		return "", fmt.Errorf("inline the styles: %w", err)
	}
	return out.String(), nil
}

// everywhere reports whether a style element is for every medium.
func everywhere(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "media" {
			return a.Val == "" || a.Val == "all"
		}
	}
	return true
}

type inliner struct {
	body    *html.Node
	order   int // of the next rule
	matched map[*html.Node][]matched
}

// matched is a declaration that holds for an element.
type matched struct {
	declaration
	specificity cascadia.Specificity
	attribute   bool
	order       int
}

// sheet takes what can be inlined out of a style element, which goes if
// nothing is left.
func (in *inliner) sheet(n *html.Node) {
	var source strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		source.WriteString(c.Data)
	}
	rest := parseSheet(source.String(), in.rule)
	if strings.TrimSpace(rest) == "" {
		n.Parent.RemoveChild(n)
		return
	}
	for n.FirstChild != nil {
		n.RemoveChild(n.FirstChild)
	}
	n.AppendChild(&html.Node{Type: html.TextNode, Data: rest})
}

// rule applies a rule to what it matches, and gives the selectors that it
// must be kept for.
func (in *inliner) rule(selectors []string, declarations []declaration) (kept []string) {
	in.order++
	for _, s := range selectors {
		sel, err := cascadia.ParseWithPseudoElement(s)
		if err != nil || sel.PseudoElement() != "" {
			kept = append(kept, s)
			continue
		}
		found := in.find(sel)
		if len(found) == 0 {
			kept = append(kept, s)
		}
		for _, n := range found {
			for _, d := range declarations {
				in.matched[n] = append(in.matched[n], matched{declaration: d, specificity: sel.Specificity(), order: in.order})
			}
		}
	}
	return kept
}

// find gives the elements to be seen that a selector matches.
func (in *inliner) find(sel cascadia.Sel) []*html.Node {
	found := cascadia.QueryAll(in.body, sel)
	if sel.Match(in.body) {
		found = append(found, in.body)
	}
	return found
}

// dress sets the style attribute of an element: declarations in the order of
// the cascade, the last of each property.
func dress(n *html.Node, rules []matched) {
	at := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "style" })
	if at >= 0 {
		for _, d := range parseAttribute(n.Attr[at].Val) {
			rules = append(rules, matched{declaration: d, attribute: true})
		}
	} else {
		at = len(n.Attr)
		n.Attr = append(n.Attr, html.Attribute{Key: "style"})
	}
	slices.SortStableFunc(rules, byCascade)
	var parts []string
	for i, r := range rules {
		again := func(later matched) bool { return later.property == r.property }
		if !slices.ContainsFunc(rules[i+1:], again) {
			parts = append(parts, r.property+":"+r.value)
		}
	}
	n.Attr[at].Val = strings.Join(parts, ";")
}

// byCascade puts what wins last.
func byCascade(a, b matched) int {
	rank := func(m matched) int {
		r := 0
		if m.important {
			r += 2
		}
		if m.attribute {
			r++
		}
		return r
	}
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch {
	case a.specificity.Less(b.specificity):
		return -1
	case b.specificity.Less(a.specificity):
		return 1
	}
	return cmp.Compare(a.order, b.order)
}
