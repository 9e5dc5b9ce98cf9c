package newsletter

import (
	"fmt"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/post"
	"tidings/internal/term"
)

// Topics is what newsletters and readers choose posts by: those in any of the
// categories or with any of the tags; the zero value chooses every post.
type Topics struct {
	Categories, Tags []string // term keys, sorted
}

// NewTopics folds names to keys.
func NewTopics(categories, tags []string) Topics {
	return Topics{Categories: keys(categories), Tags: keys(tags)}
}

func keys(names []string) []string {
	var ks []string
	for _, n := range names {
		if k := term.Key(n); k != "" {
			ks = append(ks, k)
		}
	}
	slices.Sort(ks)
	return slices.Compact(ks)
}

// All reports whether every post is chosen.
func (t Topics) All() bool { return len(t.Categories) == 0 && len(t.Tags) == 0 }

// Expression gives the rule that chooses their posts.
func (t Topics) Expression() catalog.Expression {
	if t.All() {
		return catalog.Expression{}
	}
	any := make([]catalog.TermKey, 0, len(t.Categories)+len(t.Tags))
	for _, k := range t.Categories {
		any = append(any, catalog.TermKey{Kind: catalog.Category, Key: k})
	}
	for _, k := range t.Tags {
		any = append(any, catalog.TermKey{Kind: catalog.Tag, Key: k})
	}
	return catalog.Expression{Every: [][]catalog.TermKey{any}}
}

// Match reports whether a post is chosen.
func (t Topics) Match(p *post.Post) bool { return t.All() || t.Expression().Match(catalog.Carries(p)) }

// String is a canonical form: equal topics, equal strings.
func (t Topics) String() string {
	return strings.Join(t.Categories, ",") + ";" + strings.Join(t.Tags, ",")
}

// present gives topics under the terms' present names.
func (t Topics) present(r catalog.Renames) Topics {
	if len(r) == 0 {
		return t
	}
	return Topics{Categories: presentKeys(r, catalog.Category, t.Categories), Tags: presentKeys(r, catalog.Tag, t.Tags)}
}

func presentKeys(r catalog.Renames, kind catalog.Kind, ks []string) []string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = r.Key(kind, k)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// goesBy reports whether a key is that of the term's name or of a former one.
func goesBy(t *catalog.Term, key string) bool {
	return t.Key == key || slices.ContainsFunc(t.Was, func(was string) bool { return term.Key(was) == key })
}

// names gives the display names of keys, as the store's posts spell them.
func names(ks []string, terms []*catalog.Term) []string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = k
		for _, t := range terms {
			if goesBy(t, k) {
				out[i] = t.Name
			}
		}
	}
	return out
}

// resolve folds what a visitor or a file names, by name, key or slug, to keys.
func resolve(given []string, terms []*catalog.Term) []string {
	var out []string
	for _, g := range given {
		k := term.Key(g)
		for _, t := range terms {
			if strings.EqualFold(t.Slug, strings.TrimSpace(g)) || goesBy(t, k) {
				k = t.Key
			}
		}
		if k != "" {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func unknownNewsletter(name string, known []Newsletter) error {
	have := make([]string, len(known))
	for i, n := range known {
		have[i] = n.Name
	}
	switch {
	case len(known) == 0:
		return fmt.Errorf("%w: the configuration has none; add one under newsletters", ErrNewsletter)
	case name == "":
		return fmt.Errorf("%w: say which of %s", ErrNewsletter, strings.Join(have, ", "))
	}
	return fmt.Errorf("%w as %q; there is %s", ErrNewsletter, name, strings.Join(have, ", "))
}
