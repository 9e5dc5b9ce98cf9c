package post

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseYAML reads a block of YAML. It walks the syntax tree rather than
// decode it, because a decoder loses how a date was written.
func (r *reader) parseYAML(b *block) (*node, error) {
	if root := parseSimpleYAML(b, r.room); root != nil {
		return root, nil
	}
	return r.parseAnyYAML(b)
}

// parseAnyYAML reads a block of any YAML.
func (r *reader) parseAnyYAML(b *block) (root *node, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			root, err = nil, r.fail(b.line, "the front matter cannot be read as YAML: %v", fault)
		}
	}()
	if line := nestsTooDeep(b.text); line > 0 {
		return nil, r.fail(b.line+line-1, "the front matter is nested more than %d levels deep", maxNesting)
	}
	source := b.text
	if strings.Contains(source, "\t") {
		source = innerTabs.ReplaceAllString(source, "$1 ")
	}
	doc, err := parser.ParseBytes([]byte(source), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, r.yamlError(err, b)
	}
	if len(doc.Docs) == 0 || doc.Docs[0].Body == nil {
		return &node{}, nil
	}
	y := &yamlReader{line: b.line - 1, anchors: map[string]*node{}}
	if root, err = y.node(doc.Docs[0].Body); err != nil {
		return nil, r.fail(b.line, "the front matter cannot be read as YAML: %v", err)
	}
	return root, nil
}

// innerTabs finds the tabs that do not indent: the parser drops them within
// plain text, where YAML counts them as blanks.
var innerTabs = regexp.MustCompile(`([^\t\n])\t+`)

// maxNesting is far beyond any front matter, and far below what exhausts a
// stack.
const maxNesting = 100

// nestsTooDeep gives the line on which brackets or dashes nest too deep; 0 if
// none do. Brackets within quotes count as well, which no front matter comes
// near to.
func nestsTooDeep(text string) int {
	depth := 0
	for i, line := range strings.Split(text, "\n") {
		if dashes := len(line) - len(strings.TrimLeft(line, "- ?:")); dashes > 2*maxNesting {
			return i + 1
		}
		for _, c := range []byte(line) {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > maxNesting {
				return i + 1
			}
		}
	}
	return 0
}

func (r *reader) yamlError(err error, b *block) error {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil || syntax.Token.Position == nil {
		return r.fail(b.line, "the front matter cannot be read as YAML: %v", err)
	}
	at := syntax.Token.Position.Line
	message := syntax.Message
	if lines := strings.Split(b.text, "\n"); at >= 1 && at <= len(lines) {
		if strings.HasPrefix(strings.TrimLeft(lines[at-1], " "), "\t") {
			message = "a TAB stands where only spaces may; indent with spaces"
		}
		message += yamlHint(lines[at-1])
	}
	return r.fail(b.line+at-1, "the front matter cannot be read as YAML: %s", message)
}

// yamlHint names what usually is wrong with a line.
func yamlHint(line string) string {
	_, value, isKey := strings.Cut(line, ": ")
	value = strings.TrimSpace(value)
	switch {
	case isKey && value != "" && strings.ContainsAny(value[:1], "@`%&*!|>"):
		return fmt.Sprintf("; put the value in quotes, since it starts with %q", value[:1])
	case isKey && strings.Contains(value, ": "):
		return "; put the value in quotes, since it holds a colon"
	}
	return ""
}

// A yamlReader turns syntax nodes into nodes.
type yamlReader struct {
	line    int // what to add to the parser's lines
	anchors map[string]*node
}

func (y *yamlReader) node(n ast.Node) (*node, error) {
	switch n := n.(type) {
	case nil:
		return &node{weight: 1}, nil
	case *ast.MappingNode:
		return y.table(n.Values)
	case *ast.MappingValueNode:
		return y.table([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return y.list(n)
	case *ast.TagNode:
		return y.node(n.Value)
	case *ast.AnchorNode:
		value, err := y.node(n.Value)
		if err == nil {
			y.anchors[n.Name.GetToken().Value] = value
		}
		return value, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if value, ok := y.anchors[name]; ok {
			return value, nil
		}
		return nil, fmt.Errorf("nothing is marked as %q", "&"+name)
	}
	return y.scalar(n), nil
}

func (y *yamlReader) at(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return y.line + t.Position.Line
	}
	return 0
}

func (y *yamlReader) scalar(n ast.Node) *node {
	s := &node{line: y.at(n), weight: 1}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		s.kind, s.text, s.split = textKind, n.Value, true
	case *ast.LiteralNode:
		s.kind, s.text = textKind, n.Value.Value
	case *ast.BoolNode:
		s.kind, s.text, s.native = boolKind, n.GetToken().Value, n.Value
	case *ast.IntegerNode:
		s.kind, s.text, s.native = numberKind, n.GetToken().Value, n.GetValue()
	case *ast.FloatNode:
		s.kind, s.text, s.native = numberKind, n.GetToken().Value, n.GetValue()
	default:
		s.kind, s.text = textKind, n.GetToken().Value
	}
	return s
}

func (y *yamlReader) list(n *ast.SequenceNode) (*node, error) {
	l := &node{kind: listKind, line: y.at(n)}
	for _, v := range n.Values {
		item, err := y.node(v)
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, item)
	}
	return l, l.weigh()
}

func (y *yamlReader) table(values []*ast.MappingValueNode) (*node, error) {
	t := &node{kind: tableKind}
	var merged []entry
	for _, v := range values {
		value, err := y.node(v.Value)
		if err != nil {
			return nil, err
		}
		if t.line == 0 {
			t.line = y.at(v)
		}
		if v.Key.IsMergeKey() {
			merged = append(merged, unplaced(value.entries)...)
			continue
		}
		t.entries = append(t.entries, entry{key: keyText(v.Key), line: y.at(v.Key), value: value})
	}
	t.entries = append(merged, t.entries...)
	return t, t.weigh()
}

// unplaced copies merged entries without their lines: to override them is no
// mistake.
func unplaced(entries []entry) []entry {
	copied := make([]entry, len(entries))
	for i, e := range entries {
		copied[i] = entry{key: e.key, value: e.value}
	}
	return copied
}

func keyText(key ast.MapKeyNode) string {
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value
	case *ast.MappingKeyNode:
		if k.Value != nil {
			return k.Value.GetToken().Value
		}
	}
	return key.GetToken().Value
}
