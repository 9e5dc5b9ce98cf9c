package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxSource bounds the size of a file: the YAML parser's time grows with the
// square of the depth.
const maxSource = 256 << 10

// In {…} and […] YAML takes the braces of ${NAME} for its own. While the file
// is parsed they are stood for by two noncharacters of Unicode, which keeps
// every column where it is.
const (
	openBrace  = "\ufdd0"
	closeBrace = "\ufdd1"
)

var (
	variable       = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	hiddenVariable = regexp.MustCompile(`\$` + openBrace + `([A-Za-z_][A-Za-z0-9_]*)` + closeBrace)
)

func hideBraces(src string) string {
	return variable.ReplaceAllString(src, "$$"+openBrace+"${1}"+closeBrace)
}

func restoreBraces(s string) string {
	return hiddenVariable.ReplaceAllString(s, "$${${1}}")
}

// parseYAML gives the only document of a file; nil if it is empty.
func parseYAML(name string, src []byte) (body ast.Node, fault *Fault) {
	fail := func(at position, message string) (ast.Node, *Fault) {
		return nil, &Fault{File: name, Line: at.line, Column: at.column, Message: message}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if len(src) > maxSource {
		return fail(position{1, 1}, fmt.Sprintf("the file has %d bytes; a configuration has at most %d", len(src), maxSource))
	}
	if at, ok := invalidUTF8(src); ok {
		return fail(at, "not UTF-8 text")
	}
	file, err := parseTree(hideBraces(string(src)))
	if syntax := (*yaml.SyntaxError)(nil); errors.As(err, &syntax) {
		return fail(placeOfToken(syntax.Token), "not valid YAML: "+restoreBraces(syntax.Message))
	}
	if err != nil {
		return fail(position{1, 1}, "not valid YAML: "+err.Error())
	}
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || isEmpty(doc.Body) {
			continue
		}
		if body != nil {
			return fail(placeOf(doc.Body), "a second document; a configuration is one")
		}
		body = doc.Body
	}
	return body, nil
}

// parseTree gives duplicate keys through, so that each of them is reported.
// A parser that panics must not take a running daemon along at a reload.
func parseTree(src string) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	return parser.ParseBytes([]byte(src), 0, parser.AllowDuplicateMapKey())
}

func isEmpty(n ast.Node) bool {
	switch n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return true
	}
	return false
}

func invalidUTF8(src []byte) (position, bool) {
	if utf8.Valid(src) {
		return position{}, false
	}
	at := position{1, 1}
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		switch {
		case r == utf8.RuneError && size == 1:
			return at, true
		case r == '\n':
			at = position{at.line + 1, 1}
		default:
			at.column++
		}
		src = src[size:]
	}
	return at, true
}

// placeOf gives where a node begins. The token of a block mapping is its
// first colon, so its first key is asked instead.
func placeOf(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil {
		return position{1, 1}
	}
	return placeOfToken(n.GetToken())
}

func placeOfToken(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

// resolveAliases finds the node each alias stands for: the latest anchor of
// that name that ended before it. An alias inside its own anchor therefore
// has none, and following aliases always comes to an end.
func (d *decoder) resolveAliases(body ast.Node) map[*ast.AliasNode]ast.Node {
	anchors := map[string]ast.Node{}
	targets := map[*ast.AliasNode]ast.Node{}
	var visit func(n ast.Node)
	visit = func(n ast.Node) {
		switch n := n.(type) {
		case *ast.MappingNode:
			for _, v := range n.Values {
				visit(v.Key)
				visit(v.Value)
			}
		case *ast.MappingKeyNode:
			visit(n.Value)
		case *ast.SequenceNode:
			for _, v := range n.Values {
				visit(v)
			}
		case *ast.TagNode:
			visit(n.Value)
		case *ast.AnchorNode:
			visit(n.Value)
			anchors[n.Name.GetToken().Value] = n.Value
		case *ast.AliasNode:
			name := n.Value.GetToken().Value
			target, ok := anchors[name]
			if !ok {
				d.fault(placeOf(n), "", "*%s: no anchor &%s before it", name, name)
			}
			targets[n] = target
		}
	}
	visit(body)
	return targets
}

// follow gives the node behind anchors and aliases; nil behind an unknown
// alias, which is reported already.
func (d *decoder) follow(n ast.Node) ast.Node {
	for {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			n = d.targets[v]
		case *ast.TagNode:
			if !saysNothing(v.Start.Value) {
				return n
			}
			n = v.Value
		default:
			return n
		}
	}
}

// saysNothing knows the tags of what values are anyway. Others stay: !!str
// makes text of a number, and what !custom means nobody knows.
func saysNothing(tag string) bool {
	switch tag {
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return true
	}
	return false
}

// describe says what a node is, for "expected a list, got …".
func (d *decoder) describe(n ast.Node) string {
	switch n := d.follow(n).(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.TagNode:
		if n.Start.Value != "!!str" {
			return "the tag " + n.Start.Value
		}
	}
	return "text"
}
