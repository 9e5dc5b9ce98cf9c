package post

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// anchorTexts makes text of addresses that stand within an HTML anchor: a
// link within a link would take its place.
type anchorTexts struct{}

func (anchorTexts) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	src := reader.Source()
	inside := false
	var links []*ast.AutoLink
	// the walk ends without an error: none of its steps returns one
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.RawHTML:
			if entering {
				inside = anchorOpen(n.Segments.Value(src), inside)
			}
		case *ast.AutoLink:
			if entering && inside {
				links = append(links, n)
			}
		default:
			if n.Type() == ast.TypeBlock {
				inside = false
			}
		}
		return ast.WalkContinue, nil
	})
	for _, l := range links {
		l.Parent().ReplaceChild(l.Parent(), l, ast.NewString(l.Label(src)))
	}
}

// anchorOpen tells whether an anchor is open after a tag.
func anchorOpen(tag []byte, before bool) bool {
	tag = bytes.ToLower(tag)
	switch {
	case bytes.HasPrefix(tag, []byte("<a ")), bytes.HasPrefix(tag, []byte("<a\n")):
		return true
	case bytes.HasPrefix(tag, []byte("</a")):
		return false
	}
	return before
}
