package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// SetPreferences implements [store.Preferring].
func (s *Store) SetPreferences(ctx context.Context, now time.Time, id int64, p store.Preferences) error {
	return s.write(ctx, fmt.Sprintf("keep the preferences of subscriber %d", id), func(t *tx) error {
		if err := t.preferPerson(now, id, p); err != nil {
			return err
		}
		for _, want := range p.Subscriptions {
			if err := t.prefer(now, id, want, p.Wants); err != nil {
				return fmt.Errorf("newsletter %s: %w", want.Newsletter, err)
			}
		}
		var active int
		if err := t.one(`SELECT count(*) FROM subscriptions WHERE subscriber_id = ?1 AND status = 'active'`, []any{id}, &active); err != nil {
			return err
		}
		if active > 0 {
			return t.liftLeaving(id)
		}
		return t.suppressIfNoneIsLeft(now, id, false)
	})
}

// preferPerson brings a person's own record to what they want.
func (t *tx) preferPerson(now time.Time, id int64, p store.Preferences) error {
	var timezone, quiet string
	if err := t.one(`SELECT timezone, quiet_hours FROM subscribers WHERE id = ?1`, []any{id}, &timezone, &quiet); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE subscribers SET language = ?2, timezone = ?3, format = ?4, quiet_hours = ?5 WHERE id = ?1`,
		id, p.Language, p.Timezone, orHTML(p.Format), p.QuietHours); err != nil {
		return err
	}
	if timezone == p.Timezone && quiet == p.QuietHours {
		return nil
	}
	return t.hastenHeld(now, id)
}

// prefer brings one subscription to what its owner wants.
func (t *tx) prefer(now time.Time, subscriber int64, want store.Subscription, w store.Wants) error {
	newsletter, err := t.ensureNewsletter(want.Newsletter)
	if err != nil {
		return err
	}
	if want.Status == store.StatusUnsubscribed {
		ended, err := t.endActive(now, subscriber, newsletter)
		if err != nil || ended == 0 {
			return err
		}
		if err := t.dropWishes(subscriber, want.Newsletter); err != nil {
			return err
		}
		return t.consent(now, store.ConsentLeft, subscriber, newsletter)
	}
	if want.Status != store.StatusActive {
		return fmt.Errorf("%q is not a status that one can want", want.Status)
	}
	event, err := t.preferActive(now, newsletter, subscriber, want)
	if err != nil || event == "" {
		return err
	}
	if err := t.consent(now, event, subscriber, newsletter); err != nil {
		return err
	}
	return t.withdraw(now, newsletter, subscriber, want, w)
}

// endActive ends a subscription that is active. One that waits for its
// confirmation is not what its owner looks at when they save their page.
func (t *tx) endActive(now time.Time, subscriber, newsletter int64) (int, error) {
	return t.exec(`UPDATE subscriptions SET status = 'unsubscribed', ended_at = ?3, left_because = '', was_active = 1
		WHERE subscriber_id = ?1 AND newsletter_id = ?2 AND status = 'active'`, subscriber, newsletter, millis(now))
}

// preferActive makes or changes an active subscription, and gives the event that
// this is; "" if nothing changed.
func (t *tx) preferActive(now time.Time, newsletter, subscriber int64, want store.Subscription) (event string, err error) {
	if want.Frequency == "" {
		want.Frequency = store.CadenceSchedule
	}
	choices := []any{newsletter, subscriber, encodeTerms(want.Categories), encodeTerms(want.Tags), want.Frequency, want.Hour, millis(want.PausedUntil)}
	n, err := t.exec(`UPDATE subscriptions SET categories = ?3, tags = ?4, frequency = ?5, hour = ?6, paused_until = ?7
		WHERE newsletter_id = ?1 AND subscriber_id = ?2 AND status = 'active'
		AND (categories <> ?3 OR tags <> ?4 OR frequency <> ?5 OR hour <> ?6 OR COALESCE(paused_until, 0) <> COALESCE(CAST(?7 AS bigint), 0))`, choices...)
	if err != nil || n > 0 {
		return store.ConsentChanged, err
	}
	n, err = t.exec(`INSERT INTO subscriptions
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at, confirmed_at, joined_at)
		VALUES (?1, ?2, 'active', ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = 'active',
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency, hour = excluded.hour,
		paused_until = excluded.paused_until, confirmed_at = excluded.confirmed_at,
		joined_at = CASE WHEN subscriptions.was_active = 1 AND subscriptions.ended_at > ?9 THEN subscriptions.joined_at ELSE excluded.joined_at END,
		ended_at = NULL, was_active = 0, left_because = ''
		WHERE subscriptions.status <> 'active'`, append(choices, millis(now), justLeft(now))...)
	if err != nil || n == 0 {
		return "", err
	}
	return store.ConsentConfirmed, nil
}

// recentNotices counts a person's notices of a kind since an instant.
func (t *tx) recentNotices(id int64, kind string, since time.Time) (n int, err error) {
	err = t.one(`SELECT count(*) FROM notices WHERE subscriber_id = ?1 AND kind = ?2 AND created_at >= ?3`,
		[]any{id, kind, since.UnixMilli()}, &n)
	return n, err
}

// queueFor queues a notice that is of no newsletter in particular: it goes out
// in the name of one that the person has, or had. Who has none gets none.
func (t *tx) queueFor(now time.Time, subscriber int64, kind string) error {
	var newsletter int64
	found, err := t.maybe(`SELECT newsletter_id FROM subscriptions WHERE subscriber_id = ?1
		ORDER BY CASE status WHEN 'active' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, newsletter_id LIMIT 1`, []any{subscriber}, &newsletter)
	if err != nil || !found {
		return err
	}
	return t.queueNotice(now, kind, newsletter, subscriber)
}
