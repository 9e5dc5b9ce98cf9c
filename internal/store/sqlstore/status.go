package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// PauseEdition implements [store.Editions].
func (s *Store) PauseEdition(ctx context.Context, now time.Time, id int64) error {
	return s.changeEdition(ctx, "pause", id, func(t *tx, _ store.Edition) error {
		return t.setStatus(id, store.EditionPaused, time.Time{})
	}, store.EditionSending)
}

// ResumeEdition implements [store.Editions].
func (s *Store) ResumeEdition(ctx context.Context, now time.Time, id int64) error {
	return s.changeEdition(ctx, "resume", id, func(t *tx, _ store.Edition) error {
		if err := t.showGroups(id); err != nil {
			return err
		}
		if err := t.setStatus(id, store.EditionSending, time.Time{}); err != nil {
			return err
		}
		return t.account(now, id, store.Counts{}) // finishes one whose readers all want something else by now
	}, store.EditionPlanned, store.EditionPaused)
}

// CancelEdition implements [store.Editions].
func (s *Store) CancelEdition(ctx context.Context, now time.Time, id int64) error {
	return s.changeEdition(ctx, "cancel", id, func(t *tx, _ store.Edition) error {
		// First the status: an account without anything pending would finish it.
		if err := t.setStatus(id, store.EditionCancelled, now); err != nil {
			return err
		}
		delta, err := t.giveUp(now, id, reasonCancelled)
		if err != nil {
			return err
		}
		return t.account(now, id, delta)
	}, store.EditionPlanned, store.EditionSending, store.EditionPaused)
}

// RetryEdition implements [store.Editions].
func (s *Store) RetryEdition(ctx context.Context, now time.Time, id int64, expires time.Time) (retried int, err error) {
	err = s.changeEdition(ctx, "retry", id, func(t *tx, e store.Edition) error {
		delta, err := t.retry(now, id)
		if retried = delta.Pending; err != nil || retried == 0 {
			return err
		}
		if expires.Before(e.ExpiresAt) {
			expires = e.ExpiresAt
		}
		if _, err := t.exec(`UPDATE editions SET expires_at = ?2 WHERE id = ?1`, id, millis(expires)); err != nil {
			return err
		}
		if !e.FinishedAt.IsZero() {
			if err := t.setStatus(id, store.EditionSending, time.Time{}); err != nil {
				return err
			}
		}
		return t.account(now, id, delta)
	}, store.EditionPlanned, store.EditionSending, store.EditionPaused, store.EditionFinished, store.EditionCancelled)
	if err != nil {
		return 0, err
	}
	return retried, nil
}

// changeEdition runs fn on an edition in one of the states from.
func (s *Store) changeEdition(ctx context.Context, verb string, id int64, fn func(*tx, store.Edition) error, from ...string) error {
	return s.beside(ctx, fmt.Sprintf("%s edition %d", verb, id), func(t *tx) error {
		e, err := t.edition(id)
		if err != nil {
			return err
		}
		if err := t.lockNewsletters(e.Newsletter); err != nil {
			return err
		}
		if e, err = t.lockEdition(id); err != nil {
			return err
		}
		if !slices.Contains(from, e.Status) {
			return fmt.Errorf("it is %s: %w", e.Status, store.ErrConflict)
		}
		return fn(t, e)
	})
}

// Why a delivery failed without having been tried.
const (
	reasonCancelled = "cancelled"
	reasonExpired   = "expired"
)

// giveUp ends all pending deliveries of an edition, but not those claimed.
// Where an earlier message may have arrived, the delivery is in doubt, not
// failed: its posts must not be mailed again in another edition.
func (t *tx) giveUp(now time.Time, id int64, reason string) (delta store.Counts, err error) {
	failed, err := t.exec(`UPDATE deliveries SET state = 3, next_at = NULL, reason = ?2, updated_at = ?3
		WHERE edition_id = ?1 AND state = 0 AND resent = 0`, id, reason, millis(now))
	if err != nil {
		return delta, err
	}
	doubted, err := t.exec(`UPDATE deliveries SET state = 6, next_at = NULL, reason = ?2, updated_at = ?3
		WHERE edition_id = ?1 AND state = 0`, id, reason, millis(now))
	move(&delta, store.DeliveryPending, store.DeliveryFailed, failed)
	move(&delta, store.DeliveryPending, store.DeliveryInDoubt, doubted)
	return delta, err
}

// retry makes an edition's failed and in-doubt deliveries pending again,
// except where another edition mails one of the posts: a failed delivery had
// released them; and what its reader did not want any more.
func (t *tx) retry(now time.Time, id int64) (delta store.Counts, err error) {
	const set = `UPDATE deliveries SET state = 0, attempts = 0, copies = 0, setbacks = 0, updated_at = ?2,
		resent = CASE WHEN state = 6 AND resent = 0 THEN 1 ELSE resent END,
		next_at = (SELECT CASE WHEN g.not_before > ?2 THEN g.not_before ELSE ?2 END FROM edition_groups g
		           WHERE g.edition_id = deliveries.edition_id AND g.number = deliveries.group_number)
		WHERE edition_id = ?1 AND unwanted IS NULL `
	doubted, err := t.exec(set+`AND state = 6`, id, millis(now))
	if err != nil {
		return delta, err
	}
	failed, err := t.exec(set+`AND state = 3 AND NOT EXISTS (
		SELECT 1 FROM group_posts mine
		JOIN group_posts other ON other.post_id = mine.post_id AND other.edition_id <> mine.edition_id
		JOIN deliveries d ON d.edition_id = other.edition_id AND d.subscriber_id = deliveries.subscriber_id
		                 AND d.group_number = other.group_number AND d.state IN (0, 1, 2, 6)
		JOIN editions e ON e.id = other.edition_id
		WHERE mine.edition_id = ?1 AND mine.group_number = deliveries.group_number
		AND e.newsletter_id = (SELECT newsletter_id FROM editions WHERE id = ?1))`, id, millis(now))
	move(&delta, store.DeliveryInDoubt, store.DeliveryPending, doubted)
	move(&delta, store.DeliveryFailed, store.DeliveryPending, failed)
	return delta, err
}
