package newsletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

	FirstSeen time.Time // of the newsletter; zero: not yet
	from      time.Time // what counts as FirstSeen
	now       time.Time
	posts     *prospect
	cadences  map[string]standing
	mailed    map[reach]map[string]run // post → the run that holds it
	advanced  map[reach]time.Time      // until when the runs of a band are foreseen
}

// A reach is the readers of a newsletter who go by a cadence and are in a band.
type reach struct {
	cadence string
	band    store.Band
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
		service: s, letter: n, FirstSeen: first, from: first, now: now, posts: newProspect(posts, now),
		cadences: map[string]standing{}, mailed: map[reach]map[string]run{}, advanced: map[reach]time.Time{},
	}
	if first.IsZero() {
		f.from = now
	}
	for _, c := range n.cadences() {
		if f.cadences[c], err = s.standing(ctx, n, c, f.from, now); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Cadences gives those that have readers, in a fixed order.
func (f *Forecast) Cadences() []string {
	return slices.DeleteFunc(f.letter.cadences(), func(c string) bool { return len(f.cadences[c].Bands) == 0 })
}

// Overdue gives the last run of a cadence that is due now for some of its
// readers, and would be made at once; its Key is "" if there is none.
func (f *Forecast) Overdue(ctx context.Context, cadence string) (last schedule.Slot, err error) {
	for _, b := range f.cadences[cadence].bands() {
		slot, err := f.overdue(ctx, reach{cadence, b})
		if err != nil {
			return schedule.Slot{}, err
		}
		if slot.Key > last.Key {
			last = slot
		}
	}
	return last, nil
}

// overdue is Overdue of one band.
func (f *Forecast) overdue(ctx context.Context, r reach) (schedule.Slot, error) {
	if f.FirstSeen.IsZero() {
		return schedule.Slot{}, nil
	}
	st := f.cadences[r.cadence]
	var due []schedule.Slot
	if r.cadence == store.CadenceEach {
		due = f.service.duePosts(f.letter, st, f.now, 0)
	} else {
		o, err := f.service.owed(ctx, f.letter, st, r.band, f.now, f.now)
		if err != nil {
			return schedule.Slot{}, err
		}
		due = o.slots
	}
	if len(due) == 0 {
		return schedule.Slot{}, nil
	}
	last := due[len(due)-1]
	if late := f.now.Sub(last.At); late > f.service.punctual() && f.letter.refuse(late) != "" {
		return schedule.Slot{}, nil
	}
	return last, nil
}

// Run foresees a run of a cadence with all its waves that are to come. Its
// posts count as mailed from then on, unless it mails nobody. store.ErrExists
// if all its waves are made. A run in the past is told as of its time.
func (f *Forecast) Run(ctx context.Context, cadence string, slot schedule.Slot) (Plan, error) {
	var waves []Plan
	runs, err := f.waves(ctx, cadence, slot)
	if err != nil {
		return Plan{}, err
	}
	for _, r := range runs {
		p, err := f.wave(ctx, r)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return Plan{}, err
		}
		waves = append(waves, p)
	}
	if len(waves) == 0 {
		return Plan{}, fmt.Errorf("the run of %s of %s: %w", slot.Key, f.letter.Name, store.ErrExists)
	}
	return together(waves), nil
}

// waves gives those of a run in the order of their instants.
func (f *Forecast) waves(ctx context.Context, cadence string, slot schedule.Slot) ([]run, error) {
	if cadence == store.CadenceEach {
		return []run{{cadence, slot, store.Band{}}}, nil
	}
	var runs []run
	for _, b := range f.cadences[cadence].bands() {
		own, err := f.letter.spec(cadence, b).Slot(slot.Key, f.zone(b))
		if err != nil {
			return nil, err
		}
		due, err := f.overdue(ctx, reach{cadence, b})
		if err != nil {
			return nil, err
		}
		if past := !own.At.After(f.now) && slot.At.After(f.now); past && own.Key != due.Key {
			continue // went by before the others
		}
		runs = append(runs, run{cadence, own, b})
	}
	slices.SortFunc(runs, compareRuns)
	return runs, nil
}

// wave foresees one wave, after those of its readers that come before it.
func (f *Forecast) wave(ctx context.Context, w run) (Plan, error) {
	r := reach{w.cadence, w.band}
	if err := f.advance(ctx, r, w.At); err != nil {
		return Plan{}, err
	}
	p, err := f.made(ctx, w)
	if err == nil && w.At.After(f.advanced[r]) {
		f.advanced[r] = w.At
	}
	return p, err
}

// request asks for a wave as it will be made.
func (f *Forecast) request(ctx context.Context, w run) (Request, error) {
	r := Request{Newsletter: f.letter, Cadence: w.cadence, Slot: w.Key, Band: w.band, DueAt: w.At, At: w.At, DryRun: true}
	due, err := f.overdue(ctx, reach{w.cadence, w.band})
	if due.Key == w.Key && err == nil {
		r.At = f.now
		if late := f.now.Sub(w.At); late > f.service.punctual() {
			r.Late = late.Round(time.Second).String()
		}
	}
	return r, err
}

// made plans a wave, and counts its posts as mailed.
func (f *Forecast) made(ctx context.Context, w run) (Plan, error) {
	r := reach{w.cadence, w.band}
	request, err := f.request(ctx, w)
	if err != nil {
		return Plan{}, err
	}
	p, err := f.plan(ctx, request)
	if err == nil && len(p.Groups) > 0 {
		if f.mailed[r] == nil {
			f.mailed[r] = map[string]run{}
		}
		for _, e := range p.Selection.Included {
			f.mailed[r][e.ID] = w
		}
	}
	return p, err
}

// ByHand foresees a send at an instant, without counting its posts as mailed.
func (f *Forecast) ByHand(ctx context.Context, at, since time.Time) (Plan, error) {
	return f.plan(ctx, Request{Newsletter: f.letter, At: at, Since: since, DryRun: true})
}

// Until foresees the runs of all readers before an instant.
func (f *Forecast) Until(ctx context.Context, at time.Time) error {
	for _, c := range f.Cadences() {
		for _, b := range f.cadences[c].bands() {
			if err := f.advance(ctx, reach{c, b}, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// Settled gives when every post that a send by hand now could hold has
// settled; send waits for that.
func (f *Forecast) Settled(since time.Time) (time.Time, error) {
	snap, err := f.posts.at(f.now)
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
	return f.service.planOf(ctx, r, sel, 0, f)
}

// selection gives the posts that a run may hold.
func (f *Forecast) selection(r Request) (Selection, error) {
	snap, err := f.posts.view(r.At)
	if err != nil {
		return Selection{}, err
	}
	from := f.from
	if f.FirstSeen.IsZero() && r.At.Before(from) {
		from = r.At
	}
	return f.letter.Select(snap, Window{FirstSeen: from, Since: r.Since, Now: r.At}, f.service.Settle), nil
}

// had gives what runs before mail to a reader: post → run. Whoever had paused at
// the time of a run did not get it.
func (f *Forecast) had(r store.Reader) map[string]run {
	mailed := f.mailed[f.letter.reachOf(r.Frequency, r.Timezone, r.Hour)]
	if !r.PausedUntil.After(f.now) {
		return mailed
	}
	had := maps.Clone(mailed)
	maps.DeleteFunc(had, func(_ string, w run) bool { return w.At.Before(r.PausedUntil) })
	return had
}

// together sums up the waves of a run.
func together(waves []Plan) Plan {
	p := waves[0]
	p.Waves = waves
	if len(waves) == 1 {
		return p
	}
	p.Groups, p.Readers, p.Selection.Included = nil, nil, nil
	p.Edition.Counts, p.Edition.Posts = store.Counts{}, 0
	in := map[string]bool{}
	for _, w := range waves {
		p.Groups, p.Readers = append(p.Groups, w.Groups...), append(p.Readers, w.Readers...)
		p.Edition.Counts.Eligible += w.Wave.Readers
		p.Edition.Counts.Pending += w.Wave.Due
		p.Edition.Counts.Empty += w.Wave.Readers - w.Wave.Due
		if w.Wave.Status == store.WaveMade {
			p.Edition.Status, p.Edition.Reason = w.Edition.Status, ""
		}
		for _, e := range w.Selection.Included {
			if len(w.Groups) > 0 && !in[e.ID] {
				in[e.ID] = true
				p.Selection.Included = append(p.Selection.Included, e)
			}
		}
	}
	p.Edition.Posts = len(in)
	p.Selection.Excluded = slices.DeleteFunc(slices.Clone(p.Selection.Excluded), func(x Excluded) bool { return in[x.Entry.ID] })
	return p
}
