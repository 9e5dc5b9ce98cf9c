package locale

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"text/template/parse"
	"time"
)

// Funcs are the functions of templates in this language:
//
//	t ID NAME VALUE…      a message as text
//	tn ID N NAME VALUE…   a message in the plural form for N, which is {count}
//	th ID NAME VALUE…     a message as HTML, with links
//	date TIME             a day, briefly
//	longDate TIME         a day, in full
//	lang, dir             the language and its direction, for words among others
func (l *Language) Funcs() map[string]any {
	return map[string]any{
		"t": l.Text,
		"tn": func(id string, n int, args ...any) (string, error) {
			return l.Text(id, append([]any{"count", n}, args...)...)
		},
		"th":       func(id string, args ...any) (template.HTML, error) { return l.HTML(id, args...) },
		"date":     func(t time.Time) string { return l.Date(t) },
		"lang":     l.Tag.String,
		"dir":      l.Dir,
		"longDate": func(t time.Time) string { return l.LongDate(t) },
	}
}

// Check finds calls of t, tn and th in a parsed template that name a message
// that is not there, or that do not give it what it is filled with.
func (c *Catalogue) Check(tree *parse.Tree) []error {
	if tree == nil || tree.Root == nil {
		return nil
	}
	var faults []error
	walk(reflect.ValueOf(tree.Root), func(call *parse.CommandNode) {
		if err := c.checkCall(call); err != nil {
			where, _ := tree.ErrorContext(call)
			faults = append(faults, fmt.Errorf("template: %s: %w", where, err))
		}
	})
	return faults
}

// walk visits every command below a node. The nodes of package parse have no
// common way to their children, so it goes by their fields.
func walk(v reflect.Value, visit func(*parse.CommandNode)) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return
		}
		if call, ok := v.Interface().(*parse.CommandNode); ok {
			visit(call)
		}
		walk(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[*parse.Tree]() {
				walk(v.Field(i), visit)
			}
		}
	}
}

func (c *Catalogue) checkCall(call *parse.CommandNode) error {
	id, args, ok := asked(call)
	if !ok {
		return nil
	}
	want, ok := c.Placeholders(id, call.Args[0].String() == "th")
	if !ok {
		return fmt.Errorf("there is no message %q", id)
	}
	given := []string{}
	if name := call.Args[0].String(); name == "tn" {
		given, args = append(given, "count"), args[min(1, len(args)):]
	}
	for i := 0; i < len(args); i += 2 {
		if name, ok := args[i].(*parse.StringNode); ok {
			given = append(given, name.Text)
		}
	}
	for _, name := range want {
		if !slices.Contains(given, name) {
			return fmt.Errorf("message %q needs %q", id, name)
		}
	}
	for _, name := range given {
		if !slices.Contains(want, name) && name != "count" {
			return fmt.Errorf("message %q has no {%s}", id, name)
		}
	}
	return nil
}

// asked gives the message that a command asks for by name, and with what.
func asked(call *parse.CommandNode) (id string, args []parse.Node, ok bool) {
	if len(call.Args) < 2 {
		return "", nil, false
	}
	name, ok := call.Args[0].(*parse.IdentifierNode)
	if !ok || name.Ident != "t" && name.Ident != "tn" && name.Ident != "th" {
		return "", nil, false
	}
	text, ok := call.Args[1].(*parse.StringNode)
	if !ok {
		return "", nil, false
	}
	return text.Text, call.Args[2:], true
}
