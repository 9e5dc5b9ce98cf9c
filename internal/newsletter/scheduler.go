package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// A Scheduler makes the editions that fall due, wave by wave. The unique key of
// a wave decides; the Scheduler only wakes.
type Scheduler struct {
	service *Service
	metrics *Metrics
	planned func() // called after an edition that may be sent
	started time.Time

	next time.Time       // when to look again
	made map[string]bool // newsletter and slot of single posts that are on record

	mu     sync.Mutex
	faults map[string]error // newsletter → why its due run cannot be made at present
}

// NewScheduler makes a Scheduler that calls planned when there is something
// to send; metrics may be nil.
func NewScheduler(s *Service, planned func(), m *Metrics) *Scheduler {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Scheduler{service: s, metrics: m, planned: planned, faults: map[string]error{}, made: map[string]bool{}}
}

const (
	checkEvery = 30 * time.Second // a wall clock may be set, a machine may sleep
	freshPause = 20 * time.Millisecond
	freshTries = 250
)

// Run makes editions as they fall due until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	s.started = s.service.Clock.Now()
	for {
		now := s.service.Clock.Now()
		s.next = now.Add(checkEvery)
		for _, n := range s.service.Newsletters {
			s.attend(ctx, n)
		}
		if s.rest(ctx, s.next.Sub(now)); ctx.Err() != nil { // not until next: the clock may be set back meanwhile
			return nil
		}
	}
}

// rest sleeps so long, or until somebody has confirmed, who may be welcomed.
func (s *Scheduler) rest(ctx context.Context, d time.Duration) {
	ctx, wake := context.WithCancel(ctx)
	defer wake()
	go func() {
		select {
		case <-s.service.joined:
			wake()
		case <-ctx.Done():
		}
	}()
	s.service.Clock.Sleep(ctx, d)
}

// attend checks one newsletter, and remembers why it could not.
func (s *Scheduler) attend(ctx context.Context, n Newsletter) {
	err := s.check(ctx, n)
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	before := s.faults[n.Name]
	s.faults[n.Name] = err
	s.mu.Unlock()
	if err != nil && before == nil { // its words change with the time
		s.service.Log.Error("a scheduled edition could not be made; trying again", "newsletter", n.Name, "error", err)
	}
}

// Fault gives why a newsletter's due run cannot be made at present; nil if it
// can, or none is due.
func (s *Scheduler) Fault(newsletter string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[newsletter]
}

// check makes what is due of one newsletter.
func (s *Scheduler) check(ctx context.Context, n Newsletter) error {
	return errors.Join(s.runs(ctx, n), s.welcome(ctx, n))
}

// runs handles the waves of one newsletter that are due and not on record.
func (s *Scheduler) runs(ctx context.Context, n Newsletter) error {
	cadences := n.cadences()
	if len(cadences) == 0 {
		return nil
	}
	now := s.service.Clock.Now()
	first, err := s.service.seen(ctx, n, now, false)
	if err != nil {
		return err
	}
	for _, c := range cadences {
		st, err := s.service.standing(ctx, n, c, first, now)
		if err != nil {
			return err
		}
		if c == store.CadenceEach {
			err = s.checkEach(ctx, n, st, now)
		} else {
			err = s.checkCadence(ctx, n, st, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkCadence makes the waves of a cadence that are due, in the order of their
// instants. The mark of what is on record moves only once they all are.
func (s *Scheduler) checkCadence(ctx context.Context, n Newsletter, st standing, now time.Time) error {
	var runs []run
	for _, b := range st.bands() {
		o, err := s.service.owed(ctx, n, st, b, now, now.Add(checkEvery))
		if err != nil {
			return err
		}
		s.wake(o.next)
		if len(o.slots) == 0 {
			continue
		}
		missed, due := o.split(now, s.service.punctual())
		if err := s.recordMissed(ctx, n, st.Name, o, missed, due[0]); err != nil {
			return err
		}
		for _, slot := range due {
			if last := lastAt(due, slot.At); last == slot {
				runs = append(runs, run{st.Name, slot, b})
			} else if err := s.skip(ctx, n, st.Name, b, standsFor(notThatDay, last), false, slot); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(runs, compareRuns)
	for _, r := range runs {
		if err := s.run(ctx, n, r, now); err != nil {
			return err
		}
	}
	return s.keep(ctx, st, now, len(runs) > 0)
}

// wake makes Run look again at an instant, if that is soon.
func (s *Scheduler) wake(at time.Time) {
	if !at.IsZero() && at.Before(s.next) {
		s.next = at
	}
}

// keepEvery is how often the mark of what is on record is moved while nothing
// is due: what lies after it is looked for once more after a crash.
const keepEvery = 5 * time.Minute

// keep records how a cadence stands, now that its waves are on record.
func (s *Scheduler) keep(ctx context.Context, st standing, now time.Time, made bool) error {
	idle := len(st.Bands) == 0 && st.Kept == 0
	if idle || !made && !st.changed && now.Sub(st.Until) < keepEvery {
		return nil
	}
	st.Until = now
	return s.service.Store.KeepCadence(ctx, now, st.Cadence)
}

// lastAt gives the last slot of an instant: in the hour that clocks leave out,
// all slots fall on its end.
func lastAt(slots []schedule.Slot, at time.Time) (last schedule.Slot) {
	for _, slot := range slots {
		if slot.At.Equal(at) {
			last = slot
		}
	}
	return last
}

// punctual is how late a run may be and still count as in time: as long as a
// running process may take to notice, which is longer on a clock that races.
func (s *Service) punctual() time.Duration {
	return max(2*checkEvery, s.Clock.Span(2*time.Second))
}

// refuse says why a run that is late is not made; "" if it is made.
func (n Newsletter) refuse(late time.Duration) string {
	switch {
	case !n.CatchUp:
		return fmt.Sprintf("%s ago (catch_up: skip)", late)
	case late > n.MaxLateness:
		return fmt.Sprintf("%s ago: more than max_lateness (%s)", late, days(n.MaxLateness))
	}
	return ""
}

// run makes a wave that is due, or records why there is none. One that is in
// time holds what its instant holds, whenever exactly it is made.
func (s *Scheduler) run(ctx context.Context, n Newsletter, due run, now time.Time) error {
	late := now.Sub(due.At).Round(time.Second)
	r := Request{Newsletter: n, Cadence: due.cadence, Slot: due.Key, Band: due.band, DueAt: due.At, At: due.At}
	if late > s.service.punctual() {
		r.At, r.Late = time.Time{}, fmt.Sprintf("%s: %s", late, s.cause(n, due.At))
		if why := n.refuse(late); why != "" {
			return s.skip(ctx, n, due.cadence, due.band, fmt.Sprintf("missed while %s, %s", s.cause(n, due.At), why), true, due.Slot)
		}
	}
	s.fresh(ctx, due.At)
	p, err := s.service.Plan(ctx, r)
	switch {
	case errors.Is(err, store.ErrExists):
		return nil // another process was first
	case err != nil && transient(err):
		return err
	case err != nil:
		return s.fail(ctx, n, due, err)
	}
	s.report(p)
	return nil
}

// transient reports whether planning may succeed when tried again as it is.
func transient(err error) bool {
	return errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrUnwritable) || errors.Is(err, store.ErrClock) ||
		errors.Is(err, store.ErrRestored) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// fresh waits until a post that appears at this very minute has appeared. The
// posts are read in real time, however fast a rehearsed clock runs.
func (s *Scheduler) fresh(ctx context.Context, at time.Time) {
	for range freshTries {
		next := s.service.Posts().Next
		if next.IsZero() || next.After(at) || s.service.Clock.Sleep(ctx, s.service.Clock.Span(freshPause)) != nil {
			return
		}
	}
}
