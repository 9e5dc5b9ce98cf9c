package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// leaseMemory is how long a holder may yet tell what became of its claims.
const leaseMemory = 30 * 24 * time.Hour

// KeepLease implements [store.Leases].
func (s *Store) KeepLease(ctx context.Context, holder string, d time.Duration, begin bool) error {
	return s.beside(ctx, "keep the lease of "+holder, func(t *tx) error {
		if begin {
			if err := t.forgetLeases(); err != nil {
				return err
			}
			return t.grant(holder, d)
		}
		n, err := t.exec(`UPDATE holders SET expires_at = `+t.dialect.Now+` + ?2 WHERE name = ?1 AND fenced = 0`, holder, d.Milliseconds())
		if err == nil && n == 0 {
			err = fmt.Errorf("%w from %s: its lease had run out", store.ErrFenced, holder)
		}
		return err
	})
}

// grant gives a lease to a holder that has none.
func (t *tx) grant(holder string, d time.Duration) error {
	_, err := t.exec(`INSERT INTO holders (name, expires_at) VALUES (?1, `+t.dialect.Now+` + ?2)
		ON CONFLICT (name) DO NOTHING`, holder, d.Milliseconds())
	return err
}

// forgetLeases forgets those of long ago.
func (t *tx) forgetLeases() error {
	const old = `SELECT name FROM holders WHERE expires_at < `
	for _, q := range []string{
		`DELETE FROM inherited WHERE holder IN (` + old + t.dialect.Now + ` - ?1)`,
		`DELETE FROM holders WHERE name IN (` + old + t.dialect.Now + ` - ?1)`,
	} {
		if _, err := t.exec(q, leaseMemory.Milliseconds()); err != nil {
			return err
		}
	}
	return nil
}

// EndLease implements [store.Leases].
func (s *Store) EndLease(ctx context.Context, holder string) error {
	return s.beside(ctx, "end the lease of "+holder, func(t *tx) error {
		_, err := t.exec(`DELETE FROM holders WHERE name = ?1 AND fenced = 0`, holder)
		return err
	})
}

// Fence implements [store.Leases].
func (s *Store) Fence(ctx context.Context, holder string, d time.Duration) (fenced bool, err error) {
	err = s.beside(ctx, "end the lease of "+holder, func(t *tx) error {
		if err := t.grant(holder, d); err != nil {
			return err
		}
		n, err := t.exec(`UPDATE holders SET fenced = 1 WHERE name = ?1 AND (fenced = 1 OR expires_at < `+t.dialect.Now+`)`, holder)
		fenced = n == 1
		return err
	})
	return fenced && err == nil, err
}

// mayClaim fails for a holder from whom others have taken over, and keeps them
// from it until the transaction ends.
func (t *tx) mayClaim(holder string) error {
	var fenced bool
	_, err := t.maybe(`SELECT h.fenced = 1 FROM holders h WHERE h.name = ?1`+t.forUpdate("h"), []any{holder}, &fenced)
	if err == nil && fenced {
		err = fmt.Errorf("%w from %s", store.ErrFenced, holder)
	}
	return err
}

// Inherit implements [store.Leases].
func (s *Store) Inherit(ctx context.Context, now time.Time, holder string, rs []store.Result) error {
	return s.beside(ctx, "take over claims of "+holder, func(t *tx) error {
		r := recorder{tx: t, now: now, holder: holder, heirs: true}
		return r.all(rs)
	})
}

// Inherited implements [store.Leases].
func (s *Store) Inherited(ctx context.Context, holder string) (jobs []store.Job, err error) {
	err = s.read(ctx, "read what was taken over from "+holder, func(t *tx) error {
		jobs, err = all(t, scanJob, `SELECT d.edition_id, d.seq, n.name, d.subscriber_id, COALESCE(p.email, ''),
			d.group_number, i.attempts, i.copies, i.setbacks, i.claimed_at, e.expires_at, e.in_doubt_policy
			FROM inherited i JOIN deliveries d ON d.edition_id = i.edition_id AND d.seq = i.seq
			JOIN editions e ON e.id = d.edition_id JOIN newsletters n ON n.id = e.newsletter_id
			LEFT JOIN subscribers p ON p.id = d.subscriber_id
			WHERE i.holder = ?1 ORDER BY d.edition_id, d.seq`, holder)
		return err
	})
	return jobs, err
}

// remember keeps a claim as it is, for its holder to tell what became of it.
func (r *recorder) remember(ref store.DeliveryRef) error {
	_, err := r.exec(`INSERT INTO inherited (edition_id, seq, holder, claimed_at, attempts, copies, setbacks, resent)
		SELECT d.edition_id, d.seq, d.holder, d.updated_at, d.attempts, d.copies, d.setbacks, d.resent
		FROM deliveries d WHERE d.edition_id = ?1 AND d.seq = ?2
		ON CONFLICT (edition_id, seq) DO UPDATE SET holder = excluded.holder, claimed_at = excluded.claimed_at,
		attempts = excluded.attempts, copies = excluded.copies, setbacks = excluded.setbacks, resent = excluded.resent`,
		ref.EditionID, ref.Seq)
	return err
}

// restore gives a claim that was taken over back to its holder, who knows what
// became of it, if nobody has gone on with the delivery since.
func (r *recorder) restore(ref store.DeliveryRef) (again int, unwanted string, held bool, err error) {
	var attempts, copies, setbacks, state, now int
	key := []any{ref.EditionID, ref.Seq, r.holder}
	if known, err := r.maybe(`SELECT attempts, copies, setbacks, resent FROM inherited
		WHERE edition_id = ?1 AND seq = ?2 AND holder = ?3`, key, &attempts, &copies, &setbacks, &again); err != nil || !known {
		return 0, "", false, err
	}
	_, delta, err := r.edition(ref.EditionID)
	if err != nil {
		return 0, "", false, err
	}
	if held, err = r.maybe(`SELECT d.state, d.resent, COALESCE(d.unwanted, '') FROM deliveries d WHERE d.edition_id = ?1 AND d.seq = ?2
		AND d.state IN (0, 6)`+r.forUpdate("d"), key[:2], &state, &now, &unwanted); err != nil {
		return 0, "", false, err
	}
	// Somebody may have claimed it, and told of it, while this one waited.
	if n, err := r.exec(`DELETE FROM inherited WHERE edition_id = ?1 AND seq = ?2 AND holder = ?3`, key...); err != nil || n == 0 || !held {
		return 0, "", false, err
	}
	from, err := decodeState(state)
	if err != nil {
		return 0, "", false, err
	}
	move(delta, from, store.DeliveryClaimed, 1)
	if now == resent && again != resent {
		delta.ResentInDoubt--
	}
	_, err = r.exec(`UPDATE deliveries SET state = 1, next_at = NULL, holder = ?3, attempts = ?4, copies = ?5, setbacks = ?6, resent = ?7
		WHERE edition_id = ?1 AND seq = ?2`, ref.EditionID, ref.Seq, r.holder, attempts, copies, setbacks, again)
	return again, unwanted, true, err
}

// reopen makes finished editions go on of which something is pending again.
func (r *recorder) reopen() error {
	for id, delta := range r.deltas {
		if r.status[id] != store.EditionFinished || delta.Pending <= 0 {
			continue
		}
		if err := r.setStatus(id, store.EditionSending, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// claimedAnew forgets what a former holder could still tell of a delivery.
func (t *tx) claimedAnew(ref store.DeliveryRef) error {
	_, err := t.exec(`DELETE FROM inherited WHERE edition_id = ?1 AND seq = ?2`, ref.EditionID, ref.Seq)
	return err
}
