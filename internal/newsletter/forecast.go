package newsletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// A Forecast tells what the runs to come of one newsletter, or a send by hand,
// will hold, if from now on nothing changes but the time. It assumes that the
// runs before do what it told of them. Nothing is recorded.
type Forecast struct {
	service *Service
	letter  Newsletter
	posts   func(at time.Time) (*catalog.Snapshot, error)

	FirstSeen time.Time // of the newsletter; zero: not yet
	from      time.Time // what counts as FirstSeen
	now       time.Time
	overdue   schedule.Slot
	mailed    map[string]string // post → the run that holds it
	numbers   map[string]int64  // stand for those of posts that are not on record
}

// Foresee makes a Forecast from now on; posts gives them as readers will see
// them, and is asked in the order of time.
func (s *Service) Foresee(ctx context.Context, n Newsletter, now time.Time, posts func(at time.Time) (*catalog.Snapshot, error)) (*Forecast, error) {
	if s.MailingOff != "" {
		return nil, fmt.Errorf("%w: %s", ErrMailingOff, s.MailingOff)
	}
	first, err := s.Store.NewsletterSeen(ctx, n.Name)
	if err != nil {
		return nil, err
	}
	f := &Forecast{
		service: s, letter: n, posts: posts, FirstSeen: first, from: first, now: now,
		mailed: map[string]string{}, numbers: map[string]int64{},
	}
	if first.IsZero() {
		f.from = now
	}
	return f, nil
}

// Overdue gives the run that is due now, and would be made at once; its Key is
// "" if there is none.
func (f *Forecast) Overdue(ctx context.Context) (schedule.Slot, error) {
	if f.FirstSeen.IsZero() {
		return schedule.Slot{}, nil
	}
	due, err := f.service.owed(ctx, f.letter, f.FirstSeen, f.now)
	if err != nil || len(due.slots) == 0 {
		return schedule.Slot{}, err
	}
	last := due.slots[len(due.slots)-1]
	if late := f.now.Sub(last.At); late > f.service.punctual() && f.letter.refuse(late) != "" {
		return schedule.Slot{}, nil
	}
	f.overdue = last
	return last, nil
}

// Run foresees the next run. Its posts count as mailed from then on, unless it
// mails nobody.
func (f *Forecast) Run(ctx context.Context, slot schedule.Slot) (Plan, error) {
	p, err := f.plan(ctx, Request{Newsletter: f.letter, Slot: slot.Key, DueAt: slot.At, At: f.made(slot), DryRun: true})
	if err != nil {
		return Plan{}, err
	}
	if len(p.Groups) > 0 {
		for _, e := range p.Selection.Included {
			f.mailed[e.ID] = slot.Key
		}
	}
	return p, nil
}

// made is when a run is made: one that is overdue, now.
func (f *Forecast) made(slot schedule.Slot) time.Time {
	if slot.Key == f.overdue.Key {
		return f.now
	}
	return slot.At
}

// ByHand foresees a send at an instant, without counting its posts as mailed.
func (f *Forecast) ByHand(ctx context.Context, at, since time.Time) (Plan, error) {
	return f.plan(ctx, Request{Newsletter: f.letter, At: at, Since: since, DryRun: true})
}

// Until foresees the runs before an instant, as far as any may mail something.
func (f *Forecast) Until(ctx context.Context, at time.Time) error {
	next, err := f.Overdue(ctx)
	if err != nil {
		return err
	}
	if next.Key == "" {
		next, _ = f.letter.Schedule.Next(f.now, f.letter.Zone)
	}
	for next.Key != "" && next.At.Before(at) {
		sel, err := f.selection(Request{At: f.made(next)})
		if err == nil && len(sel.Included) > 0 {
			_, err = f.Run(ctx, next)
		}
		if err != nil && !errors.Is(err, store.ErrExists) { // else it is made already
			return err
		}
		change, err := f.changes(f.made(next))
		if err != nil || change.IsZero() {
			return err
		}
		next, _ = f.letter.Schedule.Next(change.Add(-time.Nanosecond), f.letter.Zone)
	}
	return nil
}

// changes gives when, after an instant, a run may first hold a post that one
// at the instant does not; zero if never.
func (f *Forecast) changes(at time.Time) (time.Time, error) {
	snap, err := f.posts(at)
	if err != nil {
		return time.Time{}, err
	}
	if _, file := f.letter.settles(snap, Window{FirstSeen: f.from, Now: at}, f.service.Settle); file != "" {
		return at.Add(time.Nanosecond), nil
	}
	return snap.Next, nil
}

// Settled gives when every post that a send by hand now could hold has
// settled; send waits for that.
func (f *Forecast) Settled(since time.Time) (time.Time, error) {
	snap, err := f.posts(f.now)
	if err != nil {
		return time.Time{}, err
	}
	at, _ := f.letter.settles(snap, Window{FirstSeen: f.from, Since: since, Now: f.now}, f.service.Settle)
	return later(at, f.now), nil
}

func (f *Forecast) plan(ctx context.Context, r Request) (Plan, error) {
	sel, err := f.selection(r)
	if err != nil {
		return Plan{}, err
	}
	return f.service.planOf(ctx, r, sel, 0)
}

// selection gives the posts that a run may hold.
func (f *Forecast) selection(r Request) (Selection, error) {
	snap, err := f.posts(r.At)
	if err != nil {
		return Selection{}, err
	}
	from := f.from
	if f.FirstSeen.IsZero() && r.At.Before(from) {
		from = r.At
	}
	return f.left(f.letter.Select(f.view(snap, r.At), Window{FirstSeen: from, Since: r.Since, Now: r.At}, f.service.Settle)), nil
}

// left takes out what runs before hold.
func (f *Forecast) left(s Selection) Selection {
	l := Selection{Excluded: s.Excluded, posts: s.posts}
	for _, e := range s.Included {
		if run := f.mailed[e.ID]; run != "" {
			l.Excluded = append(l.Excluded, Excluded{e, foreseen + run})
		} else {
			l.Included = append(l.Included, e)
		}
	}
	return l
}

// view gives the posts of an instant as they will be on record then. Those that
// appear until then get numbers of their own. A file that was changed after an
// instant in the past counts as unchanged.
func (f *Forecast) view(snap *catalog.Snapshot, at time.Time) *catalog.Snapshot {
	v := *snap
	v.Entries = make([]*catalog.Entry, len(snap.Entries))
	for i, e := range snap.Entries {
		v.Entries[i] = f.entry(e, at)
	}
	return &v
}

func (f *Forecast) entry(e *catalog.Entry, at time.Time) *catalog.Entry {
	numbered := e.PostID != 0 || !e.Published.After(f.now)
	if numbered && !e.Changed.After(at) {
		return e
	}
	c := *e
	if !numbered {
		if f.numbers[e.ID] == 0 {
			f.numbers[e.ID] = -int64(len(f.numbers)) - 1
		}
		c.PostID = f.numbers[e.ID]
	}
	if c.Changed.After(at) {
		c.Changed = time.Time{}
	}
	return &c
}
