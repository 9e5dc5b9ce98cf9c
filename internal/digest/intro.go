package digest

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// introRenderer turns a maintainer's Markdown into what may stand in a mail.
type introRenderer struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
	look     stylesheet
}

func newIntroRenderer(look stylesheet) *introRenderer {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "ul", "ol", "li", "blockquote", "code", "pre", "hr",
		"h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return &introRenderer{
		markdown: goldmark.New(goldmark.WithExtensions(extension.Linkify, extension.Strikethrough)),
		policy:   p,
		look:     look,
	}
}

// render gives a text in Markdown as sanitised HTML with inline styles, and
// as wrapped text with links on lines of their own. Relative links start at
// site.
func (r *introRenderer) render(source, site string) (template.HTML, string, error) {
	if source = cleanSource(source); source == "" {
		return "", "", nil
	}
	var b bytes.Buffer
	if err := r.markdown.Convert([]byte(source), &b); err != nil {
		return "", "", fmt.Errorf("introduction: %w", err)
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(r.policy.SanitizeReader(&b), body)
	if err != nil {
		return "", "", fmt.Errorf("introduction: %w", err)
	}
	base, err := url.Parse(site)
	if err != nil {
		return "", "", fmt.Errorf("introduction: address of the site: %w", err)
	}
	var out bytes.Buffer
	for _, n := range nodes {
		if err := r.dress(n, base); err != nil {
			return "", "", fmt.Errorf("introduction: %w", err)
		}
		if err := html.Render(&out, n); err != nil {
			return "", "", fmt.Errorf("introduction: %w", err)
		}
	}
	return template.HTML(out.String()), plainText(nodes), nil
}

// cleanSource drops from each line what clean drops, and keeps its spaces.
func cleanSource(s string) string {
	lines := strings.Split(strings.ToValidUTF8(s, "\uFFFD"), "\n")
	for i, line := range lines {
		lines[i] = strings.Map(visible, strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// dress gives an element and those in it their style, and makes addresses
// absolute. Headings move below the mail's own.
func (r *introRenderer) dress(n *html.Node, base *url.URL) error {
	if n.Type == html.ElementNode {
		switch n.DataAtom {
		case atom.H1, atom.H2:
			n.Data, n.DataAtom = "h2", atom.H2
		case atom.H3, atom.H4, atom.H5, atom.H6:
			n.Data, n.DataAtom = "h3", atom.H3
		}
		absolute(n, base)
		if err := r.style(n); err != nil {
			return err
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := r.dress(c, base); err != nil {
			return err
		}
	}
	return nil
}

func (r *introRenderer) style(n *html.Node) error {
	name := n.Data
	switch n.DataAtom {
	case atom.A:
		name = "link"
	case atom.Br, atom.Strong, atom.Em, atom.Del:
		return nil
	case atom.Img:
		if attribute(n, "alt") == "" {
			n.Attr = append(n.Attr, html.Attribute{Key: "alt"})
		}
	}
	class, style, err := r.look.look(name)
	if err != nil {
		return err
	}
	if class != "" {
		n.Attr = append(n.Attr, html.Attribute{Key: "class", Val: class})
	}
	n.Attr = append(n.Attr, html.Attribute{Key: "style", Val: style})
	return nil
}

// absolute resolves the addresses of an element, and drops those that lead
// nowhere from a mail.
func absolute(n *html.Node, base *url.URL) {
	for i, a := range n.Attr {
		if a.Key == "href" || a.Key == "src" {
			n.Attr[i].Val = resolve(base, a.Val)
		}
	}
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool {
		return a.Val == "" && (a.Key == "href" || a.Key == "src")
	})
}

// resolve gives an absolute web or mail address, or "".
func resolve(base *url.URL, ref string) string {
	u, err := base.Parse(ref)
	if err != nil {
		return ""
	}
	if u.Scheme == "mailto" {
		return u.String()
	}
	return webURL(u.String())
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
