package store

import "context"

// Terms remembers the addresses of categories, tags, authors and sections.
type Terms interface {
	// LoadTermSlugs gives every slug any term ever had, by kind and slug.
	LoadTermSlugs(ctx context.Context) ([]TermSlug, error)
	// SaveTermSlugs gives terms their present slugs, all or none. One that
	// another term had goes over to the new one; those that a term had before
	// stay its own. Present of what is given does not count.
	SaveTermSlugs(ctx context.Context, slugs []TermSlug) error
}

// TermSlug is one address of one term. A slug belongs to the last term that
// had it.
type TermSlug struct {
	Kind    string // category, tag, author, section
	Slug    string
	Key     string // term.Key of the term
	Present bool   // false: the term has another slug by now
}
