package alert

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/store"
)

// A Watch looks for what the maintainer should know.
type Watch struct {
	Config
	Deps
	teller  *Teller
	letters allowance // for those to the postmaster
	metrics *metrics

	begun        bool                   // what was known before this process is known
	known        map[string]store.Alert // those that are open, as of the last look
	former       map[string]time.Time   // those that were open at the start, with their Since
	states       map[int64]state
	owed         map[string]debt // newsletter → run that is due
	stoppedSince time.Time       // when Ready first failed; zero: it does not
	unrecorded   time.Time       // since when the alert of that could not be recorded
	faults       string          // of the last look, to log each once
}

// New makes a Watch with its Teller; reg may be nil.
func New(c Config, d Deps, reg prometheus.Registerer) *Watch {
	return &Watch{
		Config: c, Deps: d, teller: newTeller(c, d), metrics: newMetrics(reg),
		known: map[string]store.Alert{}, former: map[string]time.Time{}, owed: map[string]debt{},
	}
}

// Run looks, and has mailed what is new, until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	telling := make(chan struct{})
	go func() {
		defer close(telling)
		w.teller.run(ctx)
	}()
	every := atLeast(w.Service.Clock, lookEvery, time.Second)
	for ctx.Err() == nil {
		w.look(ctx)
		_ = w.Service.Clock.Sleep(ctx, every) // ends early with ctx; not Wait: the clock may be set back
	}
	<-telling
	return nil
}

// A view is what one look goes by.
type view struct {
	now      time.Time
	editions []store.Edition // the latest, newest first
	pending  []store.Edition // with deliveries pending
	open     map[string]bool // circuits that are not closed
	excused  bool            // nothing can be sent, for a reason that has its own alert
}

// A check finds the alerts of a kind.
type check struct {
	kind  string
	local bool // it sees what concerns this process: what another one found stays
	blind bool // it does not need the editions
	find  func(context.Context, *view) ([]store.Alert, error)
}

// checks gives all of them, those first that explain what others find.
func (w *Watch) checks() []check {
	return []check{
		{kind: Clock, blind: true, find: w.clockBehind},
		{kind: Stopped, blind: true, local: true, find: w.stopped},
		{kind: Posts, blind: true, local: true, find: w.posts},
		{kind: Templates, blind: true, local: true, find: w.templates},
		{kind: Circuit, blind: true, find: w.circuits},
		{kind: Run, find: w.runs},
		{kind: Approval, find: w.approvals},
		{kind: Stalled, local: true, find: w.stalled},
		{kind: Edition, find: w.outcomes},
		{kind: Bounces, find: w.bounces},
	}
}

// look takes one look at everything, and keeps what it finds. Of a kind that
// it cannot see at present, the alerts stay as they are.
func (w *Watch) look(ctx context.Context) {
	v := &view{now: w.Service.Clock.Now(), open: map[string]bool{}}
	err := errors.Join(w.begin(ctx), w.survey(ctx, v))
	sighted := err == nil
	var kinds []string
	var present []store.Alert
	for _, c := range w.checks() {
		if !sighted && !c.blind {
			continue
		}
		found, fault := c.find(ctx, v)
		if fault != nil {
			err = errors.Join(err, fault)
			continue
		}
		if !c.local || len(found) > 0 || w.mine(c.kind) {
			kinds, present = append(kinds, c.kind), append(present, found...)
		}
	}
	if sighted {
		w.former = nil // has served its purpose
	}
	if ctx.Err() == nil {
		w.fault(errors.Join(err, w.keep(ctx, v, kinds, present)))
	}
}

// begin learns what was known before this process.
func (w *Watch) begin(ctx context.Context) error {
	if w.begun {
		return nil
	}
	open, err := w.Service.Store.ListAlerts(ctx, false)
	if err != nil {
		return err
	}
	for _, a := range open {
		w.known[a.Key], w.former[a.Key] = a, a.Since
	}
	if w.stoppedSince.IsZero() {
		w.stoppedSince = w.former["stopped"]
	}
	w.begun = true
	return nil
}

// survey reads what several checks need.
func (w *Watch) survey(ctx context.Context, v *view) (err error) {
	if v.editions, err = w.Service.Store.ListEditions(ctx, "", latest); err != nil {
		return err
	}
	if v.pending, err = w.Service.Store.PendingEditions(ctx); err != nil {
		return err
	}
	return w.measure(ctx, v)
}

// mine reports whether this process, or one before it, has raised alerts of a
// kind.
func (w *Watch) mine(kind string) bool {
	for _, a := range w.known {
		if a.Kind == kind {
			return true
		}
	}
	return false
}

// keep puts what was found on record. If that is not possible, the Teller
// hears at once of what stops everything else.
func (w *Watch) keep(ctx context.Context, v *view, kinds []string, present []store.Alert) error {
	if resumed := w.resumed(v, present); resumed.Key != "" {
		present = append(present, resumed)
	}
	err := w.Service.Store.KeepAlerts(ctx, v.now, kinds, present)
	if err == nil {
		w.unrecorded = time.Time{}
		w.teller.hear(nil)
	} else if i := slices.IndexFunc(present, func(a store.Alert) bool { return a.Kind == Stopped }); i >= 0 {
		if w.unrecorded.IsZero() {
			w.unrecorded = present[i].Since
		}
		w.teller.hear(&present[i])
	}
	if err != nil {
		kinds = nil // nothing is over
	}
	w.note(kinds, present)
	return err
}

// resumed is the alert that sending goes on, for the record of a time when
// nothing could be recorded.
func (w *Watch) resumed(v *view, present []store.Alert) store.Alert {
	if w.unrecorded.IsZero() || slices.ContainsFunc(present, func(a store.Alert) bool { return a.Kind == Stopped }) {
		return store.Alert{}
	}
	return store.Alert{
		Key: "resumed", Kind: Stopped, Passing: true, Since: w.unrecorded,
		Subject: "Sending goes on",
		Text: text(
			"From "+stamp(w.unrecorded, w.Zone)+" to "+stamp(v.now, w.Zone)+" the disk or the database did not work, and nothing was mailed.",
			"tidings goes on where it stopped. Runs that fell due meanwhile are made up for as catch_up and max_lateness say.",
			"Nothing is left to do, but to see that it does not happen again."),
	}
}

// note logs what is new and what is over, and counts.
func (w *Watch) note(kinds []string, present []store.Alert) {
	now := map[string]store.Alert{}
	for _, a := range present {
		if now[a.Key] = a; w.known[a.Key].Key == "" {
			w.Service.Log.Warn("alert", "kind", a.Kind, "about", a.Key, "since", a.Since, "alert", a.Subject, "see", "tidings alerts")
		}
	}
	for key, a := range w.known {
		if now[key].Key != "" {
			continue
		}
		if !slices.Contains(kinds, a.Kind) {
			now[key] = a
		} else {
			w.Service.Log.Info("alert over", "kind", a.Kind, "about", key, "alert", a.Subject)
		}
	}
	w.known = now
	w.metrics.count(now)
}

// fault logs why a look did not see everything, once for each reason.
func (w *Watch) fault(err error) {
	text := ""
	if err != nil {
		if text = err.Error(); text != w.faults {
			w.Service.Log.Error("alerts are not complete; trying again", "error", err)
		}
	}
	w.faults = text
}
