package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// noteWish keeps what a sign-up asks for of a newsletter. It touches nothing
// that is on record of the person but where this is all there is: whoever signs
// up has not shown that the address is theirs. It reports whether there is
// something to confirm: not if the person has it already.
func (t *tx) noteWish(in queuedSignUp, personal bool, subscriber, newsletter int64, sub store.Subscription) (wished bool, err error) {
	if sub.Frequency == "" {
		sub.Frequency = store.CadenceSchedule
	}
	if err := t.pend(in.at, newsletter, subscriber, sub); err != nil {
		return false, err
	}
	p := in.Person
	n, err := t.exec(`INSERT INTO wishes (signup_id, newsletter_id, subscriber_id, categories, tags, frequency, hour,
		personal, language, timezone, format, asked_at)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM subscriptions s
		WHERE s.newsletter_id = ?2 AND s.subscriber_id = ?3 AND s.status <> 'active'`,
		in.id, newsletter, subscriber, encodeTerms(sub.Categories), encodeTerms(sub.Tags), sub.Frequency, sub.Hour,
		flag(personal), p.Language, p.Timezone, orHTML(p.Format), millis(in.at))
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.consentTo(in.at, store.ConsentAsked, subscriber, newsletter, sub)
}

// pend makes a pending subscription where there is none yet; one that waits
// already is kept for longer.
func (t *tx) pend(now time.Time, newsletter, subscriber int64, sub store.Subscription) error {
	_, err := t.exec(`INSERT INTO subscriptions
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at, asked_at)
		VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8, ?8)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET asked_at = excluded.asked_at
		WHERE subscriptions.status = 'pending'`,
		newsletter, subscriber, encodeTerms(sub.Categories), encodeTerms(sub.Tags), sub.Frequency,
		sub.Hour, millis(sub.PausedUntil), millis(now))
	return err
}

const wishQuery = `SELECT w.newsletter_id, n.name, w.categories, w.tags, w.frequency, w.hour, w.personal, w.language, w.timezone, w.format,
	w.asked_at, CASE WHEN w.confirmed_at IS NULL THEN 0 ELSE 1 END
	FROM wishes w JOIN newsletters n ON n.id = w.newsletter_id WHERE w.signup_id = ?1 AND w.subscriber_id = ?2 ORDER BY n.name`

// keptWish is a wish with the number of its newsletter.
type keptWish struct {
	newsletter int64
	store.Wish
}

func scanWish(r row) (w keptWish, err error) {
	var categories, tags string
	if err = r.Scan(&w.newsletter, &w.Newsletter, &categories, &tags, &w.Frequency, &w.Hour, &w.Personal, &w.Language, &w.Timezone, &w.Format,
		instant{&w.AskedAt}, &w.Confirmed); err != nil {
		return w, err
	}
	if w.Categories, err = decodeTerms(categories); err != nil {
		return w, err
	}
	w.Tags, err = decodeTerms(tags)
	return w, err
}

// Wishes implements [store.Wishes].
func (s *Store) Wishes(ctx context.Context, subscriber, signUp int64) (list []store.Wish, err error) {
	err = s.read(ctx, fmt.Sprintf("read what sign-up %d asked for", signUp), func(t *tx) error {
		kept, err := all(t, scanWish, wishQuery, signUp, subscriber)
		list = nil
		for _, w := range kept {
			list = append(list, w.Wish)
		}
		return err
	})
	return list, err
}

// ConfirmWishes implements [store.Wishes].
func (s *Store) ConfirmWishes(ctx context.Context, now time.Time, subscriber, signUp int64) error {
	return s.write(ctx, fmt.Sprintf("confirm sign-up %d of subscriber %d", signUp, subscriber), func(t *tx) error {
		list, err := all(t, scanWish, wishQuery, signUp, subscriber)
		if err == nil && len(list) == 0 {
			err = store.ErrNotFound
		}
		for _, w := range list {
			if err == nil && !w.Confirmed {
				err = t.fulfil(now, subscriber, w)
			}
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE wishes SET confirmed_at = ?3 WHERE signup_id = ?1 AND subscriber_id = ?2 AND confirmed_at IS NULL`,
			signUp, subscriber, millis(now))
		return err
	})
}

// fulfil gives a person what they wished.
func (t *tx) fulfil(now time.Time, subscriber int64, w keptWish) error {
	if w.Personal {
		if _, err := t.exec(`UPDATE subscribers SET language = ?2, timezone = ?3, format = ?4 WHERE id = ?1`,
			subscriber, w.Language, w.Timezone, w.Format); err != nil {
			return err
		}
	}
	if _, err := t.exec(`INSERT INTO subscriptions
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, created_at, asked_at)
		VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?7)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET categories = excluded.categories, tags = excluded.tags,
		frequency = excluded.frequency, hour = excluded.hour, asked_at = excluded.asked_at,
		paused_until = CASE WHEN subscriptions.status = 'unsubscribed' THEN NULL ELSE subscriptions.paused_until END`,
		w.newsletter, subscriber, encodeTerms(w.Categories), encodeTerms(w.Tags), w.Frequency, w.Hour, millis(w.AskedAt)); err != nil {
		return err
	}
	var active int
	has, err := t.maybe(`SELECT 1 FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2 AND status = 'active'`,
		[]any{w.newsletter, subscriber}, &active)
	if err != nil {
		return err
	}
	if has { // by another sign-up, or on their own page: they are not new
		return t.consent(now, store.ConsentConfirmed, subscriber, w.newsletter)
	}
	return t.confirm(now, w.newsletter, subscriber)
}

// dropWishes forgets what sign-ups asked for of a newsletter, or of all if it is
// "": a link that was mailed before does not bring back who has left since.
func (t *tx) dropWishes(subscriber int64, newsletter string) error {
	_, err := t.exec(`DELETE FROM wishes WHERE subscriber_id = ?1
		AND (?2 = '' OR newsletter_id = (SELECT id FROM newsletters WHERE name = ?2))`, subscriber, newsletter)
	return err
}

// forgetWishes deletes wishes that were asked for before, and with those that
// nobody confirmed the record that a form was filled in; whoever has the
// newsletter all the same keeps that.
func (t *tx) forgetWishes(before time.Time) error {
	if _, err := t.exec(`DELETE FROM consents WHERE id IN (SELECT c.id FROM wishes w JOIN consents c
		ON c.subscriber_id = w.subscriber_id AND c.newsletter_id = w.newsletter_id AND c.at = w.asked_at AND c.event = ?2
		WHERE w.asked_at < ?1 AND w.confirmed_at IS NULL AND NOT EXISTS (SELECT 1 FROM subscriptions s
		WHERE s.newsletter_id = w.newsletter_id AND s.subscriber_id = w.subscriber_id AND s.status = 'active'))`,
		before.UnixMilli(), store.ConsentAsked); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM wishes WHERE asked_at < ?1`, before.UnixMilli())
	return err
}
