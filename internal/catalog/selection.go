package catalog

import (
	"slices"
	"strings"
)

// A Selection narrows the posts down by their terms.
type Selection struct {
	Any []*Term // at least one of these; empty: every post
	All []*Term // each of these
	Not []*Term // none of these
}

// Select gives the posts that fit, newest first.
func (s *Snapshot) Select(by Selection) []*Entry {
	var fit []*Entry
	in, out := sets(by.All), sets(by.Not)
	for _, e := range s.candidates(by) {
		if !slices.ContainsFunc(in, func(set entrySet) bool { return !set[e] }) && !slices.ContainsFunc(out, func(set entrySet) bool { return set[e] }) {
			fit = append(fit, e)
		}
	}
	return fit
}

// candidates holds every post that can fit, newest first.
func (s *Snapshot) candidates(by Selection) []*Entry {
	switch {
	case len(by.Any) == 1:
		return by.Any[0].Entries
	case len(by.Any) > 1:
		var union []*Entry
		for _, t := range by.Any {
			union = append(union, t.Entries...)
		}
		slices.SortFunc(union, newestFirst)
		return slices.Compact(union)
	case len(by.All) > 0:
		return slices.MinFunc(by.All, func(a, b *Term) int { return len(a.Entries) - len(b.Entries) }).Entries
	}
	return s.Entries
}

type entrySet map[*Entry]bool

func sets(terms []*Term) []entrySet {
	var list []entrySet
	for _, t := range terms {
		set := make(entrySet, len(t.Entries))
		for _, e := range t.Entries {
			set[e] = true
		}
		list = append(list, set)
	}
	return list
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
