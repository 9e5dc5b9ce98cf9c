package newsletter

import (
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/schedule"
)

// A prospect is the posts as they will be. It asks for them in the order of
// time, and keeps what it has seen.
type prospect struct {
	ask     func(at time.Time) (*catalog.Snapshot, error)
	now     time.Time
	seen    []outlook
	numbers map[string]int64 // stand for those of posts that are not on record
}

// An outlook is the posts from an instant on.
type outlook struct {
	from time.Time
	snap *catalog.Snapshot
}

func newProspect(ask func(time.Time) (*catalog.Snapshot, error), now time.Time) *prospect {
	return &prospect{ask: ask, now: now, numbers: map[string]int64{}}
}

// at gives the posts of an instant. The first instant that is asked for is the
// earliest there is.
func (p *prospect) at(t time.Time) (*catalog.Snapshot, error) {
	for {
		i, found := slices.BinarySearchFunc(p.seen, t, func(o outlook, t time.Time) int { return o.from.Compare(t) })
		if !found && i > 0 {
			i--
		}
		from := t
		if len(p.seen) > 0 {
			last := p.seen[len(p.seen)-1]
			if i < len(p.seen)-1 || last.snap.Next.IsZero() || last.snap.Next.After(t) {
				return p.seen[i].snap, nil
			}
			from = last.snap.Next
		}
		snap, err := p.ask(from)
		if err != nil {
			return nil, err
		}
		p.seen = append(p.seen, outlook{from, snap})
	}
}

// view gives the posts of an instant as they will be on record then. Those that
// appear until then get numbers of their own. A file that was changed after an
// instant in the past counts as unchanged.
func (p *prospect) view(at time.Time) (*catalog.Snapshot, error) {
	snap, err := p.at(at)
	if err != nil {
		return nil, err
	}
	v := *snap
	v.Entries = make([]*catalog.Entry, len(snap.Entries))
	for i, e := range snap.Entries {
		v.Entries[i] = p.entry(e, at)
	}
	return &v, nil
}

func (p *prospect) entry(e *catalog.Entry, at time.Time) *catalog.Entry {
	numbered := e.PostID != 0 || !e.Published.After(p.now)
	if numbered && !e.Changed.After(at) {
		return e
	}
	c := *e
	if !numbered {
		if p.numbers[e.ID] == 0 {
			p.numbers[e.ID] = -int64(len(p.numbers)) - 1
		}
		c.PostID = p.numbers[e.ID]
	}
	if c.Changed.After(at) {
		c.Changed = time.Time{}
	}
	return &c
}

// changes gives when, after an instant, a run may first hold a post that one
// at the instant does not; zero if never.
func (f *Forecast) changes(at time.Time) (time.Time, error) {
	snap, err := f.posts.at(at)
	if err != nil {
		return time.Time{}, err
	}
	if _, file := f.letter.settles(snap, Window{FirstSeen: f.from, Now: at}, f.service.Settle); file != "" {
		return at.Add(time.Nanosecond), nil
	}
	return snap.Next, nil
}

// nextPost gives the first post after an instant that is due by itself.
func (f *Forecast) nextPost(after time.Time) (next schedule.Slot, ok bool, err error) {
	for t := after; !t.IsZero(); {
		snap, err := f.posts.view(t)
		if err != nil {
			return next, false, err
		}
		for _, e := range snap.Entries {
			at := f.service.falls(e)
			if at.After(after) && (!ok || at.Before(next.At)) && f.letter.exclude(e, Window{FirstSeen: f.from, Now: later(at, t)}, f.service.Settle) == "" {
				next, ok = schedule.Slot{Key: postSlot(e), At: at}, true
			}
		}
		if ok && (snap.Next.IsZero() || !next.At.After(snap.Next)) {
			break
		}
		t = snap.Next
	}
	return next, ok, nil
}
