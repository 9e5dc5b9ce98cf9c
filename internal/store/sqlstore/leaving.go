package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// Unsubscribe implements [store.Subscribers].
func (s *Store) Unsubscribe(ctx context.Context, now time.Time, subscriberID int64, newsletter string) error {
	return s.write(ctx, fmt.Sprintf("unsubscribe subscriber %d", subscriberID), func(t *tx) error {
		if err := t.exists(subscriberID); err != nil {
			return err
		}
		ids, err := t.leave(now, subscriberID, newsletter)
		if err == nil {
			err = t.dropWishes(subscriberID, newsletter)
		}
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.consent(now, store.ConsentLeft, subscriberID, id); err != nil {
				return err
			}
		}
		return t.suppressIfNoneIsLeft(now, subscriberID, newsletter == "")
	})
}

func (t *tx) exists(subscriber int64) error {
	var id int64
	return t.one(`SELECT id FROM subscribers WHERE id = ?1`, []any{subscriber}, &id)
}

// leave ends one subscription of a person, or all if newsletter is "", and
// gives the newsletters that this ended, by name: so they go on record.
func (t *tx) leave(now time.Time, subscriber int64, newsletter string) ([]int64, error) {
	ended, err := t.end(now, subscriber, newsletter)
	if err != nil {
		return nil, err
	}
	return t.byName(ended)
}

// byName puts newsletters in the order of their names.
func (t *tx) byName(ids []int64) ([]int64, error) {
	if len(ids) < 2 {
		return ids, nil
	}
	named, err := all(t, scalar[int64], `SELECT id FROM newsletters ORDER BY name`)
	return slices.DeleteFunc(named, func(id int64) bool { return !slices.Contains(ids, id) }), err
}

func (t *tx) end(now time.Time, subscriber int64, newsletter string) ([]int64, error) {
	return all(t, scalar[int64], `UPDATE subscriptions SET status = 'unsubscribed', ended_at = ?3, left_because = '',
		was_active = CASE WHEN status = 'active' THEN 1 ELSE 0 END
		WHERE subscriber_id = ?1 AND status <> 'unsubscribed'
		AND (?2 = '' OR newsletter_id = (SELECT id FROM newsletters WHERE name = ?2)) RETURNING newsletter_id`,
		subscriber, newsletter, millis(now))
}

// suppressIfNoneIsLeft sees to it that no import subscribes a person who has
// left everything, or who wants that, to something else.
func (t *tx) suppressIfNoneIsLeft(now time.Time, subscriber int64, anyway bool) error {
	var left int
	p := store.Suppression{Reason: store.ReasonUnsubscribed, At: now}
	err := t.one(`SELECT key_hash, email, (SELECT count(*) FROM subscriptions s WHERE s.subscriber_id = p.id AND s.status = 'active')
		FROM subscribers p WHERE p.id = ?1`, []any{subscriber}, &p.Key, &p.Email, &left)
	if err != nil || left > 0 && !anyway {
		return err
	}
	// Whoever has left does not move: it may be somebody else who asked for that.
	if err := t.stay(subscriber); err != nil {
		return err
	}
	_, err = t.suppress(p)
	return err
}

// liftLeaving ends a suppression that the person's own leaving or erasure
// caused.
func (t *tx) liftLeaving(subscriber int64) error {
	_, err := t.exec(`DELETE FROM suppressions WHERE reason IN (?2, ?3)
		AND key_hash = (SELECT key_hash FROM subscribers WHERE id = ?1)`,
		subscriber, store.ReasonUnsubscribed, store.ReasonErased)
	return err
}

// LeaveAll implements [store.Preferring].
func (s *Store) LeaveAll(ctx context.Context, now time.Time, id int64, through string, since time.Time) error {
	return s.write(ctx, fmt.Sprintf("unsubscribe subscriber %d from everything", id), func(t *tx) error {
		if err := t.exists(id); err != nil {
			return err
		}
		ids, err := t.leave(now, id, "")
		if err != nil {
			return err
		}
		for _, newsletter := range ids {
			if err := t.consent(now, store.ConsentLeft, id, newsletter); err != nil {
				return err
			}
		}
		if len(ids) > 0 {
			if err := t.endTogether(now, id, through, since); err != nil {
				return err
			}
		}
		return errors.Join(t.dropWishes(id, ""), t.suppressIfNoneIsLeft(now, id, true))
	})
}

// endTogether has a subscription that its owner ended a little before count as
// ended now, so that they take back both at once.
func (t *tx) endTogether(now time.Time, subscriber int64, newsletter string, since time.Time) error {
	_, err := t.exec(`UPDATE subscriptions SET ended_at = ?3 WHERE subscriber_id = ?1 AND status = 'unsubscribed'
		AND was_active = 1 AND ended_at >= ?4 AND newsletter_id = (SELECT id FROM newsletters WHERE name = ?2)`,
		subscriber, newsletter, millis(now), since.UnixMilli())
	return err
}

// Return implements [store.Preferring].
func (s *Store) Return(ctx context.Context, now time.Time, id int64, newsletter string, since time.Time) (names []string, err error) {
	err = s.write(ctx, fmt.Sprintf("take back that subscriber %d left %s", id, newsletter), func(t *tx) error {
		if err := t.exists(id); err != nil {
			return err
		}
		var ended time.Time
		found, err := t.maybe(`SELECT ended_at FROM subscriptions WHERE subscriber_id = ?1 AND status = 'unsubscribed'
			AND was_active = 1 AND ended_at >= ?3 AND newsletter_id = (SELECT id FROM newsletters WHERE name = ?2)`,
			[]any{id, newsletter, since.UnixMilli()}, instant{&ended})
		if err != nil || !found {
			return err
		}
		names, err = t.revive(now, id, ended)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// revive makes active again what a person ended at an instant.
func (t *tx) revive(now time.Time, subscriber int64, ended time.Time) (names []string, err error) {
	ids, err := all(t, scalar[int64], `UPDATE subscriptions SET status = 'active', ended_at = NULL, was_active = 0, left_because = ''
		WHERE subscriber_id = ?1 AND status = 'unsubscribed' AND was_active = 1 AND ended_at = ?2 RETURNING newsletter_id`,
		subscriber, millis(ended))
	if err == nil {
		ids, err = t.byName(ids)
	}
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		var name string
		if err := t.one(`SELECT name FROM newsletters WHERE id = ?1`, []any{id}, &name); err != nil {
			return nil, err
		}
		names = append(names, name)
		if err := t.consent(now, store.ConsentReturned, subscriber, id); err != nil {
			return nil, err
		}
	}
	return names, t.liftLeaving(subscriber)
}

// SayWhy implements [store.Preferring].
func (s *Store) SayWhy(ctx context.Context, id int64, newsletter, because string) error {
	return s.write(ctx, fmt.Sprintf("note why subscriber %d left %s", id, newsletter), func(t *tx) error {
		_, err := t.exec(`UPDATE subscriptions SET left_because = ?3 WHERE subscriber_id = ?1 AND status = 'unsubscribed'
			AND newsletter_id = (SELECT id FROM newsletters WHERE name = ?2)`, id, newsletter, clip(because))
		return err
	})
}

// WhyLeft implements [store.Preferring].
func (s *Store) WhyLeft(ctx context.Context) (map[string]map[string]int, error) {
	counts := map[string]map[string]int{}
	err := s.read(ctx, "count why people left", func(t *tx) error {
		return t.each(`SELECT n.name, s.left_because, count(*) FROM subscriptions s JOIN newsletters n ON n.id = s.newsletter_id
			WHERE s.status = 'unsubscribed' GROUP BY n.name, s.left_because`, nil, func(r row) error {
			var newsletter, because string
			var n int
			if err := r.Scan(&newsletter, &because, &n); err != nil {
				return err
			}
			if counts[newsletter] == nil {
				counts[newsletter] = map[string]int{}
			}
			counts[newsletter][because] = n
			return nil
		})
	})
	return counts, err
}
