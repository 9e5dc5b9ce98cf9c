package post

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/idna"
)

// A tidier prepares a parsed document for the policy.
type tidier struct{ base *url.URL }

// children tidies the nodes below a node; code tells whether they are shown
// as code.
func (t *tidier) children(parent *html.Node, code bool) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch n.Type {
		case html.TextNode:
			t.text(n, code)
		case html.ElementNode:
			t.element(n, code)
		default:
			parent.RemoveChild(n)
		}
		n = next
	}
}

var templateRest = regexp.MustCompile(`\{\{[^{}\n]*\}\}|\{%[^%{}\n]*%\}|\{\{|\{%`)

// text drops what XML cannot carry, which entities may have brought in, and
// shows template code that is left as code.
func (t *tidier) text(n *html.Node, code bool) {
	n.Data = legible(n.Data)
	if code || !strings.Contains(n.Data, "{") {
		return
	}
	for {
		m := templateRest.FindStringIndex(n.Data)
		if m == nil {
			return
		}
		shown := &html.Node{Type: html.ElementNode, Data: "code", DataAtom: atom.Code}
		shown.AppendChild(&html.Node{Type: html.TextNode, Data: n.Data[m[0]:m[1]]})
		before := &html.Node{Type: html.TextNode, Data: n.Data[:m[0]]}
		n.Parent.InsertBefore(before, n)
		n.Parent.InsertBefore(shown, n)
		n.Data = n.Data[m[1]:]
	}
}

func (t *tidier) element(n *html.Node, code bool) {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Form, atom.Button, atom.Select, atom.Textarea, atom.Svg, atom.Template,
		atom.Noscript, atom.Title, atom.Head, atom.Link, atom.Meta, atom.Base:
		n.Parent.RemoveChild(n)
		return
	case atom.Iframe, atom.Embed, atom.Object, atom.Frame:
		t.linkTo(n)
		return
	case atom.Input:
		tickBox(n)
		return
	case atom.Img:
		loadNow(n)
	}
	t.attributes(n)
	t.children(n, code || n.DataAtom == atom.Code || n.DataAtom == atom.Pre)
	if n.DataAtom == atom.Img && attribute(n, "src") == "" && attribute(n, "srcset") == "" || n.DataAtom == atom.P && n.FirstChild == nil {
		n.Parent.RemoveChild(n)
	}
}

// linkTo replaces what is embedded from elsewhere by a link to it.
func (t *tidier) linkTo(n *html.Node) {
	source := attribute(n, "src")
	if source == "" {
		source = attribute(n, "data")
	}
	address, ok := t.absolute(source)
	if !ok || blank(source) || !strings.HasPrefix(address, "http") {
		n.Parent.RemoveChild(n)
		return
	}
	title := strings.TrimSpace(legible(attribute(n, "title")))
	link := linkNode(playerPage(address), title)
	n.Parent.InsertBefore(link, n)
	n.Parent.RemoveChild(n)
	t.children(link, false)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// tickBox shows the box of a task list; other input fields go.
func tickBox(n *html.Node) {
	if strings.EqualFold(attribute(n, "type"), "checkbox") {
		box := "☐"
		if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }) {
			box = "☑"
		}
		n.Parent.InsertBefore(&html.Node{Type: html.TextNode, Data: box}, n)
	}
	n.Parent.RemoveChild(n)
}

// loadNow undoes lazy loading, which needs a script.
func loadNow(n *html.Node) {
	if later := attribute(n, "data-src"); later != "" {
		if src := attribute(n, "src"); src == "" || strings.HasPrefix(src, "data:") {
			setAttribute(n, "src", later)
		}
	}
	if later := attribute(n, "data-srcset"); later != "" && attribute(n, "srcset") == "" {
		setAttribute(n, "srcset", later)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func setAttribute(n *html.Node, key, value string) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

// attributes makes addresses absolute and drops those that cannot be.
func (t *tidier) attributes(n *html.Node) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		ok := true
		switch a.Key {
		case "src", "poster":
			if ok = !blank(a.Val); ok { // it would mean the post's page
				a.Val, ok = t.absolute(a.Val)
			}
		case "href", "cite":
			a.Val, ok = t.absolute(a.Val)
		case "srcset":
			a.Val, ok = t.absoluteSet(a.Val)
		default:
			a.Val = legible(a.Val)
			ok = !templateCode.MatchString(a.Val) || a.Key == "alt" || a.Key == "title"
			if ok {
				a.Val = templateRest.ReplaceAllString(a.Val, "")
			}
		}
		if ok {
			kept = append(kept, a)
		}
	}
	n.Attr = kept
}

// unresolved are the traces of template code in an address, plain and
// percent-encoded.
var unresolved = []string{unknown, "%EF%B7%90", "{{", "{%", "%7B%7B", "%7B%25", "%7b%7b", "%7b%25"}

// breaks are what people put into addresses without meaning it.
var breaks = strings.NewReplacer("\n", "", "\t", "")

// absolute resolves an address against the post's; ok is false if there is
// none, or a template would have to complete it.
func (t *tidier) absolute(address string) (string, bool) {
	for _, trace := range unresolved {
		if strings.Contains(address, trace) {
			return "", false
		}
	}
	address = strings.TrimSpace(legible(breaks.Replace(address)))
	if strings.HasPrefix(address, "@/") { // Zola's link to another file
		return "", false
	}
	address = strings.ReplaceAll(address, " ", "%20")
	u, err := url.Parse(address)
	if err != nil {
		if u, err = url.Parse(strings.ReplaceAll(address, "%", "%25")); err != nil {
			return "", false
		}
	}
	switch {
	case u.Scheme == "" && t.base == nil:
		return "", false
	case u.Scheme == "":
		u = t.base.ResolveReference(u)
		address = u.String()
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return address, u.Host != "" || u.Opaque != ""
	case !ascii(u.Host):
		if u.Host, err = idna.Punycode.ToASCII(u.Host); err != nil {
			return "", false
		}
		address = u.String()
	}
	return address, u.Host != ""
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

// candidate is one picture of a srcset with its width or density.
var candidate = regexp.MustCompile(`\s*,?\s*(\S*[^\s,])(?:\s+([\d.]+[wxh]))?\s*(?:,|$)`)

func (t *tidier) absoluteSet(set string) (string, bool) {
	var kept []string
	for _, m := range candidate.FindAllStringSubmatch(set, -1) {
		address, ok := t.absolute(m[1])
		if !ok || !strings.HasPrefix(address, "http") {
			continue
		}
		address = strings.ReplaceAll(address, ",", "%2C")
		kept = append(kept, strings.TrimSpace(address+" "+m[2]))
	}
	return strings.Join(kept, ", "), len(kept) > 0
}
