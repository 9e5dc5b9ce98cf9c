package newsletter

import (
	"fmt"
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// A variant is what may differ between readers of the same posts.
type variant struct {
	language  string    // BCP 47; "": the site's
	format    string    // store.FormatText; "": both parts
	notBefore time.Time // zero: at once
}

// A mailing is what one group of readers gets.
type mailing struct {
	posts   string // a bits
	variant variant
}

// An audience sorts readers by what they are due: those with the same posts in
// the same variant share a group, whose mail is composed once. It implements
// store.Audience.
type audience struct {
	entries []*catalog.Entry
	carries []func(catalog.TermKey) bool // the terms of each entry
	renames catalog.Renames
	index   map[int64]int                // post → position in entries
	masks   map[string]bits              // topics → the posts they choose
	numbers map[mailing]int              // → group number
	groups  []mailing                    // by group number
	readers []int                        // by group number
	speak   func(language string) string // gives that of a variant; nil: the site's
	spoken  map[string]string            // language → what speak gave
	hold    func(store.Reader) time.Time // gives notBefore; nil: nobody is held
	compose func(number int, v variant, due []*catalog.Entry) (store.Group, error)

	foretold map[int]string // position in entries → the run before that holds it
	forecast *Forecast      // of what readers will have got before; nil: what they have is on record

	forWeb bool // one group is to hold all posts, for the web
	fewest int  // with fewer posts in all groups together the edition is skipped

	watch   int64 // subscriber whose group is wanted, for a preview
	watched int   // their group; -1 if nothing is due
	met     bool  // they were among the readers
}

// bits is a set of positions in entries.
type bits []byte

func (b bits) add(i int)      { b[i/8] |= 1 << (i % 8) }
func (b bits) remove(i int)   { b[i/8] &^= 1 << (i % 8) }
func (b bits) has(i int) bool { return b[i/8]&(1<<(i%8)) != 0 }

func newAudience(entries []*catalog.Entry, hold func(store.Reader) time.Time, compose func(int, variant, []*catalog.Entry) (store.Group, error)) *audience {
	a := &audience{
		entries: entries,
		index:   make(map[int64]int, len(entries)),
		masks:   map[string]bits{},

		spoken:   map[string]string{},
		foretold: map[int]string{},
		numbers:  map[mailing]int{},
		hold:     hold,
		compose:  compose,
		watched:  -1,
	}
	for i, e := range entries {
		a.index[e.PostID] = i
		a.carries = append(a.carries, catalog.Carries(e.Post))
	}
	return a
}

// Assign gives the number of the group of readers who get the same mail.
func (a *audience) Assign(r store.Reader) int {
	n := a.number(a.due(r), a.variant(r))
	if n >= 0 {
		a.readers[n]++
	}
	if r.SubscriberID == a.watch {
		a.met, a.watched = true, n
	}
	return n
}

func (a *audience) variant(r store.Reader) (v variant) {
	if r.Language != "" && a.speak != nil {
		spoken, ok := a.spoken[r.Language]
		if !ok {
			spoken = a.speak(r.Language)
			a.spoken[r.Language] = spoken
		}
		v.language = spoken
	}
	if r.Format == store.FormatText {
		v.format = r.Format
	}
	if a.hold != nil {
		v.notBefore = a.hold(r)
	}
	return v
}

// due gives the posts of the reader's topics that they have not got.
func (a *audience) due(r store.Reader) bits {
	mask := a.mask(Topics{Categories: r.Categories, Tags: r.Tags}.present(a.renames))
	var had map[string]run
	if a.forecast != nil {
		had = a.forecast.had(r)
	}
	if len(r.Seen)+len(had) == 0 {
		return mask
	}
	due := append(bits(nil), mask...)
	for i, e := range a.entries {
		if before := had[e.ID]; before.Key != "" {
			due.remove(i)
			a.foretold[i] = before.Key
		}
	}
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

func (a *audience) number(due bits, v variant) int {
	if n, ok := a.numbers[mailing{string(due), v}]; ok {
		return n
	}
	n, m := -1, mailing{string(due), v}
	if !due.empty() {
		n = len(a.groups)
		a.groups, a.readers = append(a.groups, m), append(a.readers, 0)
	}
	a.numbers[m] = n
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
	groups := make([]store.Group, len(a.groups))
	for n, m := range a.groups {
		g, err := a.compose(n, m.variant, a.members(bits(m.posts)))
		if err != nil {
			return nil, err
		}
		groups[n] = g
	}
	if a.forWeb {
		return a.withWeb(groups)
	}
	return groups, nil
}

// withWeb marks the group that the web shows: one in the site's language with
// all the posts that anybody is due. If there is none, it is composed.
func (a *audience) withWeb(groups []store.Group) ([]store.Group, error) {
	every := make(bits, (len(a.entries)+7)/8)
	for i := range a.entries {
		if a.anybody(i) {
			every.add(i)
		}
	}
	at := slices.IndexFunc(a.groups, func(m mailing) bool { return m == mailing{posts: string(every)} })
	due := a.members(every)
	if at < 0 {
		g, err := a.compose(len(groups), variant{}, due)
		if err != nil {
			return nil, err
		}
		at, groups = len(groups), append(groups, g)
	}
	groups[at].Web, groups[at].Contents = true, contents(due)
	return groups, nil
}

// contents are posts as lists of editions show them, in the order of the mail.
func contents(due []*catalog.Entry) []store.Content {
	list := make([]store.Content, len(due))
	for i, e := range pinnedFirst(due) {
		list[i] = store.Content{Title: e.Title, URL: e.URL, Summary: e.Summary}
	}
	return list
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
	return slices.ContainsFunc(a.groups, func(m mailing) bool { return m.posts[i/8]&(1<<(i%8)) != 0 })
}

// nobody is why a post that an edition may hold is in no mail of it.
const nobody = "every reader already has it, or follows other topics"

// wanted gives the selection without the posts that no reader is due.
func (a *audience) wanted(s Selection) Selection {
	w := Selection{posts: s.posts}
	for i, e := range a.entries {
		switch run := a.foretold[i]; {
		case a.anybody(i):
			w.Included = append(w.Included, e)
		case run != "":
			w.Excluded = append(w.Excluded, Excluded{e, foreseen + run})
		default:
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
