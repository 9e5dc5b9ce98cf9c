package sqlstore

import (
	"context"
	"fmt"

	"tidings/internal/store"
)

// Traces implements [store.Preferring].
func (s *Store) Traces(ctx context.Context, id int64) (tr store.Traces, err error) {
	err = s.read(ctx, fmt.Sprintf("read what is kept of subscriber %d", id), func(t *tx) error {
		var key string
		if err := t.one(`SELECT key_hash FROM subscribers WHERE id = ?1`, []any{id}, &key); err != nil {
			return err
		}
		if tr.Deliveries, err = t.deliveryTraces(id); err != nil {
			return err
		}
		if tr.Notices, err = all(t, scanNoticeTrace, `SELECT kind, state, created_at FROM notices
			WHERE subscriber_id = ?1 ORDER BY id`, id); err != nil {
			return err
		}
		if tr.Bounces, err = all(t, scanBounce, `SELECT edition_id, seq, class, status, note, at FROM bounces
			WHERE subscriber_id = ?1 ORDER BY at NULLS FIRST, edition_id, seq`, id); err != nil {
			return err
		}
		list, err := all(t, scanSuppression, `SELECT `+suppressionColumns+` FROM suppressions WHERE key_hash = ?1`, key)
		if len(list) > 0 {
			tr.Suppression = &list[0]
		}
		return err
	})
	return tr, err
}

// deliveryTraces gives a person's mails with the titles of their posts. The list
// of editions lets the index by edition and subscriber find the few rows.
func (t *tx) deliveryTraces(id int64) ([]store.DeliveryTrace, error) {
	type found struct {
		store.DeliveryTrace
		group int
	}
	list, err := all(t, func(r row) (f found, err error) {
		var state int
		if err = r.Scan(&f.EditionID, &f.Newsletter, &f.group, &state, &f.Reason, instant{&f.At}); err != nil {
			return f, err
		}
		f.State, err = decodeState(state)
		return f, err
	}, `SELECT d.edition_id, n.name, d.group_number, d.state, COALESCE(d.reason, ''), d.updated_at
		FROM editions e CROSS JOIN deliveries d JOIN newsletters n ON n.id = e.newsletter_id
		WHERE d.edition_id = e.id AND d.subscriber_id = ?1 ORDER BY e.id`, id)
	if err != nil {
		return nil, err
	}
	traces := make([]store.DeliveryTrace, len(list))
	for i, f := range list {
		traces[i] = f.DeliveryTrace
		if f.group < 0 {
			continue
		}
		if err := t.one(`SELECT subject FROM edition_groups WHERE edition_id = ?1 AND number = ?2`,
			[]any{f.EditionID, f.group}, &traces[i].Subject); err != nil {
			return nil, err
		}
		if traces[i].Posts, err = all(t, scalar[string], `SELECT p.title FROM group_posts g JOIN posts p ON p.id = g.post_id
			WHERE g.edition_id = ?1 AND g.group_number = ?2 ORDER BY g.position`, f.EditionID, f.group); err != nil {
			return nil, err
		}
	}
	return traces, nil
}

func scanNoticeTrace(r row) (n store.NoticeTrace, err error) {
	err = r.Scan(&n.Kind, &n.State, instant{&n.CreatedAt})
	return n, err
}
