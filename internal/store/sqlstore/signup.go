package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// SignUp implements [store.Subscribers].
func (s *Store) SignUp(ctx context.Context, now time.Time, p store.Subscriber, sub store.Subscription, limit int, since time.Time) (queued bool, err error) {
	err = s.write(ctx, "sign up for "+sub.Newsletter, func(t *tx) error {
		newsletter, err := t.ensureNewsletter(sub.Newsletter)
		if err != nil {
			return err
		}
		id, err := t.signUpPerson(now, p)
		if err != nil {
			return err
		}
		pending, err := t.signUpSubscription(now, newsletter, id, sub)
		if err != nil || !pending {
			return err
		}
		queued, err = t.queueConfirmation(now, newsletter, id, limit, since)
		if err != nil || !queued {
			return err
		}
		return t.consent(now, store.ConsentAsked, id, newsletter)
	})
	return queued && err == nil, err
}

// findPerson gives the number of the person with this key or this address; 0
// if there is none. An address whose key has changed (another secret key)
// gets the new one.
func (t *tx) findPerson(p store.Subscriber) (id int64, err error) {
	if _, err = t.maybe(`SELECT id FROM subscribers WHERE key_hash = ?1`, []any{p.Key}, &id); err != nil || id != 0 {
		return id, err
	}
	found, err := t.maybe(`SELECT id FROM subscribers WHERE lower(email) = ?1`, []any{lower(p.Email)}, &id)
	if err == nil && found {
		_, err = t.exec(`UPDATE subscribers SET key_hash = ?2 WHERE id = ?1`, id, p.Key)
	}
	return id, err
}

func (t *tx) insertPerson(now time.Time, p store.Subscriber) (id int64, err error) {
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	err = t.one(`INSERT INTO subscribers (email, key_hash, name, language, timezone, format, quiet_hours, created_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id`,
		[]any{p.Email, p.Key, p.Name, p.Language, p.Timezone, orHTML(p.Format), p.QuietHours, millis(p.CreatedAt)}, &id)
	return id, err
}

// signUpPerson finds or inserts the person. Whoever signs up has not shown
// that the address is theirs: what they say of a known person counts only
// while no subscription of that person is active.
func (t *tx) signUpPerson(now time.Time, p store.Subscriber) (int64, error) {
	id, err := t.findPerson(p)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		return t.insertPerson(now, p)
	}
	_, err = t.exec(`UPDATE subscribers SET name = ?2, language = ?3, timezone = ?4, format = ?5, quiet_hours = ?6 WHERE id = ?1
		AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = ?1 AND s.status = 'active')`,
		id, p.Name, p.Language, p.Timezone, orHTML(p.Format), p.QuietHours)
	return id, err
}

// orHTML is a format as it is kept.
func orHTML(format string) string {
	if format == "" {
		return store.FormatHTML
	}
	return format
}

// signUpSubscription makes or renews a pending subscription; pending is false
// if an active one is left as it is. When the person left is kept until they
// confirm, so that no import takes the form's word for theirs.
func (t *tx) signUpSubscription(now time.Time, newsletter, subscriber int64, sub store.Subscription) (pending bool, err error) {
	if sub.Frequency == "" {
		sub.Frequency = store.CadenceSchedule
	}
	n, err := t.exec(`INSERT INTO subscriptions
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at)
		VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = 'pending',
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency,
		hour = excluded.hour, paused_until = excluded.paused_until
		WHERE subscriptions.status <> 'active'`,
		newsletter, subscriber, encodeTerms(sub.Categories), encodeTerms(sub.Tags), sub.Frequency,
		sub.Hour, millis(sub.PausedUntil), millis(now))
	return n > 0, err
}

// queueConfirmation queues a notice unless the address has had its share, or
// is suppressed for more than its owner's own leaving.
func (t *tx) queueConfirmation(now time.Time, newsletter, subscriber int64, limit int, since time.Time) (bool, error) {
	var recent, suppressed int
	err := t.one(`SELECT
		(SELECT count(*) FROM notices WHERE subscriber_id = ?1 AND kind = ?2 AND created_at >= ?3),
		(SELECT count(*) FROM subscribers p JOIN suppressions x ON x.key_hash = p.key_hash
		 WHERE p.id = ?1 AND x.reason NOT IN (?4, ?5))`,
		[]any{subscriber, store.NoticeConfirm, since.UnixMilli(), store.ReasonUnsubscribed, store.ReasonErased},
		&recent, &suppressed)
	if err != nil || recent >= limit || suppressed > 0 {
		return false, err
	}
	return true, t.queueNotice(now, store.NoticeConfirm, newsletter, subscriber)
}

func (t *tx) queueNotice(now time.Time, kind string, newsletter, subscriber int64) error {
	_, err := t.exec(`INSERT INTO notices
		(kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason)
		VALUES (?1, ?2, ?3, 'queued', ?4, ?4, 0, '')`, kind, subscriber, newsletter, millis(now))
	return err
}

// Confirm implements [store.Subscribers].
func (s *Store) Confirm(ctx context.Context, now time.Time, subscriberID int64, newsletter string) error {
	return s.write(ctx, fmt.Sprintf("confirm the subscription of subscriber %d to %s", subscriberID, newsletter), func(t *tx) error {
		id, err := t.newsletter(newsletter)
		if err != nil {
			return err
		}
		var status string
		if err := t.one(`SELECT status FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2
			AND status <> 'unsubscribed'`, []any{id, subscriberID}, &status); err != nil {
			return err
		}
		if status == store.StatusActive {
			return nil
		}
		return t.confirm(now, id, subscriberID)
	})
}

func (t *tx) confirm(now time.Time, newsletter, subscriber int64) error {
	if _, err := t.exec(`UPDATE subscriptions SET status = 'active', confirmed_at = ?3, ended_at = NULL, was_active = 0, left_because = ''
		WHERE newsletter_id = ?1 AND subscriber_id = ?2`, newsletter, subscriber, millis(now)); err != nil {
		return err
	}
	if err := t.consent(now, store.ConsentConfirmed, subscriber, newsletter); err != nil {
		return err
	}
	return t.liftLeaving(subscriber)
}
