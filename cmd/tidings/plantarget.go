package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// A planTarget is what is to be told.
type planTarget struct {
	letter  newsletter.Newsletter
	at      time.Time // now: a send by hand as soon as possible
	next    bool      // no time was asked for: the next run, of whatever cadence
	cadence string
	slot    schedule.Slot // Key "": by hand
	since   time.Time
}

// planTarget reads what the flags ask for.
func (a *app) planTarget(s *newsletter.Service, name string, o planOptions, now time.Time) (t planTarget, err error) {
	t.at, t.cadence = now, store.CadenceSchedule
	if t.letter, err = s.Newsletter(name); err != nil {
		return t, err
	}
	n := t.letter
	if o.since != "" {
		if t.since, err = parseTime(o.since, n.Zone, now); err != nil {
			return t, fmt.Errorf("--since: %w", err)
		}
	}
	t.next = o.at == "" && t.since.IsZero()
	if o.at == "" {
		return t, nil
	}
	if t.at, err = parseAhead(o.at, n.Zone, now); err != nil {
		return t, fmt.Errorf("--at: %w", err)
	}
	if n.Schedule != nil && t.since.IsZero() {
		for slot := range n.Schedule.Slots(t.at.Add(-time.Nanosecond), t.at, n.Zone) {
			t.slot = slot
		}
	}
	return t, nil
}

// choose picks the next run where no time was asked for: that of the schedule,
// or, without one, that which comes first.
func (t *planTarget) choose(f *newsletter.Forecast, now time.Time) error {
	if !t.next {
		return nil
	}
	for _, c := range f.Cadences() {
		slot, ok, err := f.Next(c, now)
		if err != nil {
			return err
		}
		if ok && (t.slot.Key == "" || slot.At.Before(t.slot.At)) {
			t.cadence, t.slot, t.at = c, slot, slot.At
		}
		if ok && c == store.CadenceSchedule {
			break
		}
	}
	return nil
}

// foretell makes the report of a target, after the runs before it.
func (t *planTarget) foretell(ctx context.Context, f *newsletter.Forecast, now time.Time) (j planJSON, err error) {
	overdue := map[string]schedule.Slot{}
	if !t.at.Before(now) {
		for _, c := range f.Cadences() {
			if overdue[c], err = f.Overdue(ctx, c); err != nil {
				return j, err
			}
		}
	}
	var p newsletter.Plan
	if t.slot.Key != "" {
		p, err = f.Run(ctx, t.cadence, t.slot)
	} else {
		p, err = t.byHand(ctx, f, now)
	}
	if errors.Is(err, store.ErrExists) {
		return j, fmt.Errorf("the run of %s is made already: tidings editions list --newsletter %s", t.slot.Key, t.letter.Name)
	}
	if err != nil {
		return j, err
	}
	j = planned(p)
	j.At, j.Local, j.Zone = &t.at, t.at.In(t.letter.Zone).Format("Mon 2006-01-02 15:04 MST"), t.letter.Zone.String()
	j.Waves = t.waves(p)
	j.Notes = append(j.Notes, t.notes(f, overdue, p)...)
	return j, nil
}

func (t *planTarget) byHand(ctx context.Context, f *newsletter.Forecast, now time.Time) (newsletter.Plan, error) {
	var err error
	if t.at.Equal(now) {
		if t.at, err = f.Settled(t.since); err != nil {
			return newsletter.Plan{}, err
		}
	}
	if !t.at.Before(now) {
		if err := f.Until(ctx, t.at); err != nil {
			return newsletter.Plan{}, err
		}
	}
	return f.ByHand(ctx, t.at, t.since)
}

// waves tells those of a run, if there is more than the newsletter's own.
func (t *planTarget) waves(p newsletter.Plan) []waveJSON {
	var all []waveJSON
	for _, w := range p.Waves {
		j := waveOf(w.Wave, t.letter.Zone)
		if len(w.Groups) > 0 {
			j.Posts = len(w.Selection.Included)
		}
		all = append(all, j)
	}
	return all
}

// notes are what else must be known of a plan.
func (t *planTarget) notes(f *newsletter.Forecast, overdue map[string]schedule.Slot, p newsletter.Plan) (notes []string) {
	say := func(format string, v ...any) { notes = append(notes, fmt.Sprintf(format, v...)) }
	if t.cadence == store.CadenceSchedule {
		notes = t.clockNotes(t.slot, p)
	}
	for _, c := range f.Cadences() {
		if slot := overdue[c]; slot.Key != "" {
			say("the run of %s is overdue: tidings serve makes it at once, before this", slot.Key)
		}
	}
	if f.FirstSeen.IsZero() {
		say("serve or send has not seen this newsletter yet; posts count from when one does, here from now")
	}
	if t.slot.Key == "" && t.letter.Schedule != nil {
		say("this is a send by hand, to which min_posts and approve do not apply")
	}
	if p.Edition.Status == store.EditionPlanned {
		say("it waits for approval (approve: true), for at most %s: tidings editions resume ID", p.Edition.ExpiresAt.Sub(p.Edition.CreatedAt))
	}
	return notes
}

// clockNotes say what clock changes do to a run, in each zone that has a wave of
// it: the run is a time on the clocks there.
func (t *planTarget) clockNotes(slot schedule.Slot, p newsletter.Plan) (notes []string) {
	for _, w := range p.Waves {
		zone, in := t.letter.Zone, ""
		if w.Wave.Zone != "" {
			other, err := time.LoadLocation(w.Wave.Zone)
			if err != nil { // its readers go by the newsletter's
				continue
			}
			zone, in = other, "in "+w.Wave.Zone+" "
		}
		if note := clockNote(schedule.Slot{Key: slot.Key, At: w.Wave.At}, zone); note != "" {
			notes = append(notes, in+note)
		}
	}
	return notes
}

// clockNote says what clock changes do to a slot; "" if nothing.
func clockNote(slot schedule.Slot, zone *time.Location) string {
	switch {
	case slot.Key == "":
		return ""
	case slot.Skipped(zone):
		return fmt.Sprintf("%s does not exist, because the clocks are set forward: the run is at %s", slot.Key, slot.At.In(zone).Format("15:04 MST"))
	case slot.Repeated(zone):
		return fmt.Sprintf("%s comes twice, because the clocks are set back: the run is the first time, %s", slot.Key, slot.At.In(zone).Format("15:04 MST"))
	}
	return ""
}

// following tells the next runs of its cadence after the target.
func (t *planTarget) following(ctx context.Context, f *newsletter.Forecast, n int) ([]planRun, error) {
	runs := []planRun{}
	slot, ok, err := t.slot, t.slot.Key != "", error(nil)
	if !ok {
		if slot, ok, err = f.Next(t.cadence, t.at); ok && err == nil {
			runs, err = t.tell(ctx, f, t.cadence, slot, runs)
		}
	}
	for ok && err == nil && len(runs) < n {
		if slot, ok, err = f.After(t.cadence, slot); ok && err == nil {
			runs, err = t.tell(ctx, f, t.cadence, slot, runs)
		}
	}
	return runs[:min(n, len(runs))], err
}

// tell appends a run, unless it is made already.
func (t *planTarget) tell(ctx context.Context, f *newsletter.Forecast, cadence string, slot schedule.Slot, runs []planRun) ([]planRun, error) {
	p, err := f.Run(ctx, cadence, slot)
	if errors.Is(err, store.ErrExists) {
		return runs, nil
	}
	if err != nil {
		return nil, err
	}
	e := p.Edition
	r := planRun{cadence, slot.Key, slot.At.UTC(), e.Status, e.Posts, e.Counts.Pending, e.Reason, "", t.waves(p)}
	if cadence == store.CadenceSchedule {
		r.Note = strings.Join(t.clockNotes(slot, p), "; ")
	}
	return append(runs, r), nil
}

// eachNote tells of the readers of single posts, if no run does.
func eachNote(f *newsletter.Forecast, told []planRun) string {
	isEach := func(r planRun) bool { return r.Cadence == store.CadenceEach }
	if !slices.Contains(f.Cadences(), store.CadenceEach) || slices.ContainsFunc(told, isEach) {
		return ""
	}
	return "readers who chose each post by itself get every post once it is published; none is dated ahead"
}

// others tells the next run of each other cadence.
func (t *planTarget) others(ctx context.Context, f *newsletter.Forecast, now time.Time) (runs []planRun, err error) {
	if !t.next {
		return nil, nil
	}
	for _, c := range f.Cadences() {
		if c == t.cadence && t.slot.Key != "" {
			continue
		}
		slot, ok, err := f.Next(c, now)
		if err != nil {
			return nil, err
		}
		if ok {
			if runs, err = t.tell(ctx, f, c, slot, runs); err != nil {
				return nil, err
			}
		}
	}
	return runs, nil
}
