package catalog

import (
	"fmt"
	"slices"

	"tidings/internal/post"
	"tidings/internal/term"
)

// A TermRule fixes what is otherwise derived of one term.
type TermRule struct {
	Kind Kind
	Name string   // shown instead of the most used spelling
	Slug string   // "": derived from Name
	Was  []string // former names: posts that carry them count as this term
}

// naming is the rules of each taxonomy.
type naming map[Kind]*namingOfKind

type namingOfKind struct {
	rules   map[string]TermRule // by key of the term
	present map[string]string   // key of a former name → present name
}

func newNaming(rules []TermRule) naming {
	n := naming{}
	for _, r := range rules {
		of := n[r.Kind]
		if of == nil {
			of = &namingOfKind{rules: map[string]TermRule{}, present: map[string]string{}}
			n[r.Kind] = of
		}
		of.rules[term.Key(r.Name)] = r
		for _, was := range r.Was {
			of.present[term.Key(was)] = r.Name
		}
	}
	return n
}

// rulesOf gives the rules of one taxonomy by key.
func (n naming) rulesOf(kind Kind) map[string]TermRule {
	if n[kind] == nil {
		return nil
	}
	return n[kind].rules
}

// post gives p with the present names of its terms; p itself if it has them.
func (n naming) post(p *post.Post) *post.Post {
	if len(n) == 0 {
		return p
	}
	categories, tags, authors := n.rename(Category, p.Categories), n.rename(Tag, p.Tags), n.rename(Author, p.Authors)
	if slices.Equal(categories, p.Categories) && slices.Equal(tags, p.Tags) && slices.Equal(authors, p.Authors) {
		return p
	}
	renamed := *p
	renamed.Categories, renamed.Tags, renamed.Authors = categories, tags, authors
	return &renamed
}

// rename puts present names in the place of former ones, each once.
func (n naming) rename(kind Kind, names []string) []string {
	if n[kind] == nil {
		return names
	}
	var out []string
	seen := map[string]bool{}
	for _, name := range names {
		if now := n[kind].present[term.Key(name)]; now != "" {
			name = now
		}
		if key := term.Key(name); !seen[key] {
			seen[key] = true
			out = append(out, name)
		}
	}
	return out
}

// PresentKeys puts the keys of the present names of terms in the place of those
// of their former ones.
func (c Config) PresentKeys(kind Kind, keys []string) []string {
	present := slices.Clone(newNaming(c.Terms).rename(kind, keys))
	for i, name := range present {
		present[i] = term.Key(name)
	}
	return present
}

// A TermFault is what is wrong with a rule.
type TermFault struct {
	Rule    int    // its index
	Key     string // "slug", "was", or "" for the rule as a whole
	Message string
}

// CheckTerms gives what is wrong with rules: no two may concern one name or
// one slug, and a slug must be one that Slug could have made.
func CheckTerms(rules []TermRule) []TermFault {
	var faults []TermFault
	names, slugs := map[string]string{}, map[string]string{}
	for i, r := range rules {
		fail := func(key, format string, args ...any) {
			faults = append(faults, TermFault{i, key, fmt.Sprintf(format, args...)})
		}
		for j, name := range append([]string{r.Name}, r.Was...) {
			what := "was"
			if j == 0 {
				what = ""
			}
			switch key := term.Key(name); {
			case key == "":
				fail(what, "is no name")
			case names[string(r.Kind)+"/"+key] != "":
				fail(what, "%q is already %q", name, names[string(r.Kind)+"/"+key])
			default:
				names[string(r.Kind)+"/"+key] = r.Name
			}
		}
		switch other := slugs[string(r.Kind)+"/"+r.Slug]; {
		case r.Slug == "":
		case term.Slug(r.Slug) != r.Slug:
			fail("slug", "cannot be %q; it is lower-case letters and digits with single hyphens between them, such as %q", r.Slug, term.Slug(r.Slug))
		case other != "":
			fail("slug", "%q is already that of %q", r.Slug, other)
		default:
			slugs[string(r.Kind)+"/"+r.Slug] = r.Name
		}
	}
	return faults
}
