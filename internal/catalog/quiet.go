package catalog

import "time"

// patience is how many quiet times a batch waits at most for events to cease.
const patience = 20

// A quiet collects the names that file events mention until nothing more is
// heard of them for a while, so that a file is not read half-written and a
// burst of changes is one batch. A file that never falls silent does not
// keep the others waiting.
type quiet struct {
	wait  time.Duration
	first time.Time            // of the batch
	last  time.Time            // newest event
	heard map[string]time.Time // last event by name
	force map[string]bool      // names whose content may have changed unseen
}

func newQuiet(wait time.Duration) *quiet {
	return &quiet{wait: wait, heard: map[string]time.Time{}, force: map[string]bool{}}
}

func (q *quiet) note(name string, force bool, now time.Time) {
	if len(q.heard) == 0 {
		q.first = now
	}
	q.last, q.heard[name] = now, now
	q.force[name] = q.force[name] || force
}

// due is when ripe should be asked; zero while nothing was noted.
func (q *quiet) due() time.Time {
	if len(q.heard) == 0 {
		return time.Time{}
	}
	return sooner(q.last.Add(q.wait), q.first.Add(patience*q.wait))
}

// ripe gives the names that have been quiet long enough, with their force,
// and forgets them. Before due it gives none.
func (q *quiet) ripe(now time.Time) map[string]bool {
	if due := q.due(); due.IsZero() || now.Before(due) {
		return nil
	}
	names := map[string]bool{}
	for name, at := range q.heard {
		if now.Sub(at) >= q.wait {
			names[name] = q.force[name]
			delete(q.heard, name)
			delete(q.force, name)
		}
	}
	q.first = now
	return names
}

// sooner is the earlier of two instants; zero stands for never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
