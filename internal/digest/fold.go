package digest

import (
	"text/template/parse"
)

// fold puts what css gives into a parsed template as text: it depends on
// nothing that is known only later, and a mail asks for it in every line.
// Calls that fail stay, to fail when the template is tried.
func (s stylesheet) fold(list *parse.ListNode) {
	if list == nil {
		return
	}
	for i, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if text, ok := s.constant(n.Pipe); ok {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: []byte(text)}
			}
		case *parse.IfNode:
			s.fold(n.List)
			s.fold(n.ElseList)
		case *parse.WithNode:
			s.fold(n.List)
			s.fold(n.ElseList)
		case *parse.RangeNode:
			s.fold(n.List)
			s.fold(n.ElseList)
		}
	}
}

// constant gives what a pipeline that only calls css with a name writes.
func (s stylesheet) constant(p *parse.PipeNode) (string, bool) {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 2 {
		return "", false
	}
	function, ok := p.Cmds[0].Args[0].(*parse.IdentifierNode)
	if !ok || function.Ident != "css" {
		return "", false
	}
	name, ok := p.Cmds[0].Args[1].(*parse.StringNode)
	if !ok {
		return "", false
	}
	text, err := s.attributes(name.Text)
	return string(text), err == nil
}
