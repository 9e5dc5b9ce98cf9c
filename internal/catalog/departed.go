package catalog

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tidings/internal/post"
)

// A Departed is a post that readers have seen and do not see any more, because
// its file left, it expired, or it was withdrawn.
type Departed struct {
	*post.Post           // as it was last; for one whose file left, its last good version
	ID         string    // feed id
	When       time.Time // when it left
}

// remembered is how long it is told that a post left. A reader that did not
// come for so long is not told.
const remembered = 30 * 24 * time.Hour

// left is when a post left whose file may still be there. It depends on what is
// pinned and on the file alone.
func (rec *record) left() time.Time {
	p := rec.post
	switch {
	case rec.state == gone || p == nil:
		return rec.row.Gone
	case !p.Expires.IsZero() && p.Hidden == "" && p.Expires.After(rec.row.Changed):
		return p.Expires
	}
	return rec.row.Changed // when the file came to say so
}

// withdraw notes whether readers miss a post they have seen.
func (r *roll) withdraw(rec *record) {
	missed := rec.pinned() && rec.entry == nil && rec.state != missing
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
		if at := rec.left(); rec.post != nil && at.Add(remembered).After(now) && !at.After(now) {
			list = append(list, &Departed{Post: rec.post, ID: rec.row.GUID, When: at})
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

// forgets is when it is no longer told that a post left; zero if it did not
// leave, or long ago.
func (rec *record) forgets(now time.Time) time.Time {
	if !rec.pinned() || rec.shown(now) || rec.state == missing {
		return time.Time{}
	}
	if at := rec.left().Add(remembered); at.After(now) {
		return at
	}
	return time.Time{}
}
