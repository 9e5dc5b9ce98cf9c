package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// Circuits implements [store.Pace].
func (s *Store) Circuits(ctx context.Context) (cs []store.Circuit, err error) {
	err = s.read(ctx, "list what is left alone", func(t *tx) error {
		cs, err = all(t, scanCircuit, circuitQuery+`ORDER BY name`)
		return err
	})
	return cs, err
}

const circuitQuery = `SELECT name, state, streak, since, until, reason FROM circuits `

func scanCircuit(r row) (c store.Circuit, err error) {
	err = r.Scan(&c.Name, &c.State, &c.Streak, instant{&c.Since}, instant{&c.Until}, &c.Reason)
	return c, err
}

// circuitsKept is how long a circuit is kept that nobody asks for any more,
// such as that of a former relay.
const circuitsKept = 30 * 24 * time.Hour

// OpenCircuit implements [store.Pace].
func (s *Store) OpenCircuit(ctx context.Context, now time.Time, c store.Circuit) (store.Circuit, error) {
	err := s.beside(ctx, "note that "+c.Name+" does not work", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM circuits WHERE until < ?1`, millis(now.Add(-circuitsKept))); err != nil {
			return err
		}
		// Failures of two processes at once count once.
		if _, err := t.exec(`INSERT INTO circuits (name, state, streak, since, until, reason)
			VALUES (?1, 'open', ?2, ?3, ?4, ?5)
			ON CONFLICT (name) DO UPDATE SET state = 'open', streak = excluded.streak,
				until = excluded.until, reason = excluded.reason
			WHERE circuits.state = 'half_open' OR circuits.until <= ?6`,
			c.Name, c.Streak, millis(c.Since), millis(c.Until), clip(c.Reason), millis(now)); err != nil {
			return err
		}
		var err error
		c, err = t.circuit(c.Name)
		return err
	})
	return c, err
}

func (t *tx) circuit(name string) (c store.Circuit, err error) {
	err = t.one(circuitQuery+`WHERE name = ?1`, []any{name},
		&c.Name, &c.State, &c.Streak, instant{&c.Since}, instant{&c.Until}, &c.Reason)
	return c, err
}

// ProbeCircuit implements [store.Pace].
func (s *Store) ProbeCircuit(ctx context.Context, now time.Time, name string, until time.Time) (won bool, err error) {
	err = s.beside(ctx, "try "+name+" again", func(t *tx) error {
		n, err := t.exec(`UPDATE circuits SET state = 'half_open', until = ?3 WHERE name = ?1 AND until <= ?2`,
			name, millis(now), millis(until))
		won = n > 0
		return err
	})
	return won && err == nil, err
}

// CloseCircuit implements [store.Pace].
func (s *Store) CloseCircuit(ctx context.Context, name string) error {
	return s.beside(ctx, "note that "+name+" works again", func(t *tx) error {
		_, err := t.exec(`DELETE FROM circuits WHERE name = ?1`, name)
		return err
	})
}

// BorrowTurns implements [store.Pace]. The turns of a limit follow each other
// in time, as in a leaky bucket that is kept as the time of its next drop
// (GCRA, ITU-T I.371 annex A).
func (s *Store) BorrowTurns(ctx context.Context, now time.Time, turns store.Turns) (first time.Time, ok bool, err error) {
	length := (time.Duration(turns.N)*turns.Interval + time.Millisecond - 1).Truncate(time.Millisecond)
	err = s.beside(ctx, fmt.Sprintf("take %d turns of the limit for %s", turns.N, turns.Limit), func(t *tx) error {
		if err := t.lockTurns(turns.Limit); err != nil {
			return err
		}
		first = time.Time{}
		if _, err := t.maybe(`SELECT next FROM turns WHERE name = ?1`, []any{turns.Limit}, instant{&first}); err != nil {
			return err
		}
		if first.Before(now.Add(-turns.Slack)) || first.After(now.Add(time.Hour+length)) {
			first = now.Add(-turns.Slack).UTC().Truncate(time.Millisecond)
		}
		if ok = !first.After(now.Add(turns.Ahead)); !ok {
			return nil
		}
		_, err := t.exec(`INSERT INTO turns (name, next) VALUES (?1, ?2)
			ON CONFLICT (name) DO UPDATE SET next = excluded.next`, turns.Limit, millis(first.Add(length)))
		return err
	})
	return first, ok && err == nil, err
}
