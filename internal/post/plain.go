package post

import (
	"bufio"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	renderer "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// inline parses the Markdown within one line: no headings, no lists, so that
// "1. First" and "# 1" stay what they are.
var inline = parser.NewParser(
	parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 100)),
	parser.WithInlineParsers(parser.DefaultInlineParsers()...),
)

// maxPlain is how much of one line of front matter is read, in bytes; it is
// far more than any title or summary has.
const maxPlain = 8 << 10

// plain gives the text of one line of Markdown or HTML: no emphasis, no tags,
// link texts instead of links, entities decoded once.
func plain(source string) string {
	if len(source) > maxPlain {
		source = strings.ToValidUTF8(source[:maxPlain], "")
	}
	source = clean(untemplated(source))
	if !strings.ContainsAny(source, "*_`[<&\\") {
		return source
	}
	src := []byte(source)
	var b strings.Builder
	// the walk ends without an error: none of its steps returns one
	_ = ast.Walk(inline.Parse(text.NewReader(src)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		return plainNode(&b, n, src, entering), nil
	})
	return clean(b.String())
}

func plainNode(b *strings.Builder, n ast.Node, src []byte, entering bool) ast.WalkStatus {
	switch n := n.(type) {
	case *ast.Emphasis:
		// names such as __init__ are no emphasis in a title
		if mark := emphasisMark(n, src); mark != "" {
			b.WriteString(mark)
		}
	case *ast.Text:
		if entering {
			b.WriteString(plainText(n, src))
		}
	case *ast.AutoLink:
		if entering {
			b.Write(n.Label(src))
		}
	case *ast.RawHTML:
		if tag := string(n.Segments.Value(src)); entering && !formats(tag) {
			b.WriteString(tag)
		}
	}
	return ast.WalkContinue
}

// plainText decodes backslashes and entities, except within code.
func plainText(n *ast.Text, src []byte) string {
	value := n.Segment.Value(src)
	if n.Parent() != nil && n.Parent().Kind() == ast.KindCodeSpan {
		return string(value)
	}
	return unescape(string(value))
}

// unescape resolves backslashes and entities once, as the renderer does.
func unescape(source string) string {
	if !strings.ContainsAny(source, "\\&") {
		return source
	}
	var b strings.Builder
	w := bufio.NewWriter(&b)
	renderer.DefaultWriter.Write(w, []byte(source))
	_ = w.Flush() // a strings.Builder takes everything
	return html.UnescapeString(b.String())
}

// emphasisMark gives the underscores of strong emphasis that was written with
// them, "" for all other emphasis.
func emphasisMark(n *ast.Emphasis, src []byte) string {
	first, ok := n.FirstChild().(*ast.Text)
	if !ok || n.Level < 2 || first.Segment.Start == 0 || src[first.Segment.Start-1] != '_' {
		return ""
	}
	return "__"
}

// formats tells whether a tag is one of those that format a title, and not,
// say, the parameter of a type such as Vec<T>.
func formats(tag string) bool {
	if strings.HasPrefix(tag, "<!") || strings.HasPrefix(tag, "<?") {
		return true
	}
	name := strings.TrimLeft(tag, "</")
	if end := strings.IndexFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }); end >= 0 {
		name = name[:end]
	}
	switch name {
	case "a", "abbr", "b", "bdi", "bdo", "big", "br", "center", "cite", "code", "del", "dfn", "div", "em", "font",
		"h1", "h2", "h3", "h4", "h5", "h6", "i", "img", "ins", "kbd", "mark", "nobr", "p", "q", "rp", "rt", "ruby",
		"s", "samp", "script", "small", "span", "strike", "strong", "style", "sub", "sup", "time", "tt", "u", "var", "wbr":
		return true
	}
	return false
}

// escapePlain writes a text so that plain gives it back.
func escapePlain(plainText string) string {
	plainText = clean(plainText)
	if plain(plainText) == plainText {
		return plainText
	}
	var b strings.Builder
	for i := range len(plainText) {
		if util.IsPunct(plainText[i]) {
			b.WriteByte('\\')
		}
		b.WriteByte(plainText[i])
	}
	return b.String()
}

// cutAtWord shortens a text to at most limit characters, the last of which
// is "…" if anything was cut.
func cutAtWord(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	end := limit - 1
	for end > 1 && unicode.IsMark(runes[end]) {
		end--
	}
	head := string(runes[:end])
	if !unicode.IsSpace(runes[end]) {
		if i := strings.LastIndexByte(head, ' '); i > len(head)/2 {
			head = head[:i]
		}
	}
	return strings.TrimRight(head, " .,;:–—-") + "…"
}
