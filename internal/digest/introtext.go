package digest

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainText sets the introduction as text: paragraphs wrapped, lists and
// quotations indented, the addresses of links below the paragraph they are in.
func plainText(nodes []*html.Node) string {
	var t textSetter
	for _, n := range nodes {
		t.block(n, "", "")
	}
	return strings.Join(t.blocks, "\n\n")
}

// textSetter collects blocks that an empty line separates.
type textSetter struct{ blocks []string }

// block sets one element; its first line starts with first, the others with
// indent.
func (t *textSetter) block(n *html.Node, first, indent string) {
	switch n.DataAtom {
	case atom.Ul, atom.Ol:
		t.list(n, indent)
	case atom.Blockquote:
		t.children(n, first+"> ", indent+"> ")
	case atom.Li:
		t.children(n, first, indent)
	case atom.Hr:
		t.add(indent + "* * *")
	case atom.Pre:
		text := strings.TrimRight(innerText(n), "\n")
		t.add(indent + strings.ReplaceAll(text, "\n", "\n"+indent))
	default:
		t.paragraph([]*html.Node{n}, first, indent)
	}
}

func (t *textSetter) add(block string) {
	if strings.TrimSpace(block) != "" {
		t.blocks = append(t.blocks, block)
	}
}

// list sets the items of a list, tight as most are.
func (t *textSetter) list(n *html.Node, indent string) {
	var items []string
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Li {
			continue
		}
		mark := "* "
		if n.DataAtom == atom.Ol {
			mark = fmt.Sprintf("%d. ", len(items)+1)
		}
		var item textSetter
		item.block(c, indent+mark, indent+strings.Repeat(" ", len(mark)))
		items = append(items, strings.Join(item.blocks, "\n"))
	}
	t.add(strings.Join(items, "\n"))
}

// children sets what is in a block: runs of inline elements as paragraphs,
// and blocks.
func (t *textSetter) children(n *html.Node, first, indent string) {
	var inline []*html.Node
	flush := func() {
		if len(inline) > 0 && t.paragraph(inline, first, indent) {
			first = indent
		}
		inline = nil
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if !isBlock(c) {
			inline = append(inline, c)
			continue
		}
		flush()
		before := len(t.blocks)
		t.block(c, first, indent)
		if len(t.blocks) > before {
			first = indent
		}
	}
	flush()
}

// paragraph sets inline elements and reports whether there was any text.
func (t *textSetter) paragraph(nodes []*html.Node, first, indent string) bool {
	var words strings.Builder
	var links []string
	for _, n := range nodes {
		inlineText(n, &words, &links)
	}
	text := cleanLines(words.String())
	if text == "" {
		return false
	}
	block := wrap(text, first, indent)
	for _, l := range links {
		if !strings.Contains(text, l) {
			block += "\n" + indent + l
		}
	}
	t.add(block)
	return true
}

// inlineText writes the text of an element and collects the addresses in it.
func inlineText(n *html.Node, words *strings.Builder, links *[]string) {
	switch {
	case n.Type == html.TextNode:
		words.WriteString(strings.ReplaceAll(n.Data, "\n", " "))
	case n.DataAtom == atom.Br:
		words.WriteByte('\n')
	case n.DataAtom == atom.Img:
		if alt := clean(attribute(n, "alt")); alt != "" {
			words.WriteString(" [" + alt + "] ")
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		inlineText(c, words, links)
	}
	if href := attribute(n, "href"); href != "" {
		if href = strings.TrimPrefix(href, "mailto:"); !slices.Contains(*links, href) {
			*links = append(*links, href)
		}
	}
}

// innerText is the text of an element as it is.
func innerText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func isBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.P, atom.Ul, atom.Ol, atom.Li, atom.Blockquote, atom.Pre, atom.Hr, atom.H1, atom.H2, atom.H3:
		return true
	}
	return false
}
