package post

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A kind tells the values of front matter apart, whatever its format.
type kind int

const (
	nullKind kind = iota
	textKind      // a string, quoted or not
	numberKind
	boolKind
	listKind
	tableKind
)

// A node is one value of the front matter.
type node struct {
	kind    kind
	line    int    // of the file
	text    string // of a scalar, as it is written: a date keeps its zone, 1.10 its zero
	native  any    // the Go value of a number or a switch; a text is its own
	items   []*node
	entries []entry
	weight  int  // how many values it holds, shared ones counted every time
	split   bool // a string that Jekyll would split at blanks
}

// An entry is one key of a table with its value.
type entry struct {
	key   string
	line  int
	value *node
}

// get gives the value under a key of a table in any letter case; the last
// one counts; nil if there is none or it is null.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	var found *node
	for _, e := range n.entries {
		if canonical(e.key) == key {
			found = e.value
		}
	}
	if found != nil && found.kind == nullKind {
		return nil
	}
	return found
}

// canonical is the form in which keys are compared: publishDate,
// publish_date and "publish-date" are one key.
func canonical(key string) string {
	if isCanonical(key) {
		return key
	}
	return strings.ToLower(strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == ' ' {
			return -1
		}
		return c
	}, key))
}

func isCanonical(key string) bool {
	for i := range len(key) {
		if c := key[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// scalar gives the text of a string, number or boolean, trimmed.
func (n *node) scalar() string {
	if n == nil || n.kind == nullKind || n.kind == listKind || n.kind == tableKind {
		return ""
	}
	return strings.TrimSpace(n.text)
}

// truth understands a switch; known is false if the value is none. YAML 1.1
// words count, since Jekyll reads them.
func (n *node) truth() (on, known bool) {
	switch strings.ToLower(n.scalar()) {
	case "true", "yes", "on", "y", "1":
		return true, true
	case "false", "no", "off", "n", "0":
		return false, true
	}
	return false, false
}

// value gives the plain Go value: string, number, bool, []any,
// map[string]any or nil.
func (n *node) value() any {
	switch n.kind {
	case listKind:
		values := make([]any, len(n.items))
		for i, item := range n.items {
			values[i] = item.value()
		}
		return values
	case tableKind:
		values := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			values[e.key] = e.value.value()
		}
		return values
	}
	if n.kind == textKind {
		return n.text
	}
	if f, ok := n.native.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return n.text // which JSON cannot hold
	}
	return n.native
}

// maxWeight bounds what aliases of YAML may multiply a value to.
const maxWeight = 100_000

// weigh sums up the weight of a list or table.
func (n *node) weigh() error {
	n.weight = 1
	for _, item := range n.items {
		n.weight += item.weight
	}
	for _, e := range n.entries {
		n.weight += e.value.weight
	}
	if n.weight > maxWeight {
		return fmt.Errorf("it holds more than %d values", maxWeight)
	}
	return nil
}

// fields are the keys of the front matter. Those that were asked for are no
// Params any more.
type fields struct {
	*reader
	entries []entry
	list    []field
	index   map[string]int // of list by key; nil while the list is short
}

// A field is an entry under its canonical key.
type field struct {
	key   string
	value *node
	asked bool
}

// shortList is how many fields are sooner found one after the other than by an
// index: most posts have five, and are asked for a hundred.
const shortList = 32

func (r *reader) newFields(entries []entry) *fields {
	f := &fields{reader: r, entries: entries, list: make([]field, len(entries))}
	for i, e := range entries {
		f.list[i] = field{key: canonical(e.key), value: e.value}
	}
	if len(f.list) > shortList {
		f.index = make(map[string]int, len(f.list))
		for i := range f.list {
			f.index[f.list[i].key] = i
		}
	}
	return f
}

// find gives the last field with a canonical key, which is the one that counts;
// nil if there is none.
func (f *fields) find(key string) *field {
	if f.index != nil {
		if i, ok := f.index[key]; ok {
			return &f.list[i]
		}
		return nil
	}
	for i := len(f.list) - 1; i >= 0; i-- {
		if f.list[i].key == key {
			return &f.list[i]
		}
	}
	return nil
}

// first gives the first of the keys, in canonical form, that has a value, a
// blank one only if no other has any; nil if none has.
func (f *fields) first(keys ...string) *node {
	var found *node
	for _, key := range keys {
		if n := f.get(key); n != nil && (found == nil || found.blank() && !n.blank()) {
			found = n
		}
	}
	return found
}

// blank reports whether a value is a text without a word, such as starter
// templates leave for their users to fill in.
func (n *node) blank() bool { return n.kind == textKind && strings.TrimSpace(n.text) == "" }

// get gives the value under a canonical key; nil if there is none or it is
// null.
func (f *fields) get(key string) *node {
	found := f.find(key)
	if found == nil {
		return nil
	}
	found.asked = true
	return found.value.orNil()
}

// peek looks at a key without taking it out of the Params.
func (f *fields) peek(key string) *node {
	if found := f.find(key); found != nil {
		return found.value.orNil()
	}
	return nil
}

// orNil gives nil for a value that is null.
func (n *node) orNil() *node {
	if n == nil || n.kind == nullKind {
		return nil
	}
	return n
}

// spelling gives a key as the file writes it.
func (f *fields) spelling(key string) string {
	for _, e := range slices.Backward(f.entries) {
		if canonical(e.key) == key {
			return e.key
		}
	}
	return key
}

// params gives what nobody asked for; nil if there is nothing.
func (f *fields) params() map[string]any {
	var params map[string]any
	for i, e := range f.entries {
		if f.find(f.list[i].key).asked {
			continue
		}
		if params == nil {
			params = make(map[string]any)
		}
		params[strings.ToLower(e.key)] = e.value.value()
	}
	return params
}

func (r *reader) warnDuplicates(n *node) {
	seen := make(map[string]int, len(n.entries))
	for _, e := range n.entries {
		key := strings.ToLower(e.key)
		if line, twice := seen[key]; twice && line != 0 && e.line != 0 {
			r.warn(e.line, "the key %q stands here a second time (first on line %d); this one counts", e.key, line)
		}
		seen[key] = e.line
	}
}
