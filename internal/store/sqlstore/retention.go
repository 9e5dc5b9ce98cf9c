package sqlstore

import (
	"context"
	"time"
)

// ForgetSignUps implements [store.SignUps].
func (s *Store) ForgetSignUps(ctx context.Context, before time.Time) error {
	return s.write(ctx, "forget sign-ups", func(t *tx) error {
		_, err := t.exec(`DELETE FROM signups WHERE at < ?1 AND request IS NULL`, before.UnixMilli())
		return err
	})
}

// ForgetUnconfirmed implements [store.SignUps].
func (s *Store) ForgetUnconfirmed(ctx context.Context, now, before time.Time, limit int) (forgotten int, done bool, err error) {
	err = s.writeWiping(ctx, "forget unconfirmed subscriptions", func(t *tx) error {
		marked, err := t.exec(`UPDATE subscriptions SET asked_at = ?1 WHERE (newsletter_id, subscriber_id) IN
			(SELECT newsletter_id, subscriber_id FROM subscriptions WHERE status = 'pending' AND asked_at IS NULL LIMIT ?2)`,
			now.UnixMilli(), limit)
		if err != nil {
			return err
		}
		if err := t.forgetWishes(before); err != nil {
			return err
		}
		list, err := all(t, scanUnconfirmed, `SELECT newsletter_id, subscriber_id, ended_at FROM subscriptions
			WHERE status = 'pending' AND asked_at < ?1 ORDER BY asked_at LIMIT ?2`, before.UnixMilli(), limit)
		for _, u := range list {
			if err == nil {
				err = t.forget(u)
			}
		}
		forgotten, done = len(list), len(list) < limit && marked < limit
		return err
	})
	if err != nil {
		return 0, false, err
	}
	return forgotten, done, nil
}

// unconfirmed is a subscription that nobody has confirmed in time.
type unconfirmed struct {
	newsletter, subscriber int64
	ended                  time.Time
}

func scanUnconfirmed(r row) (u unconfirmed, err error) {
	err = r.Scan(&u.newsletter, &u.subscriber, instant{&u.ended})
	return u, err
}

// forget deletes an unconfirmed subscription, and the person with the last one.
// That somebody had left before is not forgotten: an import must not bring
// them back.
func (t *tx) forget(u unconfirmed) error {
	if !u.ended.IsZero() {
		_, err := t.exec(`UPDATE subscriptions SET status = 'unsubscribed', asked_at = NULL
			WHERE newsletter_id = ?1 AND subscriber_id = ?2`, u.newsletter, u.subscriber)
		return err
	}
	if _, err := t.exec(`DELETE FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2`,
		u.newsletter, u.subscriber); err != nil {
		return err
	}
	// What was asked for is no consent without a confirmation.
	if _, err := t.exec(`DELETE FROM consents WHERE subscriber_id = ?1 AND newsletter_id = ?2`, u.subscriber, u.newsletter); err != nil {
		return err
	}
	// The notices go with the person.
	gone, err := t.exec(`DELETE FROM subscribers WHERE id = ?1
		AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = ?1)`, u.subscriber)
	if err != nil || gone == 0 {
		return err
	}
	_, err = t.exec(`DELETE FROM bounces WHERE subscriber_id = ?1`, u.subscriber)
	return err
}
