package tmpl

import (
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// builtins are the functions that every template has, with the type of what
// they give; nil: it depends.
func builtins() map[string]reflect.Type {
	text, truth := reflect.TypeFor[string](), reflect.TypeFor[bool]()
	return map[string]reflect.Type{
		"and": nil, "or": nil, "call": nil, "index": nil, "slice": nil, "len": reflect.TypeFor[int](),
		"not": truth, "eq": truth, "ne": truth, "lt": truth, "le": truth, "gt": truth, "ge": truth,
		"print": text, "printf": text, "println": text, "html": text, "js": text, "urlquery": text,
	}
}

// fields follows names from a type, and gives the type of the last one.
func (c *checker) fields(n parse.Node, t reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		if t == nil {
			return nil
		}
		next, ok := field(t, name)
		if !ok {
			c.fault(n, "there is no .%s here%s", name, offer(t))
			return nil
		}
		t = next
	}
	return t
}

// field gives the type of a field or of what a method gives; ok is false if
// there is neither.
func field(t reflect.Type, name string) (next reflect.Type, ok bool) {
	if t.Kind() == reflect.Interface {
		return nil, true
	}
	if t.Kind() != reflect.Pointer {
		t = reflect.PointerTo(t) // with the methods of both
	}
	if m, ok := t.MethodByName(name); ok && m.Type.NumOut() > 0 {
		return m.Type.Out(0), true
	}
	t = t.Elem()
	switch t.Kind() {
	case reflect.Struct:
		f, ok := t.FieldByName(name)
		return f.Type, ok && f.IsExported()
	case reflect.Map:
		return t.Elem(), true
	}
	return nil, false
}

// offer names the fields there are.
func offer(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return ": . is " + kind(t)
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			names = append(names, "."+f.Name)
		}
	}
	slices.Sort(names)
	return "; there are " + strings.Join(names, " ")
}

// kind names a type for people.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Func, reflect.Interface, reflect.Pointer:
		return t.String()
	}
	return "a number"
}

// element is the type of what a loop goes through.
func element(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return t.Elem()
	case reflect.Int:
		return t
	}
	return nil
}

// call looks at the call of a function, and gives the type of what it gives.
func (c *checker) call(f *parse.IdentifierNode, given []parse.Node, args []reflect.Type) reflect.Type {
	function := reflect.ValueOf(c.funcs[f.Ident])
	if !function.IsValid() {
		result, ok := builtins()[f.Ident]
		if !ok {
			c.fault(f, "there is no function %q; docs/templates.md lists them", f.Ident)
		}
		if f.Ident == "index" && len(args) == 2 {
			return element(args[0])
		}
		return result
	}
	t := function.Type()
	if !c.takes(f, t, args) {
		return t.Out(0)
	}
	if len(given) == 1 && len(args) == 1 && t.NumOut() == 2 && !t.IsVariadic() {
		c.tryCall(f, function, given[0])
	}
	return t.Out(0)
}

// takes compares arguments with what a function takes.
func (c *checker) takes(f *parse.IdentifierNode, t reflect.Type, args []reflect.Type) bool {
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !t.IsVariadic() {
		c.fault(f, "%s takes %d arguments, not %d", f.Ident, fixed, len(args))
		return false
	}
	for i, a := range args {
		want := t.In(min(i, t.NumIn()-1))
		if i >= fixed {
			want = want.Elem()
		}
		if a != nil && a.Kind() != reflect.Interface && !a.AssignableTo(want) && !reflect.PointerTo(a).AssignableTo(want) {
			c.fault(f, "argument %d of %s must be %s, not %s", i+1, f.Ident, kind(want), kind(a))
			return false
		}
	}
	return true
}

// tryCall calls a function of one text that is known already.
func (c *checker) tryCall(f *parse.IdentifierNode, function reflect.Value, arg parse.Node) {
	text, ok := arg.(*parse.StringNode)
	if !ok || function.Type().In(0).Kind() != reflect.String {
		return
	}
	if err, failed := function.Call([]reflect.Value{reflect.ValueOf(text.Text)})[1].Interface().(error); failed {
		c.fault(f, "%v", err)
	}
}
