package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/post"
	"tidings/internal/term"
)

// departed lists the posts that left within the time they are remembered, those
// that left last first, and the addresses at which posts were, whenever they
// left. What is told as before stays the same list, map or pointer, and only
// those posts are looked at that may have left or come back.
func (s *shelf) departed(r *roll, now time.Time) ([]*Departed, map[string]bool) {
	list, gone := s.last.Departed, s.last.Gone
	if s.readdressed() {
		maps.Copy(r.restless, r.withdrawn)
	}
	if len(r.restless) == 0 && gone != nil {
		return list, gone
	}
	out, in := map[*Departed]bool{}, []*Departed{}
	for rec := range r.restless {
		before := rec.told
		if rec.told = s.tell(r, rec, now); rec.told == before {
			continue
		}
		if before != nil {
			out[before] = true
		}
		if rec.told != nil {
			in = append(in, rec.told)
		}
	}
	if len(out)+len(in) > 0 {
		slices.SortFunc(in, lastToLeaveFirst)
		list = mergeDeparted(list, out, in)
	}
	gone = r.gone(gone)
	clear(r.restless)
	return list, gone
}

// tell gives what readers are told of a record; nil if that is nothing.
func (s *shelf) tell(r *roll, rec *record, now time.Time) *Departed {
	if !r.withdrawn[rec] || rec.post == nil || !rec.remembered(now) {
		return nil
	}
	d := &Departed{Post: rec.post, ID: rec.row.GUID, When: rec.row.Departed, Terms: s.termsOf(rec.post)}
	if old := rec.told; old != nil && old.Post == d.Post && old.ID == d.ID && old.When.Equal(d.When) && slices.Equal(old.Terms, d.Terms) {
		return old
	}
	return d
}

func lastToLeaveFirst(a, b *Departed) int {
	return cmp.Or(b.When.Compare(a.When), strings.Compare(a.ID, b.ID))
}

// mergeDeparted gives a new list: old without out, with in; both are in order.
func mergeDeparted(old []*Departed, out map[*Departed]bool, in []*Departed) []*Departed {
	list := make([]*Departed, 0, len(old)+len(in))
	for _, d := range old {
		if out[d] {
			continue
		}
		for len(in) > 0 && lastToLeaveFirst(in[0], d) < 0 {
			list, in = append(list, in[0]), in[1:]
		}
		list = append(list, d)
	}
	return append(list, in...)
}

// gone gives the addresses at which posts were, after what became of the
// restless ones; old stays as it is.
func (r *roll) gone(old map[string]bool) map[string]bool {
	left := map[string]bool{}
	for _, withdrawn := range []bool{false, true} { // of two that were at one address, the one that left counts
		for from, rec := range r.former {
			if r.restless[rec] && r.withdrawn[rec] == withdrawn {
				left[from] = withdrawn
			}
		}
		for rec := range r.restless {
			if r.withdrawn[rec] == withdrawn && rec.row.Path != "" {
				left[rec.row.Path] = withdrawn
			}
		}
	}
	maps.DeleteFunc(left, func(address string, withdrawn bool) bool { return old[address] == withdrawn })
	if len(left) == 0 && old != nil {
		return old
	}
	gone := maps.Clone(old)
	if gone == nil {
		gone = map[string]bool{}
	}
	for address, withdrawn := range left {
		if withdrawn {
			gone[address] = true
		} else {
			delete(gone, address)
		}
	}
	return gone
}

// readdressed reports whether a term came to another slug than it had.
func (s *shelf) readdressed() bool {
	moves := 0
	for _, x := range s.taxonomies() {
		moves += x.moves
	}
	if moves == s.moves {
		return false
	}
	s.moves = moves
	return true
}

// termsOf gives the terms that a post has, or had while readers saw it.
func (s *shelf) termsOf(p *post.Post) []TermRef {
	var refs []TermRef
	for _, x := range s.taxonomies() {
		for _, name := range x.names(&Entry{Post: p}) {
			ref := TermRef{TermKey: TermKey{x.kind, x.key(name)}}
			if ref.Slug = x.last[ref.Key]; ref.Slug == "" {
				ref.Slug = term.Slug(name)
			}
			if !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}
