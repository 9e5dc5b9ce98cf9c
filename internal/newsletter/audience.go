package newsletter

import (
	"fmt"
	"slices"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// An audience sorts readers by what they are due: readers with the same posts
// share a group, whose mail is composed once. It implements store.Audience.
type audience struct {
	entries []*catalog.Entry
	carries []func(catalog.TermKey) bool // the terms of each entry
	renames catalog.Renames
	index   map[int64]int   // post → position in entries
	masks   map[string]bits // topics → the posts they choose
	numbers map[string]int  // set of posts → group number
	sets    []bits          // by group number
	readers []int           // by group number
	compose func(number int, due []*catalog.Entry) (store.Group, error)

	fewest int // with fewer posts in all groups together the edition is skipped

	watch   int64 // subscriber whose group is wanted, for a preview
	watched int   // their group; -1 if nothing is due
	met     bool  // they were among the readers
}

// bits is a set of positions in entries.
type bits []byte

func (b bits) add(i int)      { b[i/8] |= 1 << (i % 8) }
func (b bits) remove(i int)   { b[i/8] &^= 1 << (i % 8) }
func (b bits) has(i int) bool { return b[i/8]&(1<<(i%8)) != 0 }

func newAudience(entries []*catalog.Entry, compose func(int, []*catalog.Entry) (store.Group, error)) *audience {
	a := &audience{
		entries: entries,
		index:   make(map[int64]int, len(entries)),
		masks:   map[string]bits{},
		numbers: map[string]int{},
		compose: compose,
		watched: -1,
	}
	for i, e := range entries {
		a.index[e.PostID] = i
		a.carries = append(a.carries, catalog.Carries(e.Post))
	}
	return a
}

// Assign gives the number of the group of readers who are due the same posts.
func (a *audience) Assign(r store.Reader) int {
	n := a.number(a.due(r))
	if n >= 0 {
		a.readers[n]++
	}
	if r.SubscriberID == a.watch {
		a.met, a.watched = true, n
	}
	return n
}

// due gives the posts of the reader's topics that they have not got.
func (a *audience) due(r store.Reader) bits {
	mask := a.mask(Topics{Categories: r.Categories, Tags: r.Tags}.present(a.renames))
	if len(r.Seen) == 0 {
		return mask
	}
	due := append(bits(nil), mask...)
	for _, id := range r.Seen {
		if i, ok := a.index[id]; ok {
			due.remove(i)
		}
	}
	return due
}

func (a *audience) mask(t Topics) bits {
	key := t.String()
	if m, ok := a.masks[key]; ok {
		return m
	}
	m, x := make(bits, (len(a.entries)+7)/8), t.Expression()
	for i, has := range a.carries {
		if x.Match(has) {
			m.add(i)
		}
	}
	a.masks[key] = m
	return m
}

func (a *audience) number(due bits) int {
	n, ok := a.numbers[string(due)]
	if ok {
		return n
	}
	n = -1
	if !due.empty() {
		n = len(a.sets)
		a.sets, a.readers = append(a.sets, due), append(a.readers, 0)
	}
	a.numbers[string(due)] = n
	return n
}

func (b bits) empty() bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// Groups composes every group's mail.
func (a *audience) Groups() ([]store.Group, error) {
	if n := a.posts(); n < a.fewest {
		return nil, &store.SkipError{Reason: fmt.Sprintf("%d new, fewer than min_posts (%d)", n, a.fewest)}
	}
	groups := make([]store.Group, len(a.sets))
	for n, set := range a.sets {
		g, err := a.compose(n, a.members(set))
		if err != nil {
			return nil, err
		}
		groups[n] = g
	}
	return groups, nil
}

// posts counts the posts that anybody is due.
func (a *audience) posts() int {
	n := 0
	for i := range a.entries {
		if a.anybody(i) {
			n++
		}
	}
	return n
}

// anybody reports whether any reader is due a post.
func (a *audience) anybody(i int) bool {
	return slices.ContainsFunc(a.sets, func(set bits) bool { return set.has(i) })
}

// nobody is why a post that an edition may hold is in no mail of it.
const nobody = "every reader already has it, or follows other topics"

// wanted gives the selection without the posts that no reader is due.
func (a *audience) wanted(s Selection) Selection {
	w := Selection{posts: s.posts}
	for i, e := range a.entries {
		if a.anybody(i) {
			w.Included = append(w.Included, e)
		} else {
			w.Excluded = append(w.Excluded, Excluded{e, nobody})
		}
	}
	w.Excluded = append(w.Excluded, s.Excluded...)
	return w
}

func (a *audience) members(set bits) []*catalog.Entry {
	var due []*catalog.Entry
	for i, e := range a.entries {
		if set.has(i) {
			due = append(due, e)
		}
	}
	return due
}
