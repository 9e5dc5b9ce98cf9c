package catalog

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/internal/post"
)

// A shelf keeps the indexes that snapshots share.
type shelf struct {
	categories, tags *taxonomy
	authors          *taxonomy // nil: there are none
	sections         *taxonomy // nil: there are none
	last             *Snapshot
	moves            int // of slugs, when it was last told of posts that left
}

func newShelf(cfg Config) *shelf {
	s := &shelf{
		categories: newTaxonomy(Category, cfg.naming, func(e *Entry) []string { return e.Categories }),
		tags:       newTaxonomy(Tag, cfg.naming, func(e *Entry) []string { return e.Tags }),
		last:       &Snapshot{Redirects: map[string]string{}},
	}
	if cfg.Authors {
		s.authors = newTaxonomy(Author, cfg.naming, func(e *Entry) []string { return e.authors(cfg.Author) })
	}
	if cfg.Sections {
		s.sections = newTaxonomy(Section, cfg.naming, func(e *Entry) []string { return cfg.section(e.File) })
	}
	return s
}

func (s *shelf) taxonomies() []*taxonomy {
	all := []*taxonomy{s.categories, s.tags, s.authors, s.sections}
	return slices.DeleteFunc(all, func(x *taxonomy) bool { return x == nil })
}

// section is the folder right below Hugo's "content" in which a file is; a file
// in "content" itself has none.
func (c Config) section(file string) []string {
	if base := filepath.Base(c.Dir); base != "content" {
		return []string{base}
	}
	if first, _, below := strings.Cut(file, "/"); below {
		return []string{first}
	}
	return nil
}

// authors are those who wrote the post; fallback if it does not say.
func (e *Entry) authors(fallback string) []string {
	if len(e.Authors) == 0 && fallback != "" {
		return []string{fallback}
	}
	return e.Authors
}

// put makes the next snapshot of what the roll and the folder know now. The
// snapshot of the returned change is the last one if nothing differs.
func (s *shelf) put(r *roll, f *folder, now time.Time) Change {
	touched := len(r.touched) > 0
	added, changed, removed, replaced := r.refresh(now)
	out, in := merge(removed, replaced), merge(added, changed)
	for _, x := range s.taxonomies() {
		x.update(out, in)
	}
	old := s.last
	next := &Snapshot{
		Entries: old.Entries, Categories: s.categories.list, Tags: s.tags.list,
		ByPath: byPath(old.ByPath, out, in), Redirects: old.Redirects,
		Next: r.next(), Alarm: r.guard.alarm, Posts: len(r.present), Held: old.Held, Departed: old.Departed, Gone: old.Gone,
		Problems: s.problems(r, f),
	}
	next.Former, next.Retired = s.formerAndRetired()
	if s.authors != nil {
		next.Authors = s.authors.list
	}
	if s.sections != nil {
		next.Sections = s.sections.list
	}
	if len(out)+len(in) > 0 {
		next.Entries = splice(old.Entries, out, in)
	}
	if len(added)+len(removed) > 0 || moved(replaced, changed) {
		next.Redirects = r.redirects(next.Entries, next.ByPath)
	}
	if touched {
		next.Held = r.held(now, old.Held)
	}
	next.Departed, next.Gone = s.departed(r, now)
	if len(out)+len(in) > 0 || !same(old, next) {
		s.last = next
	}
	return Change{Snapshot: s.last, Added: added, Changed: changed, Removed: removed}
}

// same reports whether two snapshots with the same entries are equal.
func same(a, b *Snapshot) bool {
	return a.ByPath != nil && a.Gone != nil && a.Alarm == b.Alarm && slices.Equal(a.Departed, b.Departed) && maps.Equal(a.Gone, b.Gone) && a.Posts == b.Posts && a.Next.Equal(b.Next) &&
		slices.Equal(a.Problems, b.Problems) && slices.Equal(a.Held, b.Held)
}

// merge joins two ordered lists that have nothing in common.
func merge(a, b []*Entry) []*Entry {
	if len(a) == 0 {
		return b
	}
	return splice(a, nil, b)
}

// moved reports whether any changed entry has another address, or asks for
// other aliases.
func moved(before, after []*Entry) bool {
	address := make(map[string]*Entry, len(before))
	for _, e := range before {
		address[e.ID] = e
	}
	return slices.ContainsFunc(after, func(e *Entry) bool {
		old := address[e.ID]
		return old == nil || old.URL != e.URL || !slices.Equal(old.Aliases, e.Aliases)
	})
}

// held lists the posts that readers may not see, by file.
func (r *roll) held(now time.Time, old []Held) []Held {
	var held []Held
	for rec := range r.hidden {
		held = append(held, Held{Post: rec.post, Why: rec.heldBack(now), Until: rec.appears(now)})
	}
	slices.SortFunc(held, func(a, b Held) int { return cmp.Compare(a.File, b.File) })
	if slices.Equal(held, old) {
		return old
	}
	return held
}

// appears is when time alone will show the post.
func (rec *record) appears(now time.Time) time.Time {
	if at := rec.appearsOrExpires(now); rec.post.Expires.IsZero() || rec.post.Expires.After(at) {
		return at
	}
	return time.Time{}
}

// problems lists everything worth telling, by file and line.
func (s *shelf) problems(r *roll, f *folder) []post.Problem {
	all := slices.Concat(slices.Collect(maps.Values(f.problems))...)
	for i, p := range all {
		if rec := r.present[p.File]; !p.Warning && rec != nil && rec.state == spoiled && rec.entry != nil {
			all[i].Message += "; the last good version stays published"
		}
	}
	for rec := range r.spoilt {
		if rec.bare {
			all = append(all, post.Problem{File: rec.row.File, Message: "the file is not a post any more (no front matter), so its last good version stays published; delete the file to take the post down"})
		}
	}
	for rec := range r.warned {
		all = append(all, rec.warnings...)
	}
	for _, x := range s.taxonomies() {
		all = append(all, x.problems()...)
	}
	slices.SortFunc(all, func(a, b post.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Message, b.Message))
	})
	return all
}
