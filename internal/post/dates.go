package post

import (
	"fmt"
	"strings"
	"time"
)

func errTemplatePage(file string) error {
	return fmt.Errorf("%s: %w: it has no title, no date and no text", file, ErrNotPost)
}

// A badDate is a date of the front matter that cannot be read.
type badDate struct {
	problem Problem
	asks    bool // asks the generator to look at the file or at git
}

// asWarning says which date stands in.
func (b *badDate) asWarning(instead time.Time) Problem {
	p := b.problem
	p.Message += "; " + instead.Format(time.DateOnly) + " is taken instead"
	p.Warning = true
	return p
}

// published gives the date in the front matter; zero if there is none. The
// dates of release and of writing may both be there: a post does not appear
// before the later of them. When it was created counts only if nothing else
// is known.
func (f *fields) published() (time.Time, *badDate) {
	var bad *badDate
	read := func(keys ...string) time.Time {
		at, err := f.date(keys...)
		if err != nil && bad == nil {
			bad = err
		}
		return at
	}
	date := read("date")
	release := read("publishdate", "pubdate", "published", "publishedat", "datepublished")
	created := read("created", "createdat", "datecreated")
	switch {
	case release.After(date):
		return release, bad
	case date.IsZero():
		return created, bad
	}
	return date, bad
}

// date reads the first of the keys that holds one. A switch under such a key
// (published: false) is no date.
func (f *fields) date(keys ...string) (time.Time, *badDate) {
	for _, key := range keys {
		n := f.get(key)
		if n == nil || n.kind == boolKind || n.kind == textKind && n.scalar() == "" {
			continue
		}
		if _, isSwitch := n.truth(); isSwitch {
			continue
		}
		return f.readDate(key, n)
	}
	return time.Time{}, nil
}

func (f *fields) readDate(key string, n *node) (time.Time, *badDate) {
	if n.kind == tableKind && n.get("date") != nil { // last_update: {date: …}
		n = n.get("date")
	}
	at, err := parseTime(n.scalar(), f.opt.Location)
	if err == nil {
		return at, nil
	}
	return time.Time{}, &badDate{
		problem: Problem{File: f.file, Line: n.line, Message: fmt.Sprintf("%s %q: %v", f.spelling(key), shortened(n.scalar()), err)},
		asks:    asksGenerator(n.scalar()),
	}
}

// asksGenerator knows the words that stand for a date of the file or of git,
// which differ from one copy of the posts to the next.
func asksGenerator(date string) bool {
	date = strings.ToLower(date)
	return strings.HasPrefix(date, ":") || strings.HasPrefix(date, "git ") || date == "last modified" || date == "created"
}

// shortened keeps messages readable whatever the file holds.
func shortened(text string) string { return cutAtWord(clean(text), 60) }

// updated gives the declared last change. One that cannot be read is left
// out.
func (f *fields) updated() time.Time {
	at, bad := f.date("lastmod", "lastmodified", "lastmodifiedat", "modified", "modifiedat", "updated", "updatedat",
		"updateddate", "dateupdated", "datemodified", "lastupdated", "lastupdate")
	if bad != nil && !bad.asks {
		bad.problem.Warning = true
		bad.problem.Message += "; it is left out"
		f.warnings = append(f.warnings, bad.problem)
	}
	return at
}

// expires gives the instant at which the post disappears. One that cannot be
// read keeps the post back, since nobody knows whether it is over.
func (f *fields) expires() (time.Time, error) {
	at, bad := f.date("expirydate", "expires", "expireson", "unpublishdate")
	if bad != nil {
		return time.Time{}, bad.problem
	}
	return at, nil
}
