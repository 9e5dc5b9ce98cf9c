package post

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// harmless reports whether the policy would give a tree back as it is: most
// posts hold nothing but text, plain elements without attributes, links and
// pictures. It is a small part of what the policy allows, to be seen at a
// glance; everything else goes through the policy.
func harmless(n *html.Node) bool {
	for c := range n.ChildNodes() {
		if c.Type == html.TextNode {
			continue
		}
		if c.Type != html.ElementNode || c.Namespace != "" || !harmlessElement(c) || !harmless(c) {
			return false
		}
	}
	return true
}

func harmlessElement(n *html.Node) bool {
	switch n.DataAtom {
	case atom.P, atom.Em, atom.Strong, atom.Code, atom.Pre, atom.Ul, atom.Ol, atom.Li, atom.Blockquote, atom.Br, atom.Hr,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return len(n.Attr) == 0
	case atom.A:
		return len(n.Attr) == 1 && n.Attr[0].Key == "href" && harmlessAddress(n.Attr[0].Val)
	case atom.Img:
		return len(n.Attr) == 2 && n.Attr[0].Key == "src" && harmlessAddress(n.Attr[0].Val) && n.Attr[1].Key == "alt"
	}
	return false
}

// harmlessAddress reports whether a web address is in the one form that the
// policy would write.
func harmlessAddress(address string) bool {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.String() == address
}
