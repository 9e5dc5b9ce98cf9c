package catalog

import (
	"cmp"
	"slices"
	"strings"

	"tidings/internal/post"
	"tidings/internal/term"
)

// A TermKey is a term as posts are chosen by it.
type TermKey struct {
	Kind Kind
	Key  string
}

// An Expression chooses posts by their terms. It is the one rule by which
// feeds, newsletters and readers choose, so that what comes by mail is what a
// feed shows. The zero value chooses every post.
type Expression struct {
	Every [][]TermKey // of each of these lists a post has at least one
	Not   []TermKey   // and none of these
}

// Match reports whether a post is chosen that has the terms that has says.
func (x Expression) Match(has func(TermKey) bool) bool {
	for _, list := range x.Every {
		if !slices.ContainsFunc(list, has) {
			return false
		}
	}
	return !slices.ContainsFunc(x.Not, has)
}

// And chooses what both choose.
func (x Expression) And(y Expression) Expression {
	return Expression{Every: slices.Concat(x.Every, y.Every), Not: slices.Concat(x.Not, y.Not)}
}

// String is a canonical form: expressions with the same terms in the same
// places are equal strings, in whatever order they were given.
func (x Expression) String() string {
	clauses := make([]string, 0, len(x.Every)+1)
	for _, list := range x.Every {
		clauses = append(clauses, spell("", list))
	}
	slices.Sort(clauses)
	if len(x.Not) > 0 {
		clauses = append(clauses, spell("-", x.Not))
	}
	return strings.Join(slices.Compact(clauses), " & ")
}

func spell(sign string, list []TermKey) string {
	sorted := slices.Compact(slices.SortedFunc(slices.Values(list), func(a, b TermKey) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	}))
	words := make([]string, len(sorted))
	for i, t := range sorted {
		words[i] = sign + string(t.Kind) + ":" + t.Key
	}
	return strings.Join(words, " | ")
}

// Carries tells the terms of a post that newsletters and readers choose by:
// its categories and tags.
func Carries(p *post.Post) func(TermKey) bool {
	own := make([]TermKey, 0, len(p.Categories)+len(p.Tags))
	for _, name := range p.Categories {
		own = append(own, TermKey{Category, term.Key(name)})
	}
	for _, name := range p.Tags {
		own = append(own, TermKey{Tag, term.Key(name)})
	}
	return func(t TermKey) bool { return slices.Contains(own, t) }
}

// Select gives the posts that any of some expressions chooses, newest first.
func (s *Snapshot) Select(any ...Expression) []*Entry {
	if len(any) == 1 {
		return s.choose(any[0])
	}
	var union []*Entry
	for _, x := range any {
		union = append(union, s.choose(x)...)
	}
	slices.SortFunc(union, newestFirst)
	return slices.Compact(union)
}

// choose gives the posts of one expression. The terms know their posts, so
// that no post need be asked for its terms.
func (s *Snapshot) choose(x Expression) []*Entry {
	if len(x.Every) == 1 && len(x.Not) == 0 {
		return s.union(x.Every[0])
	}
	posts := map[TermKey]map[*Entry]bool{}
	for _, list := range append(slices.Clone(x.Every), x.Not) {
		for _, t := range list {
			if posts[t] == nil {
				posts[t] = setOf(s.entriesOf(t))
			}
		}
	}
	var chosen []*Entry
	for _, e := range s.candidates(x) {
		if x.Match(func(t TermKey) bool { return posts[t][e] }) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

func setOf(entries []*Entry) map[*Entry]bool {
	set := make(map[*Entry]bool, len(entries))
	for _, e := range entries {
		set[e] = true
	}
	return set
}

// candidates holds every post that can be chosen, newest first: those of the
// list with the fewest.
func (s *Snapshot) candidates(x Expression) []*Entry {
	var fewest []TermKey
	least := len(s.Entries)
	for _, list := range x.Every {
		n := 0
		for _, t := range list {
			n += len(s.entriesOf(t))
		}
		if n < least {
			fewest, least = list, n
		}
	}
	if fewest == nil {
		return s.Entries
	}
	return s.union(fewest)
}

// union gives the posts with any of some terms, newest first.
func (s *Snapshot) union(terms []TermKey) []*Entry {
	if len(terms) == 1 {
		return s.entriesOf(terms[0])
	}
	var union []*Entry
	for _, t := range terms {
		union = append(union, s.entriesOf(t)...)
	}
	slices.SortFunc(union, newestFirst)
	return slices.Compact(union)
}

func (s *Snapshot) entriesOf(t TermKey) []*Entry {
	for _, own := range s.Terms(t.Kind) {
		if own.Key == t.Key {
			return own.Entries
		}
	}
	return nil
}

// Renames leads from the terms that configured former names stand for to those
// of the present ones: who chose a topic keeps it when it is renamed.
type Renames map[TermKey]string

// Renames gives those of the snapshot; nil if there are none.
func (s *Snapshot) Renames() Renames {
	var r Renames
	for _, t := range slices.Concat(s.Categories, s.Tags) {
		for _, was := range t.Was {
			if r == nil {
				r = Renames{}
			}
			r[TermKey{t.Kind, term.Key(was)}] = t.Key
		}
	}
	return r
}

// Key gives the present key of a term.
func (r Renames) Key(kind Kind, key string) string {
	if now := r[TermKey{kind, key}]; now != "" {
		return now
	}
	return key
}

// Terms gives the terms of one taxonomy, by slug.
func (s *Snapshot) Terms(kind Kind) []*Term {
	switch kind {
	case Category:
		return s.Categories
	case Tag:
		return s.Tags
	case Author:
		return s.Authors
	case Section:
		return s.Sections
	}
	return nil
}

// TermAt gives the term with a slug, in any case of letters, also with one that
// it had before; nil if there is none.
func (s *Snapshot) TermAt(kind Kind, slug string) *Term {
	if now := s.Former[kind][slug]; now != "" {
		slug = now
	}
	for _, t := range s.Terms(kind) {
		if strings.EqualFold(t.Slug, slug) {
			return t
		}
	}
	return nil
}
