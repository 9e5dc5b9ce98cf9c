package web

import (
	"slices"

	"tidings/internal/catalog"
	"tidings/internal/page"
	"tidings/internal/term"
)

// termIndex finds the term behind any spelling of its name.
type termIndex struct {
	snap  *catalog.Snapshot
	byKey map[catalog.Kind]map[string]*catalog.Term
}

// indexOf gives the index of a snapshot, which is made once for each.
func (s *server) indexOf(snap *catalog.Snapshot) *termIndex {
	if made := s.index.Load(); made != nil && made.snap == snap {
		return made
	}
	made := &termIndex{snap: snap, byKey: map[catalog.Kind]map[string]*catalog.Term{catalog.Category: {}, catalog.Tag: {}}}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		made.byKey[t.Kind][t.Key] = t
	}
	s.index.Store(made)
	return made
}

// of gives the terms with these names, in their order.
func (index *termIndex) of(kind catalog.Kind, names []string) []*catalog.Term {
	var terms []*catalog.Term
	for _, name := range names {
		if t := index.byKey[kind][term.Key(name)]; t != nil {
			terms = append(terms, t)
		}
	}
	return terms
}

// links gives the pages of terms.
func (s *server) links(terms []*catalog.Term) []page.Link {
	links := make([]page.Link, len(terms))
	for i, t := range terms {
		links[i] = page.Link{Name: t.Name, URL: s.local(escapedPath(termPath(t))), Count: len(t.Entries)}
	}
	return links
}
