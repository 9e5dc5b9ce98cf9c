package tmpl

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// Check gives the faults of a template and of all that it calls: fields that
// what it is filled with does not have, functions that are not among funcs, or
// are called with something else than they take, templates that no file
// defines. It follows every branch. entry names the template, data is the type
// of what fills it.
func Check(files []File, funcs map[string]any, entry string, data reflect.Type) []error {
	c := &checker{funcs: funcs, sources: map[string]string{}, trees: map[string]*parse.Tree{}, done: map[visit]bool{}}
	for _, f := range files {
		c.sources[f.Name] = f.Source
		for _, t := range f.Trees {
			if known := c.trees[t.Name]; known == nil || !parse.IsEmptyTree(t.Root) {
				c.trees[t.Name] = t
			}
		}
	}
	c.template(entry, data)
	return c.faults
}

type checker struct {
	funcs   map[string]any
	sources map[string]string // by file
	trees   map[string]*parse.Tree
	done    map[visit]bool
	file    string // of the template that is being looked at
	faults  []error
}

// visit is a template with what it is filled with.
type visit struct {
	name string
	data reflect.Type
}

// scope is what names mean at a place. A nil type is one that cannot be known.
type scope struct {
	dot  reflect.Type
	vars map[string]reflect.Type
}

func (s scope) inner(dot reflect.Type) scope { return scope{dot, maps.Clone(s.vars)} }

func (c *checker) template(name string, data reflect.Type) {
	v := visit{name, data}
	t := c.trees[name]
	if c.done[v] || t == nil {
		return
	}
	c.done[v] = true
	outer := c.file
	c.file = t.ParseName
	c.list(t.Root, scope{data, map[string]reflect.Type{"$": data}})
	c.file = outer
}

func (c *checker) fault(n parse.Node, format string, args ...any) {
	f := Fault{File: c.file, Message: fmt.Sprintf(format, args...)}
	f.Line, f.Column = place(c.sources[c.file], int(n.Position()))
	c.faults = append(c.faults, f)
}

func (c *checker) list(l *parse.ListNode, s scope) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n, s)
	}
}

func (c *checker) node(n parse.Node, s scope) {
	switch n := n.(type) {
	case *parse.ActionNode:
		c.pipe(n.Pipe, s)
	case *parse.IfNode:
		in := s.inner(s.dot)
		c.pipe(n.Pipe, in)
		c.list(n.List, in)
		c.list(n.ElseList, s.inner(s.dot))
	case *parse.WithNode:
		in := s.inner(nil)
		in.dot = c.pipe(n.Pipe, scope{s.dot, in.vars})
		c.list(n.List, in)
		c.list(n.ElseList, s.inner(s.dot))
	case *parse.RangeNode:
		c.rangeOver(n, s)
	case *parse.TemplateNode:
		if c.trees[n.Name] == nil {
			c.fault(n, "there is no template %q; there are %s", n.Name, strings.Join(slices.Sorted(maps.Keys(c.trees)), ", "))
		}
		var data reflect.Type
		if n.Pipe != nil {
			data = c.pipe(n.Pipe, s)
		}
		c.template(n.Name, data)
	}
}

// rangeOver looks at a loop. Its variables are an index and an element, or an
// element alone.
func (c *checker) rangeOver(n *parse.RangeNode, s scope) {
	in := s.inner(nil)
	declared := n.Pipe.Decl
	bare := *n.Pipe
	bare.Decl = nil
	in.dot = element(c.pipe(&bare, s))
	for i, v := range declared {
		in.vars[v.Ident[0]] = nil
		if i == len(declared)-1 {
			in.vars[v.Ident[0]] = in.dot
		}
	}
	c.list(n.List, in)
	c.list(n.ElseList, s.inner(s.dot))
}

// pipe gives the type of what a pipeline gives.
func (c *checker) pipe(p *parse.PipeNode, s scope) reflect.Type {
	var t reflect.Type
	for i, cmd := range p.Cmds {
		t = c.command(cmd, s, i > 0, t)
	}
	for _, v := range p.Decl {
		if _, known := s.vars[v.Ident[0]]; !p.IsAssign || !known {
			s.vars[v.Ident[0]] = t
		}
	}
	return t
}

// command gives the type of one step of a pipeline; piped is whether it gets
// what the step before gave, of type last.
func (c *checker) command(cmd *parse.CommandNode, s scope, piped bool, last reflect.Type) reflect.Type {
	args := make([]reflect.Type, 0, len(cmd.Args))
	for _, a := range cmd.Args[1:] {
		args = append(args, c.argument(a, s))
	}
	if piped {
		args = append(args, last)
	}
	if f, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		return c.call(f, cmd.Args[1:], args)
	}
	return c.argument(cmd.Args[0], s)
}

// argument gives the type of an operand.
func (c *checker) argument(n parse.Node, s scope) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return s.dot
	case *parse.FieldNode:
		return c.fields(n, s.dot, n.Ident)
	case *parse.ChainNode:
		return c.fields(n, c.argument(n.Node, s), n.Field)
	case *parse.VariableNode:
		return c.fields(n, s.vars[n.Ident[0]], n.Ident[1:])
	case *parse.IdentifierNode:
		return c.call(n, nil, nil)
	case *parse.PipeNode:
		return c.pipe(n, s)
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	}
	return nil
}
