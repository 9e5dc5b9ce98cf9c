package catalog

import (
	"cmp"
	"maps"
	"slices"

	"tidings/internal/term"
)

// A taxonomy groups entries by the terms of one kind. Terms that a change
// does not touch stay the same pointers.
type taxonomy struct {
	kind    Kind
	names   func(*Entry) []string
	tallies map[string]*tally // by key
	keys    map[string]string // of the spellings met so far
	list    []*Term           // by slug
	slugs
}

// A tally is what a term is made of.
type tally struct {
	term      *Term
	spellings map[string]int // how many entries write it so
}

func newTaxonomy(kind Kind, n naming, names func(*Entry) []string) *taxonomy {
	return &taxonomy{
		kind: kind, names: names, tallies: map[string]*tally{}, keys: map[string]string{}, slugs: newSlugs(n.rulesOf(kind)),
	}
}

// update takes entries out and in; both are in order.
func (x *taxonomy) update(out, in []*Entry) {
	leaving, coming := x.group(out, -1), x.group(in, +1)
	touched := maps.Clone(leaving)
	maps.Copy(touched, coming)
	if len(touched) == 0 {
		return
	}
	shifted := false
	for key := range touched {
		shifted = x.rebuild(key, leaving[key], coming[key]) || shifted
	}
	if shifted {
		x.assign(slices.Sorted(maps.Keys(x.tallies)))
	}
	x.arrange(touched)
}

// group sorts entries by key and counts their spellings.
func (x *taxonomy) group(entries []*Entry, count int) map[string][]*Entry {
	groups := map[string][]*Entry{}
	for _, e := range entries {
		for _, name := range x.names(e) {
			key := x.key(name)
			if list := groups[key]; len(list) > 0 && list[len(list)-1] == e {
				continue // two spellings of one term in one post
			}
			groups[key] = append(groups[key], e)
			t := x.tallies[key]
			if t == nil {
				t = &tally{spellings: map[string]int{}}
				x.tallies[key] = t
			}
			t.spellings[name] += count
		}
	}
	return groups
}

// key is term.Key, which takes its time, remembered.
func (x *taxonomy) key(name string) string {
	key, known := x.keys[name]
	if !known {
		key = term.Key(name)
		x.keys[name] = key
	}
	return key
}

// rebuild makes one term anew; it reports whether a term came or went.
func (x *taxonomy) rebuild(key string, out, in []*Entry) (shifted bool) {
	t := x.tallies[key]
	var entries []*Entry
	if t.term != nil {
		entries = t.term.Entries
	}
	entries = splice(entries, out, in)
	if len(entries) == 0 {
		delete(x.tallies, key)
		return t.term != nil
	}
	shifted = t.term == nil
	t.term = &Term{Kind: x.kind, Key: key, Name: t.name(), Slug: x.present[key], Entries: entries}
	t.term.Spellings = slices.Sorted(maps.Keys(t.spellings)) // name dropped those of nobody
	if rule, ok := x.rules[key]; ok {
		t.term.Name, t.term.Was = rule.Name, rule.Was
	}
	return shifted
}

// name is the most used spelling; of equals, the first in byte order.
func (t *tally) name() string {
	best := ""
	for name, n := range t.spellings {
		if n <= 0 {
			delete(t.spellings, name)
			continue
		}
		if most := t.spellings[best]; n > most || n == most && name < best {
			best = name
		}
	}
	return best
}

// arrange brings the list of terms up to date. A term whose slug changed
// becomes a new one, so that nobody's snapshot changes.
func (x *taxonomy) arrange(touched map[string][]*Entry) {
	list := make([]*Term, 0, len(x.tallies))
	for _, old := range x.list {
		if _, ok := touched[old.Key]; !ok {
			list = append(list, x.current(old.Key))
		}
	}
	for key := range touched {
		if x.tallies[key] != nil {
			list = append(list, x.current(key))
		}
	}
	slices.SortFunc(list, func(a, b *Term) int { return cmp.Or(cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Key, b.Key)) })
	x.list = list
}

func (x *taxonomy) current(key string) *Term {
	t := x.tallies[key]
	if slug := x.present[key]; t.term.Slug != slug {
		moved := *t.term
		moved.Slug = slug
		t.term = &moved
	}
	return t.term
}
