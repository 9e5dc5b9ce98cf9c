package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// ClaimNotices implements [store.Notices].
func (s *Store) ClaimNotices(ctx context.Context, now, until time.Time, limit int) (list []store.Notice, err error) {
	err = s.beside(ctx, "claim notices", func(t *tx) error {
		if err := s.onTime(t, now); err != nil {
			return err
		}
		if err := t.lock(lockNotices); err != nil {
			return err
		}
		if err := t.dropNotices(now); err != nil {
			return err
		}
		list, err = all(t, scanNotice, `SELECT q.id, q.kind, q.subscriber_id,
			CASE q.kind WHEN 'address' THEN p.next_email ELSE p.email END, n.name, q.created_at, q.attempts, COALESCE(q.signup_id, 0)
			FROM notices q JOIN subscribers p ON p.id = q.subscriber_id JOIN newsletters n ON n.id = q.newsletter_id
			WHERE q.state = 'queued' AND q.next_at <= ?1 ORDER BY q.next_at, q.id LIMIT ?2`, millis(now), limit)
		for _, n := range list {
			if err == nil {
				_, err = t.exec(`UPDATE notices SET next_at = ?2 WHERE id = ?1`, n.ID, millis(until))
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func scanNotice(r row) (n store.Notice, err error) {
	err = r.Scan(&n.ID, &n.Kind, &n.SubscriberID, &n.Email, &n.Newsletter, instant{&n.CreatedAt}, &n.Attempts, &n.SignUpID)
	return n, err
}

// dropNotices gives up due notices that must not be mailed any more: a
// confirmation of what is no longer pending, one to a next address that is none
// any more, and any to an address that bounced, complained or was suppressed by
// hand since.
func (t *tx) dropNotices(now time.Time) error {
	_, err := t.exec(`UPDATE notices SET state = 'failed', reason = 'no longer wanted'
		WHERE state = 'queued' AND next_at <= ?1
		AND (EXISTS (SELECT 1 FROM subscribers p JOIN suppressions x
		             ON x.key_hash = CASE notices.kind WHEN 'address' THEN p.next_key ELSE p.key_hash END
		             WHERE p.id = notices.subscriber_id AND x.reason NOT IN (?2, ?3))
		     OR kind = ?5 AND NOT EXISTS (SELECT 1 FROM subscribers p WHERE p.id = notices.subscriber_id AND p.next_key <> '')
		     OR kind = ?4 AND signup_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wishes w WHERE w.signup_id = notices.signup_id
		             AND w.subscriber_id = notices.subscriber_id AND w.confirmed_at IS NULL)
		     OR kind = ?4 AND signup_id IS NULL AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.newsletter_id = notices.newsletter_id
		             AND s.subscriber_id = notices.subscriber_id AND s.status = 'pending'))`,
		millis(now), store.ReasonUnsubscribed, store.ReasonErased, store.NoticeConfirm, store.NoticeAddress)
	return err
}

// RecordNotice implements [store.Notices].
func (s *Store) RecordNotice(ctx context.Context, now time.Time, r store.NoticeResult) error {
	state := "queued"
	switch {
	case r.Sent:
		state = "sent"
	case r.Failed:
		state = "failed"
	}
	next := r.NextAt
	if next.IsZero() {
		next = now
	}
	return s.beside(ctx, fmt.Sprintf("record notice %d", r.ID), func(t *tx) error {
		_, err := t.exec(`UPDATE notices SET state = ?2, next_at = ?3, reason = ?4, attempts = attempts + ?5
			WHERE id = ?1 AND state = 'queued'`, r.ID, state, millis(next), clip(r.Reason), flag(!r.Held))
		return err
	})
}
