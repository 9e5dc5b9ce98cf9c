package post

import (
	"slices"
	"strings"

	"tidings/internal/term"
)

// categories gives the names in the order of the file. The folders around
// _posts come first. As in Jekyll, category is one whole name and makes
// categories count no more; as in Zola, a table of taxonomies may hold them.
func (f *fields) categories() []string {
	names := slices.Clone(f.name.terms)
	names = append(names, f.names("category", "categories")...)
	if len(names) == len(f.name.terms) {
		names = append(names, termNames(f.peek("taxonomies").get("categories"))...)
	}
	if topics := f.get("topics"); len(names) == 0 {
		names = termNames(topics)
	}
	return distinct(names)
}

// tags gives the names in the order of the file.
func (f *fields) tags() []string {
	names := f.names("tag", "tags")
	if len(names) == 0 {
		names = termNames(f.peek("taxonomies").get("tags"))
	}
	return distinct(names)
}

// names reads a taxonomy that has a key for one name and a key for many.
func (f *fields) names(one, many string) []string {
	single, plural := f.get(one), f.get(many)
	switch {
	case single == nil:
		return termNames(plural)
	case single.kind == listKind || single.kind == tableKind:
		return termNames(single)
	case single.scalar() == "":
		return termNames(plural)
	}
	return []string{single.scalar()}
}

// maxTerms bounds the terms of one post; aliases may repeat lists at will.
const maxTerms = 1000

// termNames reads a list, a list of lists (Hexo's hierarchies), or one string.
// A string splits at its commas; one in YAML without any splits at blanks,
// as Jekyll reads it.
func termNames(n *node) []string {
	var names []string
	var walk func(*node)
	walk = func(n *node) {
		if n.kind != listKind {
			names = append(names, n.scalar())
		}
		for _, item := range n.items {
			if len(names) < maxTerms {
				walk(item)
			}
		}
	}
	switch {
	case n == nil:
	case n.kind == listKind:
		walk(n)
	case strings.Contains(n.scalar(), ","):
		names = strings.Split(n.scalar(), ",")
	case n.split:
		names = strings.Fields(n.scalar())
	default:
		names = []string{n.scalar()}
	}
	return names
}

// distinct keeps the first spelling of each term.
func distinct(names []string) []string {
	var kept []string
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		name = clean(name)
		if key := term.Key(name); key != "" && !seen[key] {
			seen[key] = true
			kept = append(kept, name)
		}
	}
	return kept
}
