package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// maxValues bounds how many keys and list elements are read, against a file
// that multiplies them with aliases of aliases. None that is written out
// comes near.
const maxValues = 2 * maxSource

// decoder fills a Config from a parsed document and collects faults.
type decoder struct {
	origin
	env     Env
	targets map[*ast.AliasNode]ast.Node
	read    int // keys and list elements so far
	faults  Faults
}

func (d *decoder) fault(at position, key, format string, args ...any) {
	d.faults = append(d.faults, Fault{File: d.file, Line: at.line, Column: at.column, Key: key, Message: fmt.Sprintf(format, args...)})
}

// entry is one key of a mapping with its value.
type entry struct {
	name  string
	at    position
	value ast.Node
}

// section decodes a mapping into a struct. A key without a value is as good
// as left out.
func (d *decoder) section(n ast.Node, path string, into reflect.Value) {
	fields := fieldsOf(into.Type())
	for _, e := range d.entries(n, path) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.name })
		if i < 0 {
			d.fault(e.at, join(path, printable(e.name)), "%s", unknownKey(e.name, path, fields))
			continue
		}
		if f := fields[i]; !d.isNull(e.value) {
			d.value(e, f, join(path, f.key), into.Field(f.at))
		}
	}
}

func (d *decoder) value(e entry, f field, key string, into reflect.Value) {
	c, many := f.ofCollection()
	switch {
	case many:
		d.at[key] = e.at
		d.collection(e.value, c, key, into)
	case f.kind.Kind() == reflect.Struct:
		d.at[key] = e.at
		d.section(e.value, key, into)
	case f.kind == stringsType:
		d.list(e.value, f.rule, key, into)
	default:
		d.at[key] = placeOf(e.value)
		d.scalar(e.value, f.rule, key, into)
	}
}

// collection keeps the order of the file.
func (d *decoder) collection(n ast.Node, c collection, path string, into reflect.Value) {
	for _, e := range d.entries(n, path) {
		key := join(path, printable(e.name))
		if problem := c.check(e.name); problem != "" {
			d.fault(e.at, key, "%s", problem)
		}
		d.at[key] = e.at
		one := reflect.New(into.Type().Elem()).Elem()
		one.Set(reflect.ValueOf(c.defaults(e.name)))
		if !d.isNull(e.value) {
			d.section(e.value, key, one)
		}
		into.Set(reflect.Append(into, one))
	}
}

// list decodes a list of texts.
func (d *decoder) list(n ast.Node, r rule, key string, into reflect.Value) {
	d.at[key] = placeOf(n)
	seq, ok := d.follow(n).(*ast.SequenceNode)
	if !ok {
		d.fault(placeOf(n), key, "expected a list, such as [one, two], got %s", d.describe(n))
		return
	}
	if len(seq.Values) == 0 && r.required {
		d.fault(placeOf(n), key, "must not be empty")
	}
	if !d.spend(len(seq.Values), placeOf(n), key) {
		return
	}
	element := r
	element.required = true
	all := make([]string, 0, len(seq.Values))
	for i, v := range seq.Values {
		elementKey := fmt.Sprintf("%s[%d]", key, i)
		var s string
		if d.scalar(v, element, elementKey, reflect.ValueOf(&s).Elem()); r.unique && s != "" && slices.Contains(all, s) {
			d.fault(placeOf(v), elementKey, "%q is in the list twice", s)
		}
		all = append(all, s)
	}
	into.Set(reflect.ValueOf(all))
}

func (d *decoder) isNull(n ast.Node) bool {
	switch d.follow(n).(type) {
	case nil, *ast.NullNode:
		return true
	}
	return false
}

// entries gives the keys of a mapping in order, merged ones last. A key of
// the mapping itself wins over a merged one, an earlier merge over a later.
func (d *decoder) entries(n ast.Node, path string) []entry {
	m, ok := d.follow(n).(*ast.MappingNode)
	if !ok {
		d.fault(placeOf(n), path, "expected a mapping, got %s", d.describe(n))
		return nil
	}
	if !d.spend(len(m.Values), placeOf(n), path) {
		return nil
	}
	var own []entry
	var merges []ast.Node
	first := map[string]int{}
	for _, v := range m.Values {
		if v.Key.IsMergeKey() {
			merges = append(merges, v.Value)
			continue
		}
		if d.follow(v.Key) == nil {
			continue
		}
		e := entry{name: d.keyName(v.Key), at: placeOf(v.Key), value: v.Value}
		if line, twice := first[e.name]; twice {
			d.fault(e.at, join(path, printable(e.name)), "duplicate key, already on line %d", line)
		} else {
			first[e.name] = e.at.line
		}
		own = append(own, e) // also a second time, for the faults in it
	}
	for _, from := range merges {
		own = d.merge(own, from, path)
	}
	return own
}

// merge adds what from, a mapping or a list of mappings, has and into lacks.
func (d *decoder) merge(into []entry, from ast.Node, path string) []entry {
	if seq, ok := d.follow(from).(*ast.SequenceNode); ok {
		if !d.spend(len(seq.Values), placeOf(from), path) {
			return into
		}
		for _, v := range seq.Values {
			into = d.merge(into, v, path)
		}
		return into
	}
	if d.follow(from) == nil {
		return into
	}
	for _, e := range d.entries(from, path) {
		if !slices.ContainsFunc(into, func(have entry) bool { return have.name == e.name }) {
			into = append(into, e)
		}
	}
	return into
}

// spend says whether n more values may be read.
func (d *decoder) spend(n int, at position, path string) bool {
	before := d.read
	d.read += n
	if d.read > maxValues && before <= maxValues {
		d.fault(at, path, "the aliases of the file amount to too many values")
	}
	return d.read <= maxValues
}

// keyName gives a key as text: 2024 may name a newsletter.
func (d *decoder) keyName(n ast.Node) string {
	if k, ok := n.(*ast.MappingKeyNode); ok {
		n = k.Value
	}
	n = d.follow(n)
	switch v := n.(type) {
	case nil:
		return ""
	case *ast.StringNode:
		return restoreBraces(v.Value)
	}
	return n.GetToken().Value
}

// printable quotes a key that would spoil a line.
func printable(key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r == '.' || !unicode.IsGraphic(r) }) {
		return strconv.Quote(key)
	}
	return key
}
