package sqlstore

import (
	"context"
	"slices"
	"time"

	"tidings/internal/store"
)

// keepAlerts is how long what was over stays on record.
const keepAlerts = 90 * 24 * time.Hour

const alertQuery = `SELECT id, key, kind, subject, text, passing, since, raised, cleared, told, over FROM alerts `

func scanAlert(r row) (a store.Alert, err error) {
	err = r.Scan(&a.ID, &a.Key, &a.Kind, &a.Subject, &a.Text, &a.Passing, instant{&a.Since},
		instant{&a.Raised}, instant{&a.Cleared}, instant{&a.Told}, instant{&a.Over})
	return a, err
}

// KeepAlerts implements [store.Alerts]. It is called often, and hardly ever
// has anything to write.
func (s *Store) KeepAlerts(ctx context.Context, now time.Time, kinds []string, present []store.Alert) error {
	const op = "keep alerts"
	news := false
	err := s.read(ctx, op, func(t *tx) error {
		open, err := t.openAlerts(kinds)
		news = len(open) != len(present) || slices.ContainsFunc(present, func(a store.Alert) bool { return !alike(open[a.Key], a) })
		return err
	})
	if err != nil || !news {
		return err
	}
	return s.write(ctx, op, func(t *tx) error {
		open, err := t.openAlerts(kinds)
		if err != nil {
			return err
		}
		for _, a := range present {
			if err := t.raise(now, open[a.Key], a); err != nil {
				return err
			}
			delete(open, a.Key)
		}
		for _, a := range open {
			if err := t.clearAlert(now, a.ID); err != nil {
				return err
			}
		}
		_, err = t.exec(`DELETE FROM alerts WHERE cleared < ?1 AND next_at IS NULL`, millis(now.Add(-keepAlerts)))
		return err
	})
}

// openAlerts gives the open alerts of the kinds by key.
func (t *tx) openAlerts(kinds []string) (map[string]store.Alert, error) {
	list, err := all(t, scanAlert, alertQuery+`WHERE cleared IS NULL`)
	open := map[string]store.Alert{}
	for _, a := range list {
		if slices.Contains(kinds, a.Kind) {
			open[a.Key] = a
		}
	}
	return open, err
}

func alike(a, b store.Alert) bool {
	return a.Key == b.Key && a.Subject == b.Subject && a.Text == b.Text
}

// raise inserts an alert, or renews the words of the open one.
func (t *tx) raise(now time.Time, open, a store.Alert) error {
	if alike(open, a) {
		return nil
	}
	if open.ID != 0 {
		return t.execOne(`UPDATE alerts SET subject = ?2, text = ?3 WHERE id = ?1`, open.ID, a.Subject, a.Text)
	}
	_, err := t.exec(`INSERT INTO alerts (key, kind, subject, text, passing, since, raised, next_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)`, a.Key, a.Kind, a.Subject, a.Text, flag(a.Passing), millis(a.Since), millis(now))
	return err
}

// clearAlert ends an alert. If it was told of, its end is to be told too.
func (t *tx) clearAlert(now time.Time, id int64) error {
	return t.execOne(`UPDATE alerts SET cleared = ?2, next_at = CASE WHEN told IS NULL THEN next_at WHEN passing = 0 THEN ?2 END
		WHERE id = ?1`, id, millis(now))
}

// ClaimAlerts implements [store.Alerts].
func (s *Store) ClaimAlerts(ctx context.Context, now, until, quiet time.Time) (list []store.Alert, err error) {
	const op, due = "claim alerts", `WHERE next_at <= ?1 AND (told IS NOT NULL OR NOT EXISTS (
		SELECT 1 FROM alerts o WHERE o.key = alerts.key AND (o.told > ?2 OR o.over > ?2))) ORDER BY id`
	err = s.read(ctx, op, func(t *tx) error {
		list, err = all(t, scanAlert, alertQuery+due, millis(now), millis(quiet))
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	err = s.write(ctx, op, func(t *tx) error {
		list, err = all(t, scanAlert, alertQuery+due, millis(now), millis(quiet))
		for _, a := range list {
			if err == nil {
				err = t.execOne(`UPDATE alerts SET next_at = ?2 WHERE id = ?1`, a.ID, millis(until))
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RecordAlerts implements [store.Alerts]. What ended after it was claimed is
// still to be told to be over.
func (s *Store) RecordAlerts(ctx context.Context, now time.Time, as []store.Alert, told bool, next time.Time) error {
	return s.write(ctx, "record alerts", func(t *tx) error {
		for _, a := range as {
			var err error
			if told {
				_, err = t.exec(`UPDATE alerts SET told = COALESCE(told, ?2), over = CASE WHEN ?3 = 1 THEN ?2 ELSE over END,
					next_at = CASE WHEN ?3 = 0 AND cleared IS NOT NULL AND passing = 0 THEN ?2 END WHERE id = ?1`,
					a.ID, millis(now), flag(!a.Cleared.IsZero()))
			} else {
				_, err = t.exec(`UPDATE alerts SET next_at = ?2 WHERE id = ?1`, a.ID, millis(next))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListAlerts implements [store.Alerts].
func (s *Store) ListAlerts(ctx context.Context, whole bool) (list []store.Alert, err error) {
	err = s.read(ctx, "list alerts", func(t *tx) error {
		where := `WHERE cleared IS NULL ORDER BY id DESC`
		if whole {
			where = `ORDER BY id DESC`
		}
		list, err = all(t, scanAlert, alertQuery+where)
		return err
	})
	return list, err
}
