package main

import (
	"context"
	"time"

	"tidings/internal/pace"
	"tidings/internal/store"
)

// waiting is something that does not work at present, for which mails of an
// edition wait.
type waiting struct {
	For     string    `json:"for"`
	Since   time.Time `json:"since"`
	NextTry time.Time `json:"next_try"`
	Reason  string    `json:"reason"`
}

// waiting gives what an edition may wait for.
func (a *app) waiting(ctx context.Context, e store.Edition) ([]waiting, error) {
	if e.Status != store.EditionSending || e.Counts.Pending == 0 {
		return nil, nil
	}
	circuits, err := a.store.Circuits(ctx)
	if err != nil {
		return nil, err
	}
	var all []waiting
	for _, c := range circuits {
		if a.holdsUp(c, e) || pace.IsDomain(c.Name) {
			all = append(all, waiting{c.Name, c.Since, c.Until, c.Reason})
		}
	}
	return all, nil
}

// holdsUp reports whether all mails of an edition wait for a circuit.
func (a *app) holdsUp(c store.Circuit, e store.Edition) bool {
	return c.Name == pace.RelayCircuit(a.relayLine()) || c.Name == pace.NewsletterCircuit(e.Newsletter)
}

// heldUntil gives when the first mail of an edition can be tried again, if all
// of them wait; zero if they do not.
func (a *app) heldUntil(ctx context.Context, e store.Edition) (until time.Time, err error) {
	circuits, err := a.store.Circuits(ctx)
	for _, c := range circuits {
		if a.holdsUp(c, e) && c.Until.After(until) {
			until = c.Until
		}
	}
	return until, err
}
