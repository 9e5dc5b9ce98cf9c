package catalog

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tidings/internal/post"
	"tidings/internal/term"
)

// A Departed is a post that readers have seen and do not see any more, because
// its file left, it expired, or it was withdrawn.
type Departed struct {
	*post.Post           // as it was last; for one whose file left, its last good version
	ID         string    // feed id
	When       time.Time // when it left
	Terms      []TermRef // those it has or had, one kind after the other
}

// A TermRef names a term, which may have no posts any more.
type TermRef struct {
	Kind Kind
	Key  string
	Slug string // that it has, or had last
}

// Within reports whether the post would fit a selection if readers saw it.
func (d *Departed) Within(by Selection) bool {
	has := func(t *Term) bool {
		return slices.ContainsFunc(d.Terms, func(own TermRef) bool { return own.Kind == t.Kind && own.Key == t.Key })
	}
	missing := func(t *Term) bool { return !has(t) }
	return (len(by.Any) == 0 || slices.ContainsFunc(by.Any, has)) &&
		!slices.ContainsFunc(by.All, missing) && !slices.ContainsFunc(by.Not, has)
}

// remembrance is how long it is told that a post left. A reader that did not
// come for so long is not told.
const remembrance = 30 * 24 * time.Hour

// depart pins when a post left that readers saw until now. Whatever becomes of
// the file, it stays the same until they see the post again.
func (r *roll) depart(rec *record, now time.Time) {
	if !rec.pinned() || !rec.row.Departed.IsZero() {
		return
	}
	if at := rec.left(now); !at.IsZero() {
		rec.row.Departed = at
		r.save(rec)
	}
}

// left is when a post left: when its file did, when it expired, or when the
// file came to say that readers are not to see it. Zero if it is none of these.
func (rec *record) left(now time.Time) time.Time {
	p := rec.post
	switch {
	case rec.state == gone:
		return rec.row.Gone
	case p == nil:
		return time.Time{}
	case p.Hidden == "" && !rec.date().After(now) && p.Expires.After(rec.row.Changed):
		return instant(p.Expires)
	}
	return rec.row.Changed
}

// withdraw notes whether readers miss a post they have seen.
func (r *roll) withdraw(rec *record) {
	missed := rec.entry == nil && !rec.row.Departed.IsZero()
	if !missed && !r.withdrawn[rec] {
		return
	}
	r.departure = true
	if missed {
		r.withdrawn[rec] = true
	} else {
		delete(r.withdrawn, rec)
	}
}

// departed lists the posts that left within the time they are remembered,
// those that left last first, and the addresses at which posts were, whenever
// they left.
func (r *roll) departed(now time.Time) (list []*Departed, addresses map[string]bool) {
	addresses = make(map[string]bool, len(r.withdrawn))
	for rec := range r.withdrawn {
		if rec.row.Path != "" {
			addresses[rec.row.Path] = true
		}
		if rec.post != nil && rec.remembered(now) {
			list = append(list, &Departed{Post: rec.post, ID: rec.row.GUID, When: rec.row.Departed})
		}
	}
	for from, rec := range r.former {
		if r.withdrawn[rec] {
			addresses[from] = true
		}
	}
	slices.SortFunc(list, func(a, b *Departed) int {
		return cmp.Or(b.When.Compare(a.When), strings.Compare(a.ID, b.ID))
	})
	return list, addresses
}

// remembered reports whether it is still told that the post left.
func (rec *record) remembered(now time.Time) bool { return !rec.forgets(now).IsZero() }

// forgets is when it is no longer told that a post left; zero if it did not
// leave, or long ago.
func (rec *record) forgets(now time.Time) time.Time {
	at := rec.row.Departed
	if at.IsZero() { // a loss that was accepted beside this process
		at = rec.row.Gone
	}
	if end := at.Add(remembrance); !at.IsZero() && end.After(now) {
		return end
	}
	return time.Time{}
}

// termsOf gives the terms that a post has, or had while readers saw it.
func (s *shelf) termsOf(p *post.Post) []TermRef {
	var refs []TermRef
	for _, x := range s.taxonomies() {
		for _, name := range x.names(&Entry{Post: p}) {
			ref := TermRef{Kind: x.kind, Key: x.key(name)}
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

// departed is what the roll says of posts that left; what was told before stays
// the same pointer.
func (s *shelf) departed(r *roll, now time.Time) ([]*Departed, map[string]bool) {
	list, gone := r.departed(now)
	before := make(map[string]*Departed, len(s.last.Departed))
	for _, d := range s.last.Departed {
		before[d.ID] = d
	}
	for i, d := range list {
		d.Terms = s.termsOf(d.Post)
		if old := before[d.ID]; old != nil && old.Post == d.Post && old.When.Equal(d.When) && slices.Equal(old.Terms, d.Terms) {
			list[i] = old
		}
	}
	return list, gone
}
