package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// entry gives the post as readers see it now; nil if they do not. It is the
// entry they saw before if nothing about it changed.
func (r *roll) entryOf(rec *record, now time.Time) *Entry {
	if !rec.shown(now) {
		return nil
	}
	e := Entry{
		Post: rec.post, PostID: rec.row.ID, ID: rec.row.GUID, Path: rec.row.Path, URL: rec.url,
		Published: rec.row.Published.In(rec.post.Published.Location()), FirstSeen: rec.row.FirstSeen, Changed: rec.row.Changed, Announced: rec.row.Announced,
	}
	if e.Path != "" {
		e.URL = r.cfg.address(e.Path)
	}
	e.Updated = e.Published
	if rec.post.Updated.After(e.Published) {
		e.Updated = rec.post.Updated
	}
	if rec.entry != nil && *rec.entry == e {
		return rec.entry
	}
	return &e
}

// refresh makes the entries of all touched records anew and says what that
// changed. The lists are newest first.
func (r *roll) refresh(now time.Time) (added, changed, removed, replaced []*Entry) {
	for rec := range r.touched {
		before := rec.entry
		rec.entry = r.entryOf(rec, now)
		r.withdraw(rec)
		delete(r.hidden, rec)
		if rec.entry == nil && rec.post != nil && (rec.state == here || rec.state == spoiled) {
			r.hidden[rec] = true
		}
		switch {
		case before == rec.entry:
		case before == nil:
			added = append(added, rec.entry)
		case rec.entry == nil:
			removed = append(removed, before)
		default:
			changed = append(changed, rec.entry)
			replaced = append(replaced, before)
		}
	}
	clear(r.touched)
	for _, list := range [][]*Entry{added, changed, removed, replaced} {
		slices.SortFunc(list, newestFirst)
	}
	return added, changed, removed, replaced
}

// newestFirst is the order of all lists of entries; it is total, because ids
// are unique.
func newestFirst(a, b *Entry) int {
	return cmp.Or(b.Published.Compare(a.Published), strings.Compare(a.ID, b.ID))
}

// splice gives a new list: old without out, with in. All are in order, and
// every entry of out is in old. It copies the stretches between, so that one
// change in a long list costs little more than the copy.
func splice(old, out, in []*Entry) []*Entry {
	list := make([]*Entry, 0, len(old)-len(out)+len(in))
	for len(out) > 0 || len(in) > 0 {
		leave := len(in) == 0 || len(out) > 0 && newestFirst(out[0], in[0]) <= 0
		next := in
		if leave {
			next = out
		}
		at, _ := slices.BinarySearchFunc(old, next[0], newestFirst)
		list = append(list, old[:at]...)
		old = old[at:]
		if leave {
			old, out = old[1:], out[1:]
		} else {
			list, in = append(list, in[0]), in[1:]
		}
	}
	return append(list, old...)
}

// byPath gives the index by address after a change; the old one stays as it is.
func byPath(old map[string]*Entry, out, in []*Entry) map[string]*Entry {
	if len(out)+len(in) == 0 && old != nil {
		return old
	}
	index := maps.Clone(old)
	if index == nil {
		index = make(map[string]*Entry, len(in))
	}
	for _, e := range out {
		delete(index, e.Path)
	}
	for _, e := range in {
		if e.Path != "" {
			index[e.Path] = e
		}
	}
	return index
}

// redirects leads former addresses and aliases to where the posts are now.
func (r *roll) redirects(entries []*Entry, live map[string]*Entry) map[string]string {
	to := map[string]string{}
	lead := func(from string, e *Entry) {
		if e != nil && e.Path != "" && live[from] == nil {
			to[from] = e.Path
		}
	}
	for from, rec := range r.former {
		lead(from, rec.entry)
	}
	for i := len(entries) - 1; i >= 0; i-- { // the newest claim to an alias counts
		for _, alias := range entries[i].Aliases {
			lead(cleanPath(unescape(trimQuery(alias))), entries[i])
		}
	}
	return to
}
