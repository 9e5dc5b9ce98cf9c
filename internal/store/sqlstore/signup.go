package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tidings/internal/store"
)

// QueueSignUp implements [store.SignUps].
func (s *Store) QueueSignUp(ctx context.Context, now time.Time, in store.SignUp, limits store.SignUpLimits) (queued bool, err error) {
	request, err := json.Marshal(queuedRequest{in.Subscriber, store.OriginOf(ctx)})
	if err != nil {
		return false, fmt.Errorf("queue a sign-up: %w", err)
	}
	err = s.beside(ctx, "queue a sign-up", func(t *tx) error {
		queued = false
		if err := t.lock(lockSignUps); err != nil {
			return err
		}
		var mailbox, all int
		if err := t.one(`SELECT (SELECT count(*) FROM signups WHERE mailbox = ?1 AND at >= ?2),
			(SELECT count(*) FROM signups WHERE at >= ?3)`,
			[]any{in.Mailbox, limits.MailboxSince.UnixMilli(), limits.AllSince.UnixMilli()}, &mailbox, &all); err != nil {
			return err
		}
		if mailbox >= limits.PerMailbox {
			return nil
		}
		if all >= limits.All {
			return store.ErrBusy
		}
		queued = true
		_, err := t.exec(`INSERT INTO signups (at, mailbox, request) VALUES (?1, ?2, ?3)`, millis(now), in.Mailbox, string(request))
		return err
	})
	return queued && err == nil, err
}

// ApplySignUps implements [store.SignUps]. What waited holds an address, of
// which nothing is to stay in the file once its owner is erased.
func (s *Store) ApplySignUps(ctx context.Context, now time.Time, limit int) (applied int, err error) {
	waiting, err := s.signUpsWait(ctx)
	if err != nil || !waiting {
		return 0, err
	}
	err = s.write(ctx, "attend to sign-ups", within(s.dialect.Wipe, s.dialect.Unwipe, func(t *tx) error {
		list, err := all(t, scanSignUp, `SELECT id, at, request FROM signups WHERE request IS NOT NULL ORDER BY id LIMIT ?1`, limit)
		for _, in := range list {
			if err == nil {
				err = t.applySignUp(in)
			}
		}
		applied = len(list)
		return err
	}))
	if err != nil {
		return 0, err
	}
	return applied, nil
}

// signUpsWait spares others the write lock while there is nothing to do.
func (s *Store) signUpsWait(ctx context.Context) (waiting bool, err error) {
	err = s.read(ctx, "look for sign-ups", func(t *tx) error {
		var n int
		waiting, err = t.maybe(`SELECT 1 FROM signups WHERE request IS NOT NULL LIMIT 1`, nil, &n)
		return err
	})
	return waiting, err
}

// queuedSignUp is a sign-up as it is kept.
type queuedSignUp struct {
	id int64
	at time.Time
	queuedRequest
}

// queuedRequest is the part that is kept as JSON.
type queuedRequest struct {
	Person store.Subscriber
	Origin store.Origin
}

func scanSignUp(r row) (q queuedSignUp, err error) {
	var request string
	if err = r.Scan(&q.id, instant{&q.at}, &request); err != nil {
		return q, err
	}
	if err = json.Unmarshal([]byte(request), &q.queuedRequest); err != nil {
		err = fmt.Errorf("stored sign-up %d: %w", q.id, err)
	}
	return q, err
}

func (t *tx) applySignUp(in queuedSignUp) error {
	t.origin = in.Origin
	if err := t.attend(in); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE signups SET request = NULL WHERE id = ?1`, in.id)
	return err
}

func (t *tx) attend(in queuedSignUp) error {
	if len(in.Person.Subscriptions) == 0 {
		id, err := t.findPerson(in.Person)
		if err != nil || id == 0 {
			return err
		}
		return t.queueFor(in.at, id, store.NoticeLink)
	}
	id, err := t.signUpPerson(in.at, in.Person)
	if err != nil {
		return err
	}
	var first int64 // the newsletter in whose name the confirmation is mailed
	for _, sub := range in.Person.Subscriptions {
		newsletter, err := t.ensureNewsletter(sub.Newsletter)
		if err != nil {
			return err
		}
		pending, err := t.signUpSubscription(in.at, newsletter, id, sub)
		if err != nil {
			return err
		}
		if !pending {
			continue
		}
		if first == 0 {
			first = newsletter
		}
		if err := t.consent(in.at, store.ConsentAsked, id, newsletter); err != nil {
			return err
		}
	}
	if first == 0 {
		return t.queueFor(in.at, id, store.NoticeLink)
	}
	return t.queueConfirmation(in.at, first, id)
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
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at, asked_at)
		VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8, ?8)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = 'pending',
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency,
		hour = excluded.hour, paused_until = excluded.paused_until, asked_at = excluded.asked_at
		WHERE subscriptions.status <> 'active'`,
		newsletter, subscriber, encodeTerms(sub.Categories), encodeTerms(sub.Tags), sub.Frequency,
		sub.Hour, millis(sub.PausedUntil), millis(now))
	return n > 0, err
}

// queueConfirmation queues a notice for the pending subscriptions that were
// asked for at that time, unless the address is suppressed for more than its
// owner's own leaving.
func (t *tx) queueConfirmation(asked time.Time, newsletter, subscriber int64) error {
	var suppressed int
	err := t.one(`SELECT count(*) FROM subscribers p JOIN suppressions x ON x.key_hash = p.key_hash
		WHERE p.id = ?1 AND x.reason NOT IN (?2, ?3)`,
		[]any{subscriber, store.ReasonUnsubscribed, store.ReasonErased}, &suppressed)
	if err != nil || suppressed > 0 {
		return err
	}
	return t.queueNotice(asked, store.NoticeConfirm, newsletter, subscriber)
}

func (t *tx) queueNotice(now time.Time, kind string, newsletter, subscriber int64) error {
	_, err := t.exec(`INSERT INTO notices
		(kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason)
		VALUES (?1, ?2, ?3, 'queued', ?4, ?4, 0, '')`, kind, subscriber, newsletter, millis(now))
	return err
}

// Confirm implements [store.Subscribers].
func (s *Store) Confirm(ctx context.Context, now time.Time, subscriberID int64, newsletters ...string) error {
	return s.write(ctx, fmt.Sprintf("confirm the subscription of subscriber %d to %s", subscriberID, strings.Join(newsletters, ", ")), func(t *tx) error {
		found := false
		for _, name := range newsletters {
			known, err := t.confirmOne(now, subscriberID, name)
			if err != nil {
				return err
			}
			found = found || known
		}
		if !found {
			return store.ErrNotFound
		}
		return nil
	})
}

// confirmOne confirms one subscription; known is false if there is none that is
// pending or active.
func (t *tx) confirmOne(now time.Time, subscriber int64, newsletter string) (known bool, err error) {
	id, err := t.newsletter(newsletter)
	if err != nil {
		return false, err
	}
	var status string
	known, err = t.maybe(`SELECT status FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2
		AND status <> 'unsubscribed'`, []any{id, subscriber}, &status)
	if err != nil || status != store.StatusPending {
		return known, err
	}
	return true, t.confirm(now, id, subscriber)
}

// justLeft is the time since which whoever left is not new when they come back.
func justLeft(now time.Time) int64 { return now.Add(-store.WelcomeAgainAfter).UnixMilli() }

func (t *tx) confirm(now time.Time, newsletter, subscriber int64) error {
	if _, err := t.exec(`UPDATE subscriptions SET status = 'active', confirmed_at = ?3,
		joined_at = CASE WHEN was_active = 1 AND ended_at > ?4 THEN joined_at ELSE ?3 END, ended_at = NULL, was_active = 0, left_because = ''
		WHERE newsletter_id = ?1 AND subscriber_id = ?2`, newsletter, subscriber, millis(now), justLeft(now)); err != nil {
		return err
	}
	if err := t.consent(now, store.ConsentConfirmed, subscriber, newsletter); err != nil {
		return err
	}
	return t.liftLeaving(subscriber)
}
