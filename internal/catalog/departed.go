package catalog

import (
	"slices"
	"time"

	"tidings/internal/post"
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
	TermKey
	Slug string // that it has, or had last
}

// Within reports whether any of some expressions would choose the post if
// readers saw it.
func (d *Departed) Within(any ...Expression) bool {
	has := func(t TermKey) bool {
		return slices.ContainsFunc(d.Terms, func(own TermRef) bool { return own.TermKey == t })
	}
	return slices.ContainsFunc(any, func(x Expression) bool { return x.Match(has) })
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
	r.restless[rec] = true
	if missed {
		r.withdrawn[rec] = true
	} else {
		delete(r.withdrawn, rec)
	}
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
