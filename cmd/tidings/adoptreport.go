package main

import (
	"cmp"
	"time"

	"tidings/internal/adopt"
	"tidings/internal/catalog"
)

// adoptJSON is what became of the entries of a former feed.
type adoptJSON struct {
	DryRun   bool           `json:"dry_run"`
	Entries  int            `json:"entries"`
	Shown    int            `json:"shown"`    // those of the former feed itself, without older pages
	Shows    int            `json:"shows"`    // posts in the new feed of everything
	Adopted  int            `json:"adopted"`  // ids
	Dates    int            `json:"dates"`    // of first publication
	Apart    int            `json:"apart"`    // posts that keep a date other than the entry's
	Already  int            `json:"already"`  // posts that had the id
	Late     int            `json:"late"`     // posts that readers could see under another id until now
	Unknown  []foreignJSON  `json:"unknown"`  // entries without a post
	Posts    []string       `json:"posts"`    // files of posts without an entry
	Conflict []conflictJSON `json:"conflict"` // entries whose id its post does not get
}

type foreignJSON struct {
	ID    string `json:"id"`
	Link  string `json:"link"`
	Title string `json:"title"`
}

type conflictJSON struct {
	File   string `json:"file"`
	ID     string `json:"id"`     // that the post keeps
	Former string `json:"former"` // that the entry has
	Why    string `json:"why"`
}

// adoptionReport counts; posts first seen before the run began were pinned by
// an earlier one, and readers may have them.
func adoptionReport(r adopt.Report, began time.Time) adoptJSON {
	j := adoptJSON{Adopted: len(r.New), Already: len(r.Already), Unknown: []foreignJSON{}, Posts: []string{}, Conflict: []conflictJSON{}}
	for _, e := range r.Unknown {
		j.Unknown = append(j.Unknown, foreignJSON{ID: e.ID, Link: e.Link, Title: e.Title})
	}
	for _, p := range r.Posts {
		j.Posts = append(j.Posts, p.File)
	}
	for _, p := range r.New {
		if p.Post.FirstSeen.Before(began) {
			j.Late++
		}
	}
	for _, p := range r.Matched() {
		if !p.Date.IsZero() {
			j.Dates++
		}
		if p.Apart {
			j.Apart++
		}
	}
	ids := map[*catalog.Entry]string{}
	for _, p := range r.New {
		ids[p.Post] = p.Entry.ID
	}
	conflicts := func(pairs []adopt.Pair, why string) {
		for _, p := range pairs {
			j.Conflict = append(j.Conflict, conflictJSON{p.Post.File, cmp.Or(ids[p.Post], p.Post.ID), p.Entry.ID, why})
		}
	}
	conflicts(r.Explicit, "its front matter says so; take that id out to adopt the other")
	conflicts(r.Taken, "another post has that id and keeps it")
	conflicts(r.Twice, "a newer entry is the same post")
	return j
}

func (a *app) tellAdoption(j adoptJSON) {
	verb := "adopted"
	if j.DryRun {
		verb = "would be adopted"
	}
	a.say("%s in the former feed: %s and %s %s, %d so already",
		plural(j.Entries, "entry"), plural(j.Adopted, "id"), plural(j.Dates, "date"), verb, j.Already)
	sayMost(a, j.Conflict, func(c conflictJSON) { a.say("%s keeps the id %s, not %s: %s", c.File, c.ID, c.Former, c.Why) })
	sayMost(a, j.Unknown, func(e foreignJSON) { a.say("no post is like: %s %q (%s)", e.Link, e.Title, e.ID) })
	if len(j.Unknown) > 0 {
		a.say("If one of these is a post of yours, put its address among the post's aliases and adopt again.")
	}
	if n := len(j.Posts); n > 0 {
		a.say("%s not in the former feed; the ids made by tidings stay", plural(n, "post"))
	}
	if j.Apart > 0 {
		a.say("%s with another date in the feed, more than two days away or such that the address would be another one; their own stays", plural(j.Apart, "post"))
	}
	a.warnOfAdoption(j)
}

// warnOfAdoption says who will be shown posts all the same.
func (a *app) warnOfAdoption(j adoptJSON) {
	if j.Late > 0 {
		a.say("%s had other ids before: readers who came to the new feeds meanwhile see them once more", plural(j.Late, "post"))
	}
	if j.Shows > j.Shown {
		a.say("The former feed shows %s, the new one %d: who subscribed not long ago would be shown the older ones.", plural(j.Shown, "entry"), j.Shows)
		a.say("To spare them that, set feeds.items: %d and feeds.days: 0, and raise both once newer posts have taken their places.", j.Shown)
	}
	if j.Adopted+j.Dates > 0 && !j.DryRun {
		a.say("A running daemon notices within a minute.")
	}
}

// sayMost tells people the first of a list.
func sayMost[T any](a *app, list []T, say func(T)) {
	const most = 20
	for _, x := range list[:min(len(list), most)] {
		say(x)
	}
	if n := len(list) - most; n > 0 {
		a.say("and %d more; --json lists all", n)
	}
}
