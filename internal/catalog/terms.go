package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/post"
	"tidings/internal/term"
)

// A taxonomy groups entries by the terms of one kind. Terms that a change
// does not touch stay the same pointers.
type taxonomy struct {
	kind    Kind
	names   func(*Entry) []string
	tallies map[string]*tally // by key
	slugs   map[string]string // by key
	keys    map[string]string // of the spellings met so far
	list    []*Term           // by slug
	rivals  []rivalry         // by key
}

// A rivalry is two terms that want the same slug.
type rivalry struct{ loser, winner string }

// A tally is what a term is made of.
type tally struct {
	term      *Term
	spellings map[string]int // how many entries write it so
}

func newTaxonomy(kind Kind, names func(*Entry) []string) *taxonomy {
	return &taxonomy{kind: kind, names: names, tallies: map[string]*tally{}, keys: map[string]string{}}
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
		x.assignSlugs()
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
	t.term = &Term{Kind: x.kind, Key: key, Name: t.name(), Slug: x.slugs[key], Entries: entries}
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

// assignSlugs gives every term a slug of its own. They depend on the set of
// keys alone: neither on spellings nor on which post was read first.
func (x *taxonomy) assignSlugs() {
	rivals := map[string][]string{}
	for key := range x.tallies {
		fold := foldSlug(term.Slug(key))
		rivals[fold] = append(rivals[fold], key)
	}
	slugs := make(map[string]string, len(x.tallies))
	taken := make(map[string]bool, len(x.tallies))
	var losers []string
	for fold, keys := range rivals {
		slices.SortFunc(keys, func(a, b string) int {
			return cmp.Or(-compareBool(foldSlug(a) == fold, foldSlug(b) == fold), cmp.Compare(a, b))
		})
		slugs[keys[0]], taken[fold] = term.Slug(keys[0]), true
		losers = append(losers, keys[1:]...)
	}
	slices.Sort(losers)
	x.rivals = nil
	for _, key := range losers {
		slug := term.Slug(key)
		for taken[foldSlug(slug)] {
			slug += "-" + term.Suffix(key)
		}
		slugs[key], taken[foldSlug(slug)] = slug, true
		x.rivals = append(x.rivals, rivalry{key, rivals[foldSlug(term.Slug(key))][0]})
	}
	x.slugs = slugs
}

// problems warns of slugs that had to be told apart.
func (x *taxonomy) problems() []post.Problem {
	var ps []post.Problem
	for _, r := range x.rivals {
		t := x.tallies[r.loser].term
		ps = append(ps, post.Problem{File: t.Entries[0].File, Warning: true, Message: fmt.Sprintf(
			"the %s %q would have the same address as %q, so it has %q; a clearer name would give it a better one",
			x.kind, t.Name, x.tallies[r.winner].term.Name, t.Slug)})
	}
	return ps
}

// foldSlug is the form in which file systems that ignore case and
// composition compare names.
func foldSlug(slug string) string { return strings.ToLower(norm.NFC.String(slug)) }

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
	if slug := x.slugs[key]; t.term.Slug != slug {
		moved := *t.term
		moved.Slug = slug
		t.term = &moved
	}
	return t.term
}
