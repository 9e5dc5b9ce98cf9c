package post

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// policy lists what may stand in a feed or a mail; everything else goes. It
// is safe for concurrent use.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite",
		"code", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5",
		"h6", "header", "hr", "i", "ins", "kbd", "li", "mark", "nav", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp",
		"section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
		"time", "tr", "tt", "u", "ul", "var", "wbr", "audio", "video", "colgroup", "col")
	p.AllowAttrs("href", "title", "hreflang").OnElements("a")
	p.AllowAttrs("src", "srcset", "sizes", "alt", "title").OnElements("img")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("img", "video", "td", "th", "table", "col")
	p.AllowAttrs("src", "srcset", "sizes", "type", "media").OnElements("source")
	p.AllowAttrs("src", "poster", "controls", "preload", "loop", "muted").OnElements("video", "audio")
	p.AllowAttrs("src", "kind", "srclang", "label").OnElements("track")
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("datetime").OnElements("time", "del", "ins")
	p.AllowAttrs("title").OnElements("abbr", "dfn")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)).Globally()
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("start", "value").Matching(bluemonday.Integer).OnElements("ol", "li")
	p.AllowAttrs("reversed", "type").OnElements("ol")
	p.AllowAttrs("open").OnElements("details")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("td", "th")
	p.AllowAttrs("colspan", "rowspan", "span").Matching(bluemonday.Integer).OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[\w+#.-]+$`)).OnElements("code")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowDataURIImages()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	return p
}

// sanitised makes the addresses in a document absolute and drops what could
// harm. The policy has the last word on every byte.
func sanitised(source string, base *url.URL) string {
	once := sanitisedOnce(source, base)
	if templateCode.MatchString(once) {
		// what the policy dropped may have kept two braces apart
		return sanitisedOnce(once, base)
	}
	return once
}

func sanitisedOnce(source string, base *url.URL) string {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(source), body, html.ParseOptionEnableScripting(false))
	if err != nil { // nested deeper than any browser follows
		return unstructured(source)
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	t := &tidier{base: base}
	t.children(body, false)
	var b bytes.Buffer
	b.Grow(len(source) + len(source)/8)
	for n := range body.ChildNodes() {
		if err := html.Render(&b, n); err != nil {
			return unstructured(source)
		}
	}
	if harmless(body) {
		return strings.TrimSpace(b.String())
	}
	return strings.TrimSpace(policy.SanitizeReader(&b).String())
}

// unstructured gives the text alone of a document that is no tree.
func unstructured(source string) string {
	return policy.Sanitize("<pre>" + escapeText(strings.TrimSpace(textOf(source))) + "</pre>")
}

func escapeText(text string) string { return html.EscapeString(legible(text)) }

// textOf gives the text of HTML that cannot be parsed into a tree.
func textOf(source string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.WriteString(z.Token().Data)
		}
	}
}
