package newsletter

import (
	"fmt"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/post"
)

// A Window is the span of time in which a post must have been published for
// an edition.
type Window struct {
	FirstSeen time.Time // when the newsletter was first seen
	Since     time.Time // asked for by hand; zero: not
	Now       time.Time
}

// An Excluded post is not in an edition, and why.
type Excluded struct {
	Entry  *catalog.Entry
	Reason string
}

// A Selection is what an edition may hold: the posts any reader may be due,
// newest first, and the others.
type Selection struct {
	Included []*catalog.Entry
	Excluded []Excluded

	posts *catalog.Snapshot // of which it was made
}

// How reasons begin that a Selection sums up.
const (
	tooOld    = "older than max_post_age"
	tooEarly  = "published before the newsletter was first seen"
	unsettled = "its file changed"
	foreseen  = "in the run of " // of a forecast
)

// nobodyNew is why an edition mails nobody although there are posts for it.
const nobodyNew = "every reader already has these posts, or follows other topics"

// Select sorts a snapshot's posts for an edition of n.
func (n Newsletter) Select(snap *catalog.Snapshot, w Window, settle time.Duration) Selection {
	s := Selection{posts: snap}
	for _, e := range snap.Entries {
		if why := n.exclude(e, w, settle); why != "" {
			s.Excluded = append(s.Excluded, Excluded{e, why})
			continue
		}
		s.Included = append(s.Included, e)
	}
	for _, h := range snap.Held {
		if n.Topics.Match(h.Post) {
			s.Excluded = append(s.Excluded, Excluded{&catalog.Entry{Post: h.Post, Published: h.Published}, h.Why})
		}
	}
	return s
}

// exclude says why a post is not in an edition; "" if it is.
func (n Newsletter) exclude(e *catalog.Entry, w Window, settle time.Duration) string {
	switch {
	case !n.Topics.Match(e.Post):
		return "not in this newsletter's categories or tags"
	case e.Announce == post.Hold:
		return "held (hold: true)"
	case e.Published.After(w.Now):
		return "not published yet"
	case e.Announced.After(w.Now):
		return "announced anew after that" // its mail is the next one, so that nobody gets it in both
	case !w.Since.IsZero() && later(e.Published, e.Announced).Before(w.Since):
		return "published before " + w.Since.In(n.Zone).Format(time.RFC3339)
	case w.Since.IsZero() && w.Now.Sub(later(e.Published, e.Announced)) > n.MaxPostAge:
		return fmt.Sprintf("%s (%s)", tooOld, days(n.MaxPostAge))
	case w.Since.IsZero() && !n.owed(e, w.FirstSeen):
		return fmt.Sprintf("%s (%s)", tooEarly, w.FirstSeen.In(n.Zone).Format(time.RFC3339))
	case w.Now.Sub(e.Changed) < settle:
		return fmt.Sprintf("%s less than %s ago (posts.settle)", unsettled, settle)
	case e.PostID == 0:
		return "not recorded yet, because the database could not be written"
	}
	return ""
}

// owed reports whether a post counts as published since the newsletter was
// first seen. A date often names a day only, or the morning on which the
// writing began: a post that came to the store after the newsletter counts
// from the start of the newsletter's first day.
func (n Newsletter) owed(e *catalog.Entry, firstSeen time.Time) bool {
	if !later(e.Published, e.Announced).Before(firstSeen) {
		return true
	}
	y, m, d := firstSeen.In(n.Zone).Date()
	firstDay := time.Date(y, m, d, 0, 0, 0, 0, n.Zone)
	return e.FirstSeen.After(firstSeen) && !e.Published.Before(firstDay)
}

// settles gives when the last unsettled post of the newsletter within the
// window will have settled, and its file; zero if all have.
func (n Newsletter) settles(snap *catalog.Snapshot, w Window, settle time.Duration) (at time.Time, file string) {
	for _, e := range snap.Entries {
		if n.exclude(e, w, 0) != "" {
			continue
		}
		if t := e.Changed.Add(settle); t.After(w.Now) && t.After(at) {
			at, file = t, e.File
		}
	}
	return at, file
}

// nothing says why a selection is empty.
func (s Selection) nothing() string {
	older := 0
	for _, x := range s.Excluded {
		switch {
		case strings.HasPrefix(x.Reason, foreseen):
			return nobodyNew
		case strings.HasPrefix(x.Reason, unsettled):
			return "no new posts yet: " + x.Entry.File + ": " + x.Reason
		case strings.HasPrefix(x.Reason, tooOld), strings.HasPrefix(x.Reason, tooEarly):
			older++
		}
	}
	if older > 0 {
		return fmt.Sprintf("no new posts (%d older ones are mailed only with --since)", older)
	}
	return "no new posts"
}

func days(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return d.String()
}
