package main

import (
	"context"
	"strconv"
	"time"

	"tidings/internal/store"
)

// waveJSON is what falls due together for the readers of an edition in one time
// zone, at one hour.
type waveJSON struct {
	Zone    string    `json:"timezone"`
	Hour    string    `json:"hour,omitempty"` // that readers chose
	At      time.Time `json:"at"`
	Status  string    `json:"status"`
	Posts   int       `json:"posts,omitempty"` // of a plan
	Readers int       `json:"readers"`
	Due     int       `json:"due"` // readers to whom something is mailed
	Reason  string    `json:"reason"`
	Late    string    `json:"late,omitempty"`
	Missed  bool      `json:"missed,omitempty"`

	zone *time.Location
}

// waveOf tells a wave of a newsletter whose zone is own.
func waveOf(w store.Wave, own *time.Location) waveJSON {
	j := waveJSON{Zone: w.Zone, Hour: w.Hour, At: w.At.UTC(), Status: w.Status, Readers: w.Readers, Due: w.Due, Reason: w.Reason, Late: w.Late, Missed: w.Missed}
	var err error
	if j.zone, err = time.LoadLocation(w.Zone); err != nil || w.Zone == "" {
		j.zone = own
	}
	if w.Zone == "" {
		j.Zone = own.String()
	}
	return j
}

// waves gives those of an edition.
func (a *app) waves(ctx context.Context, e store.Edition) ([]waveJSON, error) {
	waves, err := a.store.EditionWaves(ctx, e.ID)
	own := a.cfg.Site.Location()
	if n, ok := a.cfg.Newsletter(e.Newsletter); ok {
		own = n.Location()
	}
	all := make([]waveJSON, len(waves))
	for i, w := range waves {
		all[i] = waveOf(w, own)
	}
	return all, err
}

// showWaves lists the waves of an edition that has more than its newsletter's
// own.
func (a *app) showWaves(waves []waveJSON) error {
	if len(waves) < 2 {
		return nil
	}
	t := newTable(a.out, "TIME ZONE", "LOCAL TIME", "INSTANT", "STATUS", "READERS", "DUE", "REASON")
	for _, w := range waves {
		reason := w.Reason
		if w.Late != "" {
			reason = "late by " + w.Late
		}
		t.row(w.Zone, w.At.In(w.zone).Format("2006-01-02 15:04"), instant(w.At), w.Status, strconv.Itoa(w.Readers), strconv.Itoa(w.Due), reason)
	}
	return t.flush()
}
