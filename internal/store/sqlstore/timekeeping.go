package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/store"
)

// clockMark is where the latest instant is kept, in Unix milliseconds.
const clockMark = "clock"

// clockStep is how exactly: a write for each claim would be too much.
const clockStep = time.Minute

// AnyClock makes the store take every instant as it comes: those of a
// rehearsal are made up, and say nothing of the machine's clock.
func (s *Store) AnyClock() { s.anyClock = true }

// SharedClock makes the store refuse instants that are far from those of the
// database's clock: several machines use it.
func (s *Store) SharedClock() { s.sharedClock = true }

// onTime refuses to work by a clock that differs from the one all have in
// common.
func (s *Store) onTime(t *tx, now time.Time) error {
	if !s.sharedClock || s.anyClock {
		return nil
	}
	var theirs time.Time
	if err := t.one(`SELECT `+t.dialect.Now, nil, instant{&theirs}); err != nil {
		return err
	}
	if off := now.Sub(theirs); off.Abs() > store.ClockSkew {
		return fmt.Errorf("%w: it says %s, and the database server's says %s; nothing is mailed from here until they agree (NTP keeps them so)",
			store.ErrClock, now.UTC().Format(time.RFC3339), theirs.UTC().Format(time.RFC3339))
	}
	return nil
}

// LastUsed implements [store.Timekeeping].
func (s *Store) LastUsed(ctx context.Context) (latest time.Time, err error) {
	err = s.read(ctx, "read when the database was last used", func(t *tx) error {
		latest, err = t.instant(clockMark)
		return err
	})
	return latest, err
}

// AcceptClock implements [store.Timekeeping].
func (s *Store) AcceptClock(ctx context.Context, now time.Time) error {
	return s.write(ctx, "accept the clock", func(t *tx) error {
		names, err := all(t, scalar[string], `SELECT name FROM newsletters ORDER BY name`)
		if err != nil {
			return err
		}
		if err := t.lockNewsletters(names...); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM editions WHERE due_at > ?1 AND status IN ('skipped', 'failed')`, millis(now)); err != nil {
			return err
		}
		if err := t.forgetWaves(now); err != nil {
			return err
		}
		if s.anyClock {
			return nil // which is no clock for others to go by
		}
		return t.markClock(now)
	})
}

// forgetWaves makes what is due after now due again, but for waves that mailed
// somebody.
func (t *tx) forgetWaves(now time.Time) error {
	for _, q := range []string{
		`UPDATE editions SET
			eligible = eligible - (SELECT sum(w.readers) FROM edition_waves w WHERE w.edition_id = editions.id AND w.at > ?1 AND w.status <> 'made'),
			empty = empty - (SELECT sum(w.readers) FROM edition_waves w WHERE w.edition_id = editions.id AND w.at > ?1 AND w.status <> 'made')
			WHERE id IN (SELECT w.edition_id FROM edition_waves w WHERE w.at > ?1 AND w.status <> 'made')`,
		`DELETE FROM edition_waves WHERE at > ?1 AND status <> 'made'`,
		`UPDATE newsletters SET first_seen = ?1 WHERE first_seen > ?1`,
		`UPDATE cadences SET until = ?1 WHERE until > ?1`,
		`UPDATE cadence_bands SET since = ?1 WHERE since > ?1`,
	} {
		if _, err := t.exec(q, millis(now)); err != nil {
			return err
		}
	}
	return nil
}

// keepTime refuses to work by a clock that was set back, or on what may be out
// of date, and remembers now.
func (s *Store) keepTime(t *tx, now time.Time) error {
	if s.anyClock {
		return nil
	}
	if err := s.onTime(t, now); err != nil {
		return err
	}
	saved, err := t.instant(RestoredMark)
	if err != nil {
		return err
	}
	latest, err := t.instant(clockMark)
	switch {
	case err != nil:
		return err
	case !saved.IsZero():
		return fmt.Errorf("%w: it is as it was at %s, and does not know what was mailed since; nothing is mailed until you say how to go on: tidings db restored",
			store.ErrRestored, saved.Format(time.RFC3339))
	case now.Before(latest.Add(-store.ClockSlack)):
		return fmt.Errorf("%w: it says %s, but this database was in use at %s; nothing is mailed until it is right again, or, if it is right, until you say: tidings db clock --accept",
			store.ErrClock, now.UTC().Format(time.RFC3339), latest.Format(time.RFC3339))
	case now.Before(latest.Add(clockStep)):
		return nil
	}
	return t.markClock(now)
}

func (t *tx) markClock(now time.Time) error {
	_, err := t.exec(`INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		clockMark, strconv.FormatInt(now.UnixMilli(), 10))
	return err
}
