package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
)

// AskAddress implements [store.Preferring].
func (s *Store) AskAddress(ctx context.Context, now time.Time, id int64, email, key string, limit int, since time.Time) error {
	return s.write(ctx, fmt.Sprintf("note the next address of subscriber %d", id), func(t *tx) error {
		var links time.Time
		if err := t.one(`SELECT links_since FROM subscribers WHERE id = ?1`, []any{id}, instant{&links}); err != nil {
			return err
		}
		// What came before the links were made void was not asked by the owner.
		recent, err := t.recentNotices(id, store.NoticeAddress, later(since, links))
		if err != nil || recent >= limit {
			return err
		}
		if err := t.stay(id); err != nil { // one that was asked for before is not to be confirmed any more
			return err
		}
		if _, err := t.exec(`UPDATE subscribers SET next_email = ?2, next_key = ?3, next_at = ?4 WHERE id = ?1`, id, email, key, millis(now)); err != nil {
			return err
		}
		return errors.Join(t.queueFor(now, id, store.NoticeAddress), t.queueFor(now, id, store.NoticeMoving))
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// MoveAddress implements [store.Preferring].
func (s *Store) MoveAddress(ctx context.Context, now time.Time, id int64, key string) error {
	return s.writeWiping(ctx, fmt.Sprintf("move subscriber %d to another address", id), func(t *tx) error {
		var email string
		if err := t.one(`SELECT next_email FROM subscribers WHERE id = ?1 AND next_key = ?2 AND next_key <> ''`, []any{id, key}, &email); err != nil {
			return err
		}
		if other, err := t.findPerson(store.Subscriber{Email: email, Key: key}); err != nil || other != 0 && other != id {
			return errors.Join(err, store.ErrExists)
		}
		var reason string
		found, err := t.maybe(`SELECT reason FROM suppressions WHERE key_hash = ?1 AND reason NOT IN (?2, ?3)`,
			[]any{key, store.ReasonUnsubscribed, store.ReasonErased}, &reason)
		if err != nil || found {
			return errors.Join(err, store.ErrConflict)
		}
		return t.move(now, id, email, key)
	})
}

// move gives a person another address, and takes a suppression that their own
// leaving caused along, in whichever way that concerned the new one before.
func (t *tx) move(now time.Time, id int64, email, key string) error {
	var former string
	if err := t.one(`SELECT key_hash FROM subscribers WHERE id = ?1`, []any{id}, &former); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM suppressions WHERE key_hash = ?1 AND reason IN (?2, ?3)`,
		key, store.ReasonUnsubscribed, store.ReasonErased); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE suppressions SET key_hash = ?2, email = ?3 WHERE key_hash = ?1 AND reason = ?4`,
		former, key, email, store.ReasonUnsubscribed); err != nil {
		return err
	}
	if err := t.leaveBehind(now, former); err != nil {
		return err
	}
	if err := errors.Join(t.dropWishes(id, ""), t.stay(id)); err != nil { // links to them were mailed to the former address
		return err
	}
	if _, err := t.exec(`UPDATE subscribers SET email = ?2, key_hash = ?3 WHERE id = ?1`, id, email, key); err != nil {
		return err
	}
	return t.consent(now, store.ConsentMoved, id, 0)
}

// leaveBehind keeps a former address from being brought back by an old list, as
// a hash alone. Whoever signs up with it, and confirms, is welcome.
func (t *tx) leaveBehind(now time.Time, key string) error {
	_, err := t.suppress(store.Suppression{Key: key, Reason: store.ReasonUnsubscribed, Note: "its owner has another address now", At: now})
	return err
}

// stay forgets the next address of a person, and the mail to it that waits.
func (t *tx) stay(id int64) error {
	if _, err := t.exec(`UPDATE subscribers SET next_email = '', next_key = '', next_at = NULL WHERE id = ?1 AND next_key <> ''`, id); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE notices SET state = 'failed', reason = 'no longer wanted'
		WHERE subscriber_id = ?1 AND kind = ?2 AND state = 'queued'`, id, store.NoticeAddress)
	return err
}

// KeepAddress implements [store.Preferring].
func (s *Store) KeepAddress(ctx context.Context, now time.Time, id int64) (kept bool, err error) {
	err = s.writeWiping(ctx, fmt.Sprintf("keep the address of subscriber %d", id), func(t *tx) error {
		var next string
		err := t.one(`SELECT next_key FROM subscribers WHERE id = ?1`, []any{id}, &next)
		if kept = err == nil && next != ""; !kept {
			return err
		}
		if err := t.stay(id); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE subscribers SET links_since = ?2 WHERE id = ?1`, id, millis(now))
		return err
	})
	return kept && err == nil, err
}

// ForgetMoves implements [store.Preferring].
func (s *Store) ForgetMoves(ctx context.Context, before time.Time) error {
	return s.writeWiping(ctx, "forget next addresses", func(t *tx) error {
		_, err := t.exec(`UPDATE subscribers SET next_email = '', next_key = '', next_at = NULL
			WHERE next_key <> '' AND COALESCE(next_at, 0) < ?1`, before.UnixMilli())
		return err
	})
}
