package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/post"
	"tidings/internal/store"
	"tidings/internal/term"
)

// slugs gives the terms of one taxonomy their addresses, and knows who had
// them before.
type slugs struct {
	rules   map[string]TermRule // by key
	present map[string]string   // key → slug
	last    map[string]string   // key → the slug it had last, also while it has no posts
	owners  map[string]owner    // by folded slug: whose it is or was last
	former  map[string]string   // slug that leads elsewhere → present slug
	retired map[string]string   // slug of a term without posts → its key
	rivals  []rivalry           // by key
	unsaved map[string]bool     // keys whose last slug the database does not know
	moves   int                 // how often a key came to another slug than it had
}

type owner struct{ slug, key string }

// A rivalry is two terms that want the same slug.
type rivalry struct{ loser, winner string }

// newSlugs makes the former names of the rules lead to the terms, and the
// slugs that these would have without a rule.
func newSlugs(rules map[string]TermRule) slugs {
	s := slugs{rules: rules, last: map[string]string{}, owners: map[string]owner{}, unsaved: map[string]bool{}}
	for key, rule := range rules {
		for _, name := range append([]string{rule.Name}, rule.Was...) {
			slug := term.Slug(name)
			s.owners[foldSlug(slug)] = owner{slug, key}
		}
	}
	return s
}

// restore takes in what the database knows.
func (s *slugs) restore(rows []store.TermSlug) {
	for _, row := range rows {
		if _, ruled := s.owners[foldSlug(row.Slug)]; !ruled {
			s.owners[foldSlug(row.Slug)] = owner{row.Slug, row.Key}
		}
		if row.Present {
			s.last[row.Key] = row.Slug
		}
	}
	s.assign(nil) // until there are posts
}

// assign gives every key a slug of its own: the one of its rule; else the one
// it had last, if that is still its own kind; else by the set of keys alone,
// neither by spellings nor by which post was read first, so that databases
// without a history agree.
func (s *slugs) assign(keys []string) {
	s.present = make(map[string]string, len(keys))
	taken := make(map[string]string, len(keys)) // folded slug → key
	claim := func(key, slug string) {
		if taken[foldSlug(slug)] == "" && s.present[key] == "" && slug != "" {
			s.present[key], taken[foldSlug(slug)] = slug, key
		}
	}
	for _, key := range keys {
		claim(key, s.rules[key].Slug)
	}
	for _, key := range keys {
		if last := s.last[key]; derived(key, last) {
			claim(key, last)
		}
	}
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b string) int { // who is called like the slug is first
		return -compareBool(foldSlug(a) == foldSlug(term.Slug(a)), foldSlug(b) == foldSlug(term.Slug(b)))
	})
	for _, key := range keys {
		for slug := term.Slug(key); s.present[key] == ""; slug += "-" + term.Suffix(key) {
			claim(key, slug)
		}
	}
	s.settle(keys, taken)
}

// derived reports whether a slug is one that assign finds for the key.
func derived(key, slug string) bool {
	rest, ok := strings.CutPrefix(slug, term.Slug(key))
	return ok && strings.ReplaceAll(rest, "-"+term.Suffix(key), "") == ""
}

// settle draws the conclusions of an assignment.
func (s *slugs) settle(keys []string, taken map[string]string) {
	s.rivals = nil
	for _, key := range keys {
		slug := s.present[key]
		if last := s.last[key]; last != slug {
			if last != "" {
				s.moves++
			}
			s.last[key], s.unsaved[key] = slug, true
		}
		s.owners[foldSlug(slug)] = owner{slug, key}
		if winner := taken[foldSlug(term.Slug(key))]; winner != "" && winner != key && s.rules[key].Slug == "" {
			s.rivals = append(s.rivals, rivalry{key, winner})
		}
	}
	slices.SortFunc(s.rivals, func(a, b rivalry) int { return cmp.Compare(a.loser, b.loser) })
	s.former, s.retired = map[string]string{}, map[string]string{}
	for _, was := range s.owners {
		switch now := s.present[was.key]; {
		case now == "":
			s.retired[was.slug] = was.key
		case foldSlug(now) != foldSlug(was.slug):
			s.former[was.slug] = now
		}
	}
}

// news are the slugs that the database does not know.
func (x *taxonomy) news() []store.TermSlug {
	var rows []store.TermSlug
	for key := range x.unsaved {
		rows = append(rows, store.TermSlug{Kind: string(x.kind), Slug: x.last[key], Key: key})
	}
	slices.SortFunc(rows, func(a, b store.TermSlug) int { return cmp.Compare(a.Key, b.Key) })
	return rows
}

// problems warns of slugs that had to be told apart.
func (x *taxonomy) problems() []post.Problem {
	var ps []post.Problem
	for _, r := range x.rivals {
		t := x.tallies[r.loser].term
		ps = append(ps, post.Problem{File: t.Entries[0].File, Warning: true, Message: fmt.Sprintf(
			"the %s %q would have the same address as %q, so it has %q; a clearer name, or its slug under terms in the configuration, would give it a better one",
			x.kind, t.Name, x.tallies[r.winner].term.Name, t.Slug)})
	}
	return ps
}

// foldSlug is the form in which file systems that ignore case and
// composition compare names.
func foldSlug(slug string) string { return strings.ToLower(norm.NFC.String(slug)) }

// recall reads what the database knows of the addresses of terms.
func (s *shelf) recall(ctx context.Context, db store.Terms) error {
	if db == nil {
		return nil
	}
	rows, err := db.LoadTermSlugs(ctx)
	if err != nil {
		return fmt.Errorf("read the addresses of categories and tags: %w", err)
	}
	for _, x := range s.taxonomies() {
		var own []store.TermSlug
		for _, row := range rows {
			if row.Kind == string(x.kind) {
				own = append(own, row)
			}
		}
		x.restore(own)
	}
	return nil
}

// formerAndRetired gives the slugs that present terms do not have, by kind.
func (s *shelf) formerAndRetired() (former, retired map[Kind]map[string]string) {
	former, retired = map[Kind]map[string]string{}, map[Kind]map[string]string{}
	for _, x := range s.taxonomies() {
		former[x.kind], retired[x.kind] = x.former, x.retired
	}
	return former, retired
}
