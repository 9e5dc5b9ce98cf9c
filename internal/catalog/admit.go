package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/post"
)

// date is when the post's file says it is, or was, published.
func (rec *record) date() time.Time {
	if rec.post == nil {
		return rec.row.Published
	}
	return rec.post.Published
}

// shown reports whether readers may see the post.
func (rec *record) shown(now time.Time) bool { return rec.heldBack(now) == "" }

// heldBack says why readers may not see the post; "" if they may.
func (rec *record) heldBack(now time.Time) string {
	switch p := rec.post; {
	case rec.state == gone || rec.state == missing && !rec.pinned():
		return "its file is gone"
	case p == nil:
		return "its file cannot be read"
	case p.Hidden != "":
		return p.Hidden
	case rec.date().After(now):
		return "dated " + rec.date().Format("2006-01-02 15:04 MST")
	case !p.Expires.IsZero() && !p.Expires.After(now):
		return "expired " + p.Expires.Format("2006-01-02 15:04 MST")
	}
	return ""
}

// turns is when time alone will next show or hide the post, or end the telling
// that it left; zero if never.
func (rec *record) turns(now time.Time) time.Time {
	return sooner(rec.appearsOrExpires(now), rec.forgets(now))
}

func (rec *record) appearsOrExpires(now time.Time) time.Time {
	p := rec.post
	switch {
	case p == nil || p.Hidden != "" || rec.state == gone:
	case rec.date().After(now):
		return rec.date()
	case p.Expires.After(now):
		return p.Expires
	}
	return time.Time{}
}

// admit looks at every post that may have changed, or whose time has come,
// and pins those that readers see for the first time. Those already pinned
// come first, then the oldest, so that addresses and ids do not depend on
// the order in which files were read.
func (r *roll) admit(now time.Time) {
	for rec, at := range r.timed {
		if !at.After(now) {
			r.touch(rec)
		}
	}
	if len(r.touched) > 0 {
		maps.Copy(r.touched, r.warned) // what they were warned of may be over
	}
	for _, rec := range r.inOrder(r.touched) {
		r.unwarn(rec)
		if rec.shown(now) {
			r.pin(rec, now)
		} else {
			r.depart(rec, now)
		}
		if at := rec.turns(now); at.IsZero() {
			delete(r.timed, rec)
		} else {
			r.timed[rec] = at
		}
	}
}

// next is when the next post appears or expires, or is no longer told to have
// left; zero if none is.
func (r *roll) next() time.Time {
	var next time.Time
	for _, at := range r.timed {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

func (r *roll) inOrder(records map[*record]bool) []*record {
	return slices.SortedFunc(maps.Keys(records), func(a, b *record) int {
		return cmp.Or(
			-compareBool(a.pinned(), b.pinned()),
			a.age().Compare(b.age()),
			cmp.Compare(len(a.row.File), len(b.row.File)), // post.md before its translation post.fr.md
			cmp.Compare(a.row.File, b.row.File),
			cmp.Compare(a.row.ID, b.row.ID),
		)
	})
}

// age is what decides who is older.
func (rec *record) age() time.Time {
	if rec.pinned() {
		return rec.row.Published
	}
	return rec.date()
}

// pin fixes what must not change once readers have seen the post, and gives
// it an address again if its own front matter asks for another.
func (r *roll) pin(rec *record, now time.Time) {
	before := rec.row
	if rec.row.Published.IsZero() {
		rec.row.Published = instant(rec.date())
	}
	if rec.row.FirstSeen.IsZero() {
		rec.row.FirstSeen = instant(now)
	}
	rec.row.Departed = time.Time{}
	r.house(rec)
	r.name(rec)
	if differs(rec.row, before) {
		r.save(rec)
	}
}

// house gives the post its address. It keeps the one it has while its wish
// stays the same, even if that was a second choice and the first is free now.
func (r *roll) house(rec *record) {
	wish, url := r.cfg.wish(rec.post, rec.row.Published)
	kept := rec.row.Path != "" && !r.cfg.reserved(rec.row.Path) && r.paths[rec.row.Path] == rec &&
		(rec.row.Path == wish || secondChoice(rec.row.Path, wish) && (rec.wish == "" || rec.wish == wish))
	rec.wish, rec.url = wish, url
	if !kept {
		r.move(rec, r.freePath(rec, wish))
	}
	if r.cfg.reserved(wish) {
		r.warn(rec, "the address %s is one of tidings' own, so this post is at %s; give it another permalink", wish, rec.row.Path)
	} else if holder := r.paths[wish]; holder != nil && holder != rec {
		r.warn(rec, "the address %s is taken by %s, so this post is at %s; give it a slug of its own", wish, holder.row.File, rec.row.Path)
	}
}

// freePath gives the wish, or the first free second choice.
func (r *roll) freePath(rec *record, wish string) string {
	if wish == "" {
		return ""
	}
	for n := 1; ; n++ {
		choice := numbered(wish, n)
		if holder := r.paths[choice]; (holder == nil || holder == rec) && !r.cfg.reserved(choice) {
			return choice
		}
	}
}

// move changes the post's address and remembers the former one.
func (r *roll) move(rec *record, to string) {
	from := rec.row.Path
	if from != "" {
		if r.paths[from] == rec {
			delete(r.paths, from)
		}
		if from != to {
			r.former[from] = rec
		}
	}
	rec.row.Path = to
	if to != "" {
		r.paths[to] = rec
		delete(r.former, to)
	}
}

// name gives the post its id: the one its front matter names, unless that is
// another post's, else one made of authority, date and first address.
func (r *roll) name(rec *record) {
	want := rec.post.GUID
	holder := r.byGUID[want]
	switch {
	case want != "" && (holder == nil || holder == rec):
		r.rename(rec, want)
	case rec.row.GUID == "":
		r.rename(rec, r.mint(rec))
	}
	if want != "" && want != rec.row.GUID {
		r.warn(rec, "the id %q belongs to %s already, so this post has the id %s; every post needs an id of its own", want, holder.row.File, rec.row.GUID)
	}
}

func (r *roll) rename(rec *record, guid string) {
	if rec.row.GUID == guid {
		return
	}
	delete(r.byGUID, rec.row.GUID)
	rec.row.GUID, rec.row.Renamed = guid, rec.row.ID != 0
	r.byGUID[guid] = rec
}

// mint makes an id (RFC 4151) that no post has.
func (r *roll) mint(rec *record) string {
	first := rec.row.Path
	if first == "" {
		first = r.cfg.expand(rec.post, rec.row.Published)
	}
	id := tagURI(r.cfg.SiteURL, rec.row.Published.In(r.cfg.Location), first)
	for n := 1; ; n++ {
		if choice := numbered(id, n); r.byGUID[choice] == nil {
			return choice
		}
	}
}

func (r *roll) unwarn(rec *record) {
	rec.warnings = nil
	delete(r.warned, rec)
}

func (r *roll) warn(rec *record, message string, args ...any) {
	r.warned[rec] = true
	rec.warnings = append(rec.warnings, post.Problem{
		File: rec.row.File, Message: fmt.Sprintf(message, args...), Warning: true,
	})
}

// numbered gives the nth choice after a wish: "/a/", "/a-2/", "/a-3/".
func numbered(wish string, n int) string {
	if n == 1 {
		return wish
	}
	stem, tail := cutTail(wish)
	if stem == "" { // the root
		stem = "/post"
	}
	return fmt.Sprintf("%s-%d%s", stem, n, tail)
}

// secondChoice reports whether an address is a numbered form of a wish.
func secondChoice(address, wish string) bool {
	stem, tail := cutTail(wish)
	number, ok := strings.CutPrefix(address, stem+"-")
	number, ok2 := strings.CutSuffix(number, tail)
	return ok && ok2 && number != "" && strings.Trim(number, "0123456789") == ""
}
