package adopt

import (
	"time"

	"tidings/internal/catalog"
)

// A Blog is what entries are held against.
type Blog struct {
	Snapshot *catalog.Snapshot
	// Hidden are the ids of posts that readers do not see.
	Hidden map[string]bool
	// MayDate reports whether a post can have another date of publication.
	MayDate func(*catalog.Entry, time.Time) bool
}

// A Pair is a post and the entry it was.
type Pair struct {
	Post  *catalog.Entry
	Entry Entry
	Date  time.Time // the post is to have; zero: the one it has
	Apart bool      // the entry has another date, and the post keeps its own
}

// A Report says what became of each entry.
type Report struct {
	New      []Pair           // the post is to have the id of the entry
	Already  []Pair           // it has it
	Explicit []Pair           // its front matter gives it another id
	Taken    []Pair           // another post has that id, and keeps it
	Twice    []Pair           // another entry is the same post
	Unknown  []Entry          // no post is like it
	Posts    []*catalog.Entry // no entry is like them
}

// Matched are the pairs whose post is known to be the entry.
func (r Report) Matched() (all []Pair) {
	for _, pairs := range [][]Pair{r.New, r.Already, r.Explicit, r.Taken} {
		all = append(all, pairs...)
	}
	return all
}

// Match finds out which entry is which post: by its link, else by the path of
// its link on another host, else by title and day, else by a title that only
// one entry and one post have. The first entry of a post counts.
func Match(entries []Entry, blog Blog) Report {
	var r Report
	m := newIndex(blog.Snapshot)
	of := map[*catalog.Entry]Entry{}
	rest := entries
	for _, find := range []func(Entry) *catalog.Entry{m.byLink, m.byPath, m.byDay(entries), m.byTitle(entries)} {
		var left []Entry
		for _, e := range rest {
			p := find(e)
			_, taken := of[p]
			switch {
			case p == nil:
				left = append(left, e)
			case taken:
				r.Twice = append(r.Twice, Pair{Post: p, Entry: e})
			default:
				of[p] = e
			}
		}
		rest = left
	}
	r.Unknown = rest
	for _, p := range blog.Snapshot.Entries {
		if e, ok := of[p]; ok {
			r.file(blog.pair(p, e))
		} else {
			r.Posts = append(r.Posts, p)
		}
	}
	r.untangle(blog)
	return r
}

// near is how far the date of an entry may be from the post's own to be taken for
// the same, more exact: some feeds give the time they were made for all entries,
// and posts with such dates would be new to everybody.
const near = 48 * time.Hour

// pair decides about the date. Feeds give whole seconds.
func (b Blog) pair(p *catalog.Entry, e Entry) Pair {
	pair := Pair{Post: p, Entry: e}
	switch {
	case e.Published.IsZero() || e.Published.Truncate(time.Second).Equal(p.Published.Truncate(time.Second)):
	case e.Published.Sub(p.Published).Abs() <= near && b.MayDate != nil && b.MayDate(p, e.Published):
		pair.Date = e.Published
	default:
		pair.Apart = true
	}
	return pair
}

func (r *Report) file(pair Pair) {
	switch p := pair.Post; {
	case p.ID == pair.Entry.ID:
		r.Already = append(r.Already, pair)
	case p.GUID != "" && p.GUID == p.ID:
		r.Explicit = append(r.Explicit, pair)
	default:
		r.New = append(r.New, pair)
	}
}

// untangle takes out those whose id another post has that does not give it up;
// then these keep theirs too.
func (r *Report) untangle(blog Blog) {
	wants, gives := map[string]int{}, map[string]bool{} // by id; index of New
	for i, p := range r.New {
		wants[p.Entry.ID], gives[p.Post.ID] = i, true
	}
	var kept []string
	for id := range blog.Hidden {
		kept = append(kept, id)
	}
	for _, p := range blog.Snapshot.Entries {
		if !gives[p.ID] {
			kept = append(kept, p.ID)
		}
	}
	refused := map[int]bool{}
	for len(kept) > 0 {
		id := kept[len(kept)-1]
		kept = kept[:len(kept)-1]
		if i, wanted := wants[id]; wanted && !refused[i] {
			refused[i] = true
			kept = append(kept, r.New[i].Post.ID)
		}
	}
	var granted []Pair
	for i, p := range r.New {
		if refused[i] {
			r.Taken = append(r.Taken, p)
		} else {
			granted = append(granted, p)
		}
	}
	r.New = granted
}
