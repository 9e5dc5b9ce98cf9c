package sqlstore

import (
	"context"
	"fmt"

	"tidings/internal/store"
)

// Suppress implements [store.Suppressions].
func (s *Store) Suppress(ctx context.Context, list []store.Suppression) (added int, err error) {
	err = s.write(ctx, "suppress addresses", func(t *tx) error {
		added = 0
		for i, x := range list {
			isNew, err := t.suppress(x)
			if err != nil {
				return fmt.Errorf("address %d of %d: %w", i+1, len(list), err)
			}
			added += flag(isNew)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// suppress adds one suppression. A known one keeps its reason, unless that was
// the owner's own leaving, which a confirmation would lift, and the new one is
// not. An erased address does not come back in clear.
func (t *tx) suppress(x store.Suppression) (added bool, err error) {
	n, err := t.exec(`INSERT INTO suppressions (key_hash, email, reason, note, at) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (key_hash) DO NOTHING`, x.Key, x.Email, x.Reason, x.Note, millis(x.At))
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = t.exec(`UPDATE suppressions SET reason = ?2, at = ?4,
		note = CASE WHEN email = '' THEN '' ELSE ?3 END
		WHERE key_hash = ?1 AND reason IN (?5, ?6) AND ?2 NOT IN (?5, ?6)`,
		x.Key, x.Reason, x.Note, millis(x.At), store.ReasonUnsubscribed, store.ReasonErased)
	return false, err
}

// Unsuppress implements [store.Suppressions].
func (s *Store) Unsuppress(ctx context.Context, key string) error {
	return s.write(ctx, "lift a suppression", func(t *tx) error {
		if err := t.execOne(`DELETE FROM suppressions WHERE key_hash = ?1`, key); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE bounces SET lifted = 1
			WHERE subscriber_id = (SELECT id FROM subscribers WHERE key_hash = ?1)`, key)
		return err
	})
}

const suppressionColumns = `key_hash, email, reason, note, at`

func scanSuppression(r row) (x store.Suppression, err error) {
	err = r.Scan(&x.Key, &x.Email, &x.Reason, &x.Note, instant{&x.At})
	return x, err
}

// Suppressed implements [store.Suppressions].
func (s *Store) Suppressed(ctx context.Context, key string) (x store.Suppression, err error) {
	err = s.read(ctx, "look up a suppression", func(t *tx) error {
		return t.one(`SELECT `+suppressionColumns+` FROM suppressions WHERE key_hash = ?1`,
			[]any{key}, &x.Key, &x.Email, &x.Reason, &x.Note, instant{&x.At})
	})
	return x, err
}

// EachSuppression implements [store.Suppressions].
func (s *Store) EachSuppression(ctx context.Context, fn func(store.Suppression) error) error {
	return s.read(ctx, "list suppressions", func(t *tx) error {
		return t.each(`SELECT `+suppressionColumns+` FROM suppressions ORDER BY at NULLS FIRST, key_hash`, nil, func(r row) error {
			x, err := scanSuppression(r)
			if err != nil {
				return err
			}
			return fn(x)
		})
	})
}
