package newsletter

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// Why a run was not made at its time.
const (
	notRunning = "tidings was not running"
	asleep     = "the machine slept or its clock was set forward"
	notThatDay = "its local time was left out that day, when the clocks were set forward"
)

// cause says why a slot was not attended to.
func (s *Scheduler) cause(n Newsletter, due time.Time) string {
	if err := s.Fault(n.Name); err != nil && !due.Before(s.started) {
		return "it could not be made: " + err.Error()
	}
	if due.Before(s.started) {
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

// recordMissed records the slots of a band that went by unattended; stand is
// the run that stands for them.
func (s *Scheduler) recordMissed(ctx context.Context, n Newsletter, cadence string, due owed, missed []schedule.Slot, stand schedule.Slot) error {
	if due.older > 0 {
		reason := fmt.Sprintf("missed while %s: %d runs from %s to %s, which share this record", s.cause(n, due.first.At), due.older, due.first.Key, due.until.Key)
		if err := s.skip(ctx, n, cadence, due.band, reason, true, due.until); err != nil {
			return err
		}
	}
	for len(missed) > 0 {
		chunk := missed[:min(recordChunk, len(missed))]
		if err := s.skip(ctx, n, cadence, due.band, standsFor("missed while "+s.cause(n, chunk[0].At), stand), true, chunk...); err != nil {
			return err
		}
		missed = missed[len(chunk):]
	}
	return nil
}

func (s *Scheduler) report(p Plan) {
	e, w := p.Edition, p.Wave
	if e.Cadence == store.CadenceWelcome {
		w.Due = total(p.Readers)
		if w.Due == 0 {
			w.Status, w.Reason = store.WaveSkipped, cmp.Or(e.Reason, nobodyNew)
		}
	}
	s.metrics.edition(e.Status)
	log := s.service.Log.With("newsletter", e.Newsletter, "cadence", e.Cadence, "slot", e.Slot, "edition", e.ID)
	if w.Band != (store.Band{}) {
		log = log.With("timezone", w.Zone, "hour", w.Hour)
	}
	if w.Late != "" {
		log = log.With("late", w.Late)
	}
	switch {
	case w.Status == store.WaveSkipped:
		log.Info("edition skipped", "reason", w.Reason)
	case e.Status == store.EditionPlanned:
		log.Info("edition waits for approval", "posts", e.Posts, "readers", w.Due,
			"approve", fmt.Sprintf("tidings editions resume %d", e.ID))
	default:
		log.Info("edition planned", "posts", e.Posts, "readers", w.Due)
		s.planned()
	}
}

func total(readers []int) (sum int) {
	for _, n := range readers {
		sum += n
	}
	return sum
}

// skip records slots that send a band nothing; missed, if because of an
// accident.
func (s *Scheduler) skip(ctx context.Context, n Newsletter, cadence string, b store.Band, reason string, missed bool, slots ...schedule.Slot) error {
	e := store.Edition{Cadence: cadence, Status: store.EditionSkipped, Reason: reason, Missed: missed}
	return s.note(ctx, n, e, b, slots)
}

// fail records a wave that cannot be made.
func (s *Scheduler) fail(ctx context.Context, n Newsletter, due run, cause error) error {
	s.service.Log.Error("edition failed", "newsletter", n.Name, "cadence", due.cadence, "slot", due.Key, "error", cause)
	e := store.Edition{Cadence: due.cadence, Status: store.EditionFailed, Reason: cause.Error()}
	return s.note(ctx, n, e, due.band, []schedule.Slot{due.Slot})
}

// note records e for each of some slots of a band.
func (s *Scheduler) note(ctx context.Context, n Newsletter, e store.Edition, b store.Band, slots []schedule.Slot) error {
	e.Newsletter, e.InDoubt = n.Name, n.InDoubt
	records := make([]store.Edition, len(slots))
	for i, slot := range slots {
		e.Slot, e.DueAt, e.Wave = slot.Key, slot.At, &store.Wave{Band: b, At: slot.At}
		records[i] = e
	}
	inserted, err := s.service.Store.RecordEditions(ctx, s.service.Clock.Now(), records)
	if err != nil {
		return fmt.Errorf("record %d runs of %s: %w", len(slots), n.Name, err)
	}
	if inserted > 0 {
		s.metrics.edition(e.Status)
		s.service.Log.Info("runs without an edition", "newsletter", n.Name, "cadence", e.Cadence, "runs", inserted, "last", slots[len(slots)-1].Key, "status", e.Status, "reason", e.Reason)
	}
	return nil
}
