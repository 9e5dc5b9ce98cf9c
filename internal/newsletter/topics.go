package newsletter

import (
	"fmt"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/post"
	"tidings/internal/term"
)

// Topics chooses posts: those in any of the categories or with any of the
// tags; the zero value chooses every post. It is the one rule by which
// newsletters and readers choose.
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

// Match reports whether a post is chosen.
func (t Topics) Match(p *post.Post) bool {
	return t.All() || anyKey(t.Categories, p.Categories) || anyKey(t.Tags, p.Tags)
}

func anyKey(wanted, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return slices.Contains(wanted, term.Key(n))
	})
}

// String is a canonical form: equal topics, equal strings.
func (t Topics) String() string {
	return strings.Join(t.Categories, ",") + ";" + strings.Join(t.Tags, ",")
}

// A formerKeys leads from the keys of terms' former names to their present
// ones: readers who chose a topic keep it when it is renamed.
type formerKeys map[catalog.Kind]map[string]string

func formerOf(snap *catalog.Snapshot) formerKeys {
	f := formerKeys{}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		for _, was := range t.Was {
			if f[t.Kind] == nil {
				f[t.Kind] = map[string]string{}
			}
			f[t.Kind][term.Key(was)] = t.Key
		}
	}
	return f
}

func (f formerKeys) present(t Topics) Topics {
	if len(f) == 0 {
		return t
	}
	return Topics{Categories: f.keys(catalog.Category, t.Categories), Tags: f.keys(catalog.Tag, t.Tags)}
}

func (f formerKeys) keys(kind catalog.Kind, ks []string) []string {
	out := slices.Clone(ks)
	for i, k := range out {
		if now := f[kind][k]; now != "" {
			out[i] = now
		}
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
