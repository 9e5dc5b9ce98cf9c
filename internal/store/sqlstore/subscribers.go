package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// subscriberQuery gives one row per subscription, and one for a person
// without any; the rows of a person must stay together.
const subscriberQuery = `SELECT p.id, p.email, p.key_hash, p.name, p.language, p.timezone, p.format, p.quiet_hours, p.next_email, p.links_since, p.feed, p.created_at,
	COALESCE(n.name, ''), COALESCE(s.status, ''), COALESCE(s.categories, ''), COALESCE(s.tags, ''),
	COALESCE(s.frequency, ''), COALESCE(s.hour, ''), s.paused_until, s.created_at, s.asked_at, s.confirmed_at, s.ended_at,
	COALESCE(s.was_active, 0), COALESCE(s.left_because, ''), s.joined_at
	FROM subscribers p
	LEFT JOIN subscriptions s ON s.subscriber_id = p.id
	LEFT JOIN newsletters n ON n.id = s.newsletter_id `

// eachSubscriber calls fn for each person of a query that begins with
// subscriberQuery.
func (t *tx) eachSubscriber(where string, args []any, fn func(store.Subscriber) error) error {
	var person store.Subscriber
	err := t.each(subscriberQuery+where, args, func(r row) error {
		next, err := scanSubscriber(r)
		if err != nil {
			return err
		}
		if next.ID == person.ID {
			person.Subscriptions = append(person.Subscriptions, next.Subscriptions...)
			return nil
		}
		done := person
		person = next
		if done.ID == 0 {
			return nil
		}
		return fn(done)
	})
	if err == nil && person.ID != 0 {
		err = fn(person)
	}
	return err
}

func scanSubscriber(r row) (p store.Subscriber, err error) {
	var sub store.Subscription
	var categories, tags string
	err = r.Scan(&p.ID, &p.Email, &p.Key, &p.Name, &p.Language, &p.Timezone, &p.Format, &p.QuietHours, &p.NextEmail, instant{&p.LinksSince}, &p.Feed, instant{&p.CreatedAt},
		&sub.Newsletter, &sub.Status, &categories, &tags, &sub.Frequency, &sub.Hour,
		instant{&sub.PausedUntil}, instant{&sub.CreatedAt}, instant{&sub.AskedAt}, instant{&sub.ConfirmedAt}, instant{&sub.EndedAt},
		&sub.WasActive, &sub.LeftBecause, instant{&sub.JoinedAt})
	p.Feed = max(p.Feed, 0)
	if err != nil || sub.Newsletter == "" {
		return p, err
	}
	if sub.Categories, err = decodeTerms(categories); err != nil {
		return p, err
	}
	sub.Tags, err = decodeTerms(tags)
	p.Subscriptions = []store.Subscription{sub}
	return p, err
}

// Subscriber implements [store.Subscribers].
func (s *Store) Subscriber(ctx context.Context, id int64) (store.Subscriber, error) {
	return s.subscriber(ctx, fmt.Sprintf("subscriber %d", id), `WHERE p.id = ?1 ORDER BY n.name`, id)
}

// SubscriberByEmail implements [store.Subscribers].
func (s *Store) SubscriberByEmail(ctx context.Context, email string) (store.Subscriber, error) {
	return s.subscriber(ctx, fmt.Sprintf("subscriber %q", email), `WHERE lower(p.email) = ?1 ORDER BY n.name`, lower(email))
}

func (s *Store) subscriber(ctx context.Context, object, where string, arg any) (p store.Subscriber, err error) {
	err = s.read(ctx, "read "+object, func(t *tx) error {
		return t.eachSubscriber(where, []any{arg}, func(found store.Subscriber) error {
			p = found
			return nil
		})
	})
	if err == nil && p.ID == 0 {
		err = store.ErrNotFound
	}
	return p, err
}

// EachSubscriber implements [store.Subscribers].
func (s *Store) EachSubscriber(ctx context.Context, f store.SubscriberFilter, fn func(store.Subscriber) error) error {
	return s.read(ctx, "list subscribers", func(t *tx) error {
		return t.eachSubscriber(`WHERE (?1 = '' AND ?2 = '') OR EXISTS (
			SELECT 1 FROM subscriptions fs JOIN newsletters fn ON fn.id = fs.newsletter_id
			WHERE fs.subscriber_id = p.id AND (?1 = '' OR fn.name = ?1) AND (?2 = '' OR fs.status = ?2))
			ORDER BY lower(p.email), n.name`, []any{f.Newsletter, f.Status}, fn)
	})
}

// CountSubscribers implements [store.Subscribers].
func (s *Store) CountSubscribers(ctx context.Context) (map[string]map[string]int, error) {
	counts := map[string]map[string]int{}
	err := s.read(ctx, "count subscribers", func(t *tx) error {
		return t.each(`SELECT n.name, s.status, count(*) FROM subscriptions s
			JOIN newsletters n ON n.id = s.newsletter_id GROUP BY n.name, s.status`, nil, func(r row) error {
			var newsletter, status string
			var n int
			if err := r.Scan(&newsletter, &status, &n); err != nil {
				return err
			}
			if counts[newsletter] == nil {
				counts[newsletter] = map[string]int{}
			}
			counts[newsletter][status] = n
			return nil
		})
	})
	return counts, err
}

// EraseSubscriber implements [store.Subscribers].
func (s *Store) EraseSubscriber(ctx context.Context, now time.Time, id int64) error {
	return s.writeWiping(ctx, fmt.Sprintf("erase subscriber %d", id), func(t *tx) error {
		var key string
		// The subscriptions and notices go with the person.
		if err := t.one(`DELETE FROM subscribers WHERE id = ?1 RETURNING key_hash`, []any{id}, &key); err != nil {
			return err
		}
		// Somebody else may have asked to move to that address.
		if _, err := t.exec(`UPDATE subscribers SET next_email = '', next_key = '', next_at = NULL
			WHERE next_key = ?1 AND next_key <> ''`, key); err != nil {
			return err
		}
		// A relay's reply often names the address. The list of editions lets
		// the index by edition and subscriber find the few rows.
		if _, err := t.exec(`UPDATE deliveries SET reason = NULL WHERE subscriber_id = ?1
			AND edition_id IN (SELECT id FROM editions)`, id); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE bounces SET domain = '', note = '' WHERE subscriber_id = ?1`, id); err != nil {
			return err
		}
		// A bounce or a complaint outlives the erasure, but without the address.
		// The time is that of the last erasure: what older exports hold is older.
		_, err := t.exec(`INSERT INTO suppressions (key_hash, email, reason, note, at) VALUES (?1, '', ?2, '', ?3)
			ON CONFLICT (key_hash) DO UPDATE SET email = '', note = '',
			at = CASE WHEN suppressions.reason IN (?2, ?4) THEN excluded.at ELSE suppressions.at END,
			reason = CASE WHEN suppressions.reason = ?4 THEN excluded.reason ELSE suppressions.reason END`,
			key, store.ReasonErased, millis(now), store.ReasonUnsubscribed)
		return err
	})
}

// RenewFeed implements [store.Subscribers].
func (s *Store) RenewFeed(ctx context.Context, id int64) (number int64, err error) {
	err = s.write(ctx, fmt.Sprintf("renew the private feed of subscriber %d", id), func(t *tx) error {
		return t.one(`UPDATE subscribers SET feed = abs(feed) + 1 WHERE id = ?1 RETURNING feed`, []any{id}, &number)
	})
	return number, err
}

// RevokeFeed implements [store.Subscribers].
func (s *Store) RevokeFeed(ctx context.Context, id int64) error {
	return s.write(ctx, fmt.Sprintf("revoke the private feed of subscriber %d", id), func(t *tx) error {
		return t.execOne(`UPDATE subscribers SET feed = -abs(feed) WHERE id = ?1`, id)
	})
}

// newsletter gives the number of a newsletter; 0 if nothing knows it yet.
func (t *tx) newsletter(name string) (id int64, err error) {
	_, err = t.maybe(`SELECT id FROM newsletters WHERE name = ?1`, []any{name}, &id)
	return id, err
}

// ensureNewsletter is newsletter that makes the row where it is missing.
func (t *tx) ensureNewsletter(name string) (id int64, err error) {
	if id, err = t.newsletter(name); err != nil || id != 0 {
		return id, err
	}
	made, err := t.maybe(`INSERT INTO newsletters (name) VALUES (?1) ON CONFLICT (name) DO NOTHING RETURNING id`, []any{name}, &id)
	if err == nil && !made {
		return t.newsletter(name) // which another transaction has made meanwhile
	}
	return id, err
}
