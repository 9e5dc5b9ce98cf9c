package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidings/internal/store"
)

// countOf is the counter to which deliveries of a state belong.
func countOf(c *store.Counts, state string) *int {
	switch state {
	case store.DeliverySent:
		return &c.Sent
	case store.DeliveryFailed:
		return &c.Failed
	case store.DeliverySuppressed:
		return &c.Suppressed
	case store.DeliveryEmpty:
		return &c.Empty
	case store.DeliveryInDoubt:
		return &c.InDoubt
	}
	return &c.Pending // pending or claimed
}

// move counts n deliveries that went from one state to another.
func move(c *store.Counts, from, to string, n int) {
	*countOf(c, from) -= n
	*countOf(c, to) += n
}

// checkCounts reports an account that cannot be true.
func checkCounts(id int64, c store.Counts) error {
	if !c.Balanced() || min(c.Eligible, c.Sent, c.Failed, c.Suppressed, c.Empty, c.InDoubt, c.Pending, c.ResentInDoubt) < 0 {
		return fmt.Errorf("edition %d: its account does not balance: %+v", id, c)
	}
	return nil
}

// account adds delta to an edition's counters and finishes the edition when
// nothing is pending any more.
func (t *tx) account(now time.Time, id int64, delta store.Counts) error {
	if _, err := t.exec(`UPDATE editions SET eligible = eligible + ?2, sent = sent + ?3, failed = failed + ?4,
		suppressed = suppressed + ?5, empty = empty + ?6, in_doubt = in_doubt + ?7, pending = pending + ?8,
		resent_in_doubt = resent_in_doubt + ?9 WHERE id = ?1`,
		id, delta.Eligible, delta.Sent, delta.Failed, delta.Suppressed, delta.Empty, delta.InDoubt, delta.Pending,
		delta.ResentInDoubt); err != nil {
		return err
	}
	e, err := t.edition(id)
	if err != nil {
		return err
	}
	if err := checkCounts(id, e.Counts); err != nil {
		return err
	}
	if e.Counts.Pending == 0 && (e.Status == store.EditionSending || e.Status == store.EditionPaused) {
		return t.setStatus(id, store.EditionFinished, now)
	}
	return nil
}

// setStatus changes an edition's status; finished is zero while it goes on.
func (t *tx) setStatus(id int64, status string, finished time.Time) error {
	_, err := t.exec(`UPDATE editions SET status = ?2, finished_at = ?3 WHERE id = ?1`, id, status, millis(finished))
	return err
}

// accountAll is account for several editions.
func (t *tx) accountAll(now time.Time, deltas map[int64]*store.Counts) error {
	for _, id := range slices.Sorted(maps.Keys(deltas)) {
		if err := t.account(now, id, *deltas[id]); err != nil {
			return err
		}
	}
	return nil
}

// CheckEditions counts every edition's deliveries and says where the counters
// kept with the edition differ. It reads the whole table.
func (s *Store) CheckEditions(ctx context.Context) (problems []string, err error) {
	err = s.read(ctx, "check the editions' accounts", func(t *tx) error {
		editions, err := all(t, scanEdition, editionQuery+`ORDER BY e.id`)
		if err != nil {
			return err
		}
		for _, e := range editions {
			counted, err := t.recount(e)
			if err != nil {
				return err
			}
			if counted != e.Counts {
				problems = append(problems, fmt.Sprintf("edition %d counts %+v, but its deliveries are %+v", e.ID, e.Counts, counted))
			}
		}
		return nil
	})
	return problems, err
}

// recount makes an edition's account from its deliveries.
func (t *tx) recount(e store.Edition) (c store.Counts, err error) {
	// What mails nobody has readers, but no deliveries.
	if e.Status == store.EditionSkipped || e.Status == store.EditionFailed {
		c = e.Counts
	} else if err := t.one(`SELECT COALESCE(sum(readers), 0) FROM edition_waves WHERE edition_id = ?1 AND status = 'skipped'`,
		[]any{e.ID}, &c.Empty); err != nil {
		return c, err
	} else {
		c.Eligible = c.Empty
	}
	err = t.each(`SELECT state, count(*), sum(CASE WHEN resent = 2 THEN 1 ELSE 0 END)
		FROM deliveries WHERE edition_id = ?1 GROUP BY state`, []any{e.ID}, func(r row) error {
		var state, n, resent int
		if err := r.Scan(&state, &n, &resent); err != nil {
			return err
		}
		name, err := decodeState(state)
		c.Eligible += n
		c.ResentInDoubt += resent
		*countOf(&c, name) += n
		return err
	})
	return c, err
}
