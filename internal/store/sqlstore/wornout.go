package sqlstore

import (
	"time"

	"tidings/internal/store"
)

// wornOut reports whether so many editions came back from a person that
// mailing them is of no use. The editions are looked at in their order, up to
// the last that came back: later ones may come back yet. One that was blocked
// says nothing of the person.
func (t *tx) wornOut(p store.BouncePolicy, subscriber int64) (bool, error) {
	var s strain
	worn := false
	err := t.each(`SELECT d.state = 2 AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.edition_id = d.edition_id AND b.seq = d.seq
		AND b.class <> 'complaint'), (SELECT max(b.at) FROM bounces b WHERE b.edition_id = d.edition_id AND b.seq = d.seq
		AND b.class IN ('hard', 'soft') AND b.lifted = 0)
		FROM editions e JOIN deliveries d ON d.edition_id = e.id AND d.subscriber_id = ?1
		WHERE e.id >= (SELECT min(edition_id) FROM bounces WHERE subscriber_id = ?1 AND edition_id > 0
			AND class IN ('hard', 'soft') AND lifted = 0)
		ORDER BY e.id`, []any{subscriber}, func(r row) error {
		var arrived bool
		var back time.Time
		if err := r.Scan(&arrived, instant{&back}); err != nil {
			return err
		}
		switch {
		case !back.IsZero():
			s.bounced(back)
			worn = s.n >= p.SoftLimit && s.last.Sub(s.since) >= p.SoftOver
		case arrived:
			s.arrived()
		}
		return nil
	})
	return worn, err
}

// A strain is how many more editions came back than arrived, and between when.
type strain struct {
	n           int
	since, last time.Time
}

func (s *strain) bounced(at time.Time) {
	if s.n == 0 || at.Before(s.since) {
		s.since = at
	}
	if s.n == 0 || at.After(s.last) {
		s.last = at
	}
	s.n++
}

func (s *strain) arrived() { s.n = max(s.n-1, 0) }
