package newsletter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// A Scheduler makes the editions that fall due. The unique key of an
// edition's slot decides; the Scheduler only wakes.
type Scheduler struct {
	service *Service
	metrics *Metrics
	planned func() // called after an edition that may be sent
	started time.Time

	mu     sync.Mutex
	faults map[string]error // newsletter → why its due run cannot be made at present
}

// NewScheduler makes a Scheduler that calls planned when there is something
// to send; metrics may be nil.
func NewScheduler(s *Service, planned func(), m *Metrics) *Scheduler {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Scheduler{service: s, metrics: m, planned: planned, faults: map[string]error{}}
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
		next := now.Add(checkEvery)
		for _, n := range s.service.Newsletters {
			if n.Schedule == nil {
				continue
			}
			s.attend(ctx, n)
			if slot, ok := n.Schedule.Next(now, n.Zone); ok && slot.At.Before(next) {
				next = slot.At
			}
		}
		if s.service.Clock.Sleep(ctx, next.Sub(now)) != nil { // not until: the clock may be set back meanwhile
			return nil
		}
	}
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

// check handles the slots of one newsletter that are due and have no edition.
func (s *Scheduler) check(ctx context.Context, n Newsletter) error {
	now := s.service.Clock.Now()
	first, err := s.service.seen(ctx, n, now, false)
	if err != nil {
		return err
	}
	due, err := s.service.owed(ctx, n, first, now)
	if err != nil || len(due.slots) == 0 {
		return err
	}
	missed, runs := due.split(now, s.service.punctual())
	if err := s.recordMissed(ctx, n, due, missed, runs[0]); err != nil {
		return err
	}
	for _, slot := range runs {
		if last := lastAt(runs, slot.At); last != slot {
			err = s.skip(ctx, n, standsFor(notThatDay, last), false, slot)
		} else {
			err = s.run(ctx, n, slot, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
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

// Why a run was not made at its time.
const (
	notRunning = "tidings was not running"
	asleep     = "the machine slept or its clock was set forward"
	notThatDay = "its local time was left out that day, when the clocks were set forward"
)

// cause says why a slot was not attended to.
func (s *Scheduler) cause(n Newsletter, slot schedule.Slot) string {
	if err := s.Fault(n.Name); err != nil && !slot.At.Before(s.started) {
		return "it could not be made: " + err.Error()
	}
	if slot.At.Before(s.started) {
		return notRunning
	}
	return asleep
}

func standsFor(why string, run schedule.Slot) string {
	return why + "; the run of " + run.Key + " stands for it"
}

// recordChunk is how many records are made in one transaction, so that those
// of a long time do not keep the senders from the database.
const recordChunk = 500

// recordMissed records the slots that went by unattended; run stands for them.
func (s *Scheduler) recordMissed(ctx context.Context, n Newsletter, due owed, missed []schedule.Slot, run schedule.Slot) error {
	if due.older > 0 {
		reason := fmt.Sprintf("missed while %s: %d runs from %s to %s, which share this record", s.cause(n, due.first), due.older, due.first.Key, due.until.Key)
		if err := s.skip(ctx, n, reason, true, due.until); err != nil {
			return err
		}
	}
	for len(missed) > 0 {
		chunk := missed[:min(recordChunk, len(missed))]
		if err := s.skip(ctx, n, standsFor("missed while "+s.cause(n, chunk[0]), run), true, chunk...); err != nil {
			return err
		}
		missed = missed[len(chunk):]
	}
	return nil
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

// run makes the edition of a due slot, or records why there is none. A run
// that is in time holds what its instant holds, whenever exactly it is made.
func (s *Scheduler) run(ctx context.Context, n Newsletter, slot schedule.Slot, now time.Time) error {
	late := now.Sub(slot.At).Round(time.Second)
	r := Request{Newsletter: n, Slot: slot.Key, DueAt: slot.At, At: slot.At}
	if late > s.service.punctual() {
		r.At, r.Late = time.Time{}, fmt.Sprintf("%s: %s", late, s.cause(n, slot))
		if why := n.refuse(late); why != "" {
			return s.skip(ctx, n, fmt.Sprintf("missed while %s, %s", s.cause(n, slot), why), true, slot)
		}
	}
	s.fresh(ctx, slot.At)
	p, err := s.service.Plan(ctx, r)
	switch {
	case errors.Is(err, store.ErrExists):
		return nil // another process was first
	case err != nil && transient(err):
		return err
	case err != nil:
		return s.fail(ctx, n, slot, err)
	}
	s.report(p.Edition)
	return nil
}

// transient reports whether planning may succeed when tried again as it is.
func transient(err error) bool {
	return errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrUnwritable) || errors.Is(err, store.ErrClock) ||
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

func (s *Scheduler) report(e store.Edition) {
	s.metrics.edition(e.Status)
	log := s.service.Log.With("newsletter", e.Newsletter, "slot", e.Slot, "edition", e.ID)
	if e.Late != "" {
		log = log.With("late", e.Late)
	}
	switch e.Status {
	case store.EditionSkipped:
		log.Info("edition skipped", "reason", e.Reason)
	case store.EditionPlanned:
		log.Info("edition waits for approval", "posts", e.Posts, "readers", e.Counts.Pending,
			"approve", fmt.Sprintf("tidings editions resume %d", e.ID))
	default:
		log.Info("edition planned", "posts", e.Posts, "readers", e.Counts.Pending)
		s.planned()
	}
}

// skip records slots that send nothing; missed, if because of an accident.
func (s *Scheduler) skip(ctx context.Context, n Newsletter, reason string, missed bool, slots ...schedule.Slot) error {
	e := store.Edition{Status: store.EditionSkipped, Reason: reason, Missed: missed}
	return s.note(ctx, n, e, slots)
}

// fail records a slot whose edition cannot be made.
func (s *Scheduler) fail(ctx context.Context, n Newsletter, slot schedule.Slot, cause error) error {
	s.service.Log.Error("edition failed", "newsletter", n.Name, "slot", slot.Key, "error", cause)
	return s.note(ctx, n, store.Edition{Status: store.EditionFailed, Reason: cause.Error()}, []schedule.Slot{slot})
}

// note records e for each of some slots.
func (s *Scheduler) note(ctx context.Context, n Newsletter, e store.Edition, slots []schedule.Slot) error {
	e.Newsletter, e.Cadence, e.InDoubt = n.Name, store.CadenceSchedule, n.InDoubt
	records := make([]store.Edition, len(slots))
	for i, slot := range slots {
		e.Slot, e.DueAt = slot.Key, slot.At
		records[i] = e
	}
	inserted, err := s.service.Store.RecordEditions(ctx, s.service.Clock.Now(), records)
	if err != nil {
		return fmt.Errorf("record %d runs of %s: %w", len(slots), n.Name, err)
	}
	if inserted > 0 {
		s.metrics.edition(e.Status)
		s.service.Log.Info("runs without an edition", "newsletter", n.Name, "runs", inserted, "last", slots[len(slots)-1].Key, "status", e.Status, "reason", e.Reason)
	}
	return nil
}
