package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/store"
)

// RestoredMark is where meta keeps when the database was saved that this one
// was restored from, in Unix milliseconds, until that is accepted.
const RestoredMark = "restored"

// Restored implements [store.Restoring].
func (s *Store) Restored(ctx context.Context) (saved time.Time, err error) {
	err = s.read(ctx, "read whether the database was restored", func(t *tx) error {
		saved, err = t.instant(RestoredMark)
		return err
	})
	return saved, err
}

// AcceptRestored implements [store.Restoring].
func (s *Store) AcceptRestored(ctx context.Context, now time.Time, mailed ...string) (doubted int, err error) {
	err = s.write(ctx, "accept the restored database", func(t *tx) error {
		saved, err := t.instant(RestoredMark)
		if err == nil && saved.IsZero() {
			err = fmt.Errorf("it was not restored: %w", store.ErrConflict)
		}
		if err == nil {
			err = t.lockNewsletters(mailed...)
		}
		if err != nil {
			return err
		}
		doubted = 0
		for _, name := range mailed {
			n, err := t.takeForMailed(now, saved, name)
			if err != nil {
				return fmt.Errorf("newsletter %s: %w", name, err)
			}
			doubted += n
		}
		_, err = t.exec(`DELETE FROM meta WHERE name = ?1`, RestoredMark)
		return err
	})
	if err != nil {
		return 0, err
	}
	return doubted, nil
}

// takeForMailed has a newsletter begin anew: what it had under way may have
// arrived.
func (t *tx) takeForMailed(now, saved time.Time, newsletter string) (doubted int, err error) {
	if _, err := t.exec(`UPDATE newsletters SET first_seen = ?2 WHERE name = ?1 AND first_seen < ?2`, newsletter, millis(now)); err != nil {
		return 0, err
	}
	editions, err := all(t, scanEdition, editionQuery+`WHERE e.pending > 0 AND n.name = ?1 ORDER BY e.id`, newsletter)
	if err != nil {
		return 0, err
	}
	for _, e := range editions {
		if _, err := t.lockEdition(e.ID); err != nil {
			return 0, err
		}
		n, err := t.doubt(now, e.ID, "it may have been mailed after "+saved.Format(time.RFC3339)+", when this database was saved")
		if err != nil {
			return 0, err
		}
		doubted += n
	}
	return doubted, nil
}

// doubt makes all that is pending or claimed of an edition in doubt.
func (t *tx) doubt(now time.Time, edition int64, reason string) (n int, err error) {
	n, err = t.exec(`UPDATE deliveries SET state = 6, next_at = NULL, holder = NULL, reason = ?2, updated_at = ?3
		WHERE edition_id = ?1 AND state IN (0, 1)`, edition, reason, millis(now))
	if err != nil {
		return 0, err
	}
	var delta store.Counts
	move(&delta, store.DeliveryPending, store.DeliveryInDoubt, n)
	return n, t.account(now, edition, delta)
}

// instant reads an instant that meta keeps; zero if there is none.
func (t *tx) instant(name string) (time.Time, error) {
	var text string
	found, err := t.maybe(`SELECT value FROM meta WHERE name = ?1`, []any{name}, &text)
	if err != nil || !found {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("stored instant %q: %w", text, err)
	}
	return time.UnixMilli(ms).UTC(), nil
}
