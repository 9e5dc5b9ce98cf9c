package newsletter

import (
	"context"
	"errors"
	"fmt"
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
}

// NewScheduler makes a Scheduler that calls planned when there is something
// to send; metrics may be nil.
func NewScheduler(s *Service, planned func(), m *Metrics) *Scheduler {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Scheduler{service: s, metrics: m, planned: planned}
}

const (
	checkEvery = 30 * time.Second // a wall clock may be set, a machine may sleep
	freshPause = 20 * time.Millisecond
	freshTries = 250
)

// Run makes editions as they fall due until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	for {
		now := s.service.Clock.Now()
		next := now.Add(checkEvery)
		for _, n := range s.service.Newsletters {
			if n.Schedule == nil {
				continue
			}
			if err := s.check(ctx, n, now); err != nil && ctx.Err() == nil {
				s.service.Log.Error("a scheduled edition could not be made; trying again", "newsletter", n.Name, "error", err)
			}
			if slot, ok := n.Schedule.Next(now, n.Zone); ok && slot.At.Before(next) {
				next = slot.At
			}
		}
		if s.service.Clock.Wait(ctx, next) != nil {
			return nil
		}
	}
}

// check handles the slots of one newsletter that are due and have no edition.
func (s *Scheduler) check(ctx context.Context, n Newsletter, now time.Time) error {
	after, err := s.handled(ctx, n, now)
	if err != nil {
		return err
	}
	var missed []schedule.Slot
	var due schedule.Slot
	for slot := range n.Schedule.Slots(after, now, n.Zone) {
		if due.Key != "" {
			missed = append(missed, due)
		}
		due = slot
	}
	if due.Key == "" {
		return nil
	}
	if err := s.skip(ctx, n, now, missedRun+"; the run of "+due.Key+" stands for it", missed...); err != nil {
		return err
	}
	return s.run(ctx, n, due, now)
}

// handled gives the instant up to which slots are accounted for.
func (s *Scheduler) handled(ctx context.Context, n Newsletter, now time.Time) (time.Time, error) {
	first, err := s.service.Store.SeeNewsletter(ctx, now, n.Name)
	if err != nil {
		return time.Time{}, fmt.Errorf("look up newsletter %s: %w", n.Name, err)
	}
	key, err := s.service.Store.LastSlot(ctx, n.Name, store.CadenceSchedule)
	if err != nil {
		return time.Time{}, fmt.Errorf("look up the last run of %s: %w", n.Name, err)
	}
	if key == "" {
		return first, nil
	}
	last, err := schedule.ParseKey(key, n.Zone)
	if err != nil || last.Before(first) {
		return first, err
	}
	return last, nil
}

// missedRun is why a run has no edition whose minute went by unattended.
const missedRun = "missed while tidings was not running"

// punctual is how late a run may be and still count as in time: as long as a
// running process may take to notice, which is longer on a clock that races.
func (s *Scheduler) punctual() time.Duration {
	return max(2*checkEvery, s.service.Clock.Span(2*time.Second))
}

// run makes the edition of a due slot, or records why there is none.
func (s *Scheduler) run(ctx context.Context, n Newsletter, slot schedule.Slot, now time.Time) error {
	late := now.Sub(slot.At).Round(time.Second)
	missed := late > s.punctual()
	switch {
	case missed && !n.CatchUp:
		return s.skip(ctx, n, now, fmt.Sprintf("%s, %s ago (catch_up: skip)", missedRun, late), slot)
	case missed && late > n.MaxLateness:
		return s.skip(ctx, n, now, fmt.Sprintf("%s, %s ago: more than max_lateness (%s)", missedRun, late, days(n.MaxLateness)), slot)
	}
	s.fresh(ctx, now)
	p, err := s.service.Plan(ctx, Request{Newsletter: n, Slot: slot.Key})
	switch {
	case errors.Is(err, store.ErrExists):
		return nil // another process was first
	case err != nil && transient(err):
		return err
	case err != nil:
		return s.fail(ctx, n, slot, now, err)
	}
	s.report(p.Edition, late)
	return nil
}

// transient reports whether planning may succeed when tried again as it is.
func transient(err error) bool {
	return errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrUnwritable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// fresh waits until a post that appears at this very minute has appeared.
func (s *Scheduler) fresh(ctx context.Context, now time.Time) {
	for range freshTries {
		next := s.service.Posts().Next
		if next.IsZero() || next.After(now) || s.service.Clock.Sleep(ctx, freshPause) != nil {
			return
		}
	}
}

func (s *Scheduler) report(e store.Edition, late time.Duration) {
	s.metrics.edition(e.Status)
	log := s.service.Log.With("newsletter", e.Newsletter, "slot", e.Slot, "edition", e.ID)
	switch e.Status {
	case store.EditionSkipped:
		log.Info("edition skipped", "reason", e.Reason)
	case store.EditionPlanned:
		log.Info("edition waits for approval", "posts", e.Posts, "readers", e.Counts.Pending,
			"approve", fmt.Sprintf("tidings editions resume %d", e.ID))
	default:
		log.Info("edition planned", "posts", e.Posts, "readers", e.Counts.Pending, "late", late)
		s.planned()
	}
}

// skip records slots that send nothing.
func (s *Scheduler) skip(ctx context.Context, n Newsletter, now time.Time, reason string, slots ...schedule.Slot) error {
	return s.note(ctx, n, now, store.EditionSkipped, reason, slots)
}

// fail records a slot whose edition cannot be made.
func (s *Scheduler) fail(ctx context.Context, n Newsletter, slot schedule.Slot, now time.Time, cause error) error {
	s.service.Log.Error("edition failed", "newsletter", n.Name, "slot", slot.Key, "error", cause)
	return s.note(ctx, n, now, store.EditionFailed, cause.Error(), []schedule.Slot{slot})
}

func (s *Scheduler) note(ctx context.Context, n Newsletter, now time.Time, status, reason string, slots []schedule.Slot) error {
	if len(slots) == 0 {
		return nil
	}
	records := make([]store.Edition, len(slots))
	for i, slot := range slots {
		records[i] = store.Edition{
			Newsletter: n.Name, Cadence: store.CadenceSchedule, Slot: slot.Key,
			Status: status, Reason: reason, InDoubt: n.InDoubt, CreatedAt: now, FinishedAt: now,
		}
	}
	inserted, err := s.service.Store.RecordEditions(ctx, now, records)
	if err != nil {
		return fmt.Errorf("record %d runs of %s: %w", len(slots), n.Name, err)
	}
	if inserted > 0 {
		s.metrics.edition(status)
		s.service.Log.Info("runs without an edition", "newsletter", n.Name, "runs", inserted, "last", slots[len(slots)-1].Key, "status", status, "reason", reason)
	}
	return nil
}
