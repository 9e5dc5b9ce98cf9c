package sqlstore

import (
	"context"
	"slices"
	"time"

	"tidings/internal/store"
)

// newcomersOf are those of [store.Welcomes], by the partial index of joined_at.
const newcomersOf = `FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id
	WHERE s.newsletter_id = ?1 AND s.joined_at > ?2 AND s.status = 'active' AND (s.paused_until IS NULL OR s.paused_until <= ?3)
	AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.key_hash = p.key_hash)`

// Newcomers implements [store.Welcomes].
func (s *Store) Newcomers(ctx context.Context, now time.Time, newsletter string, since time.Time) (n int, err error) {
	err = s.read(ctx, "look for new readers of "+newsletter, func(t *tx) error {
		id, err := t.newsletter(newsletter)
		if err != nil || id == 0 {
			return err
		}
		return t.one(`SELECT count(*) `+newcomersOf, []any{id, since.UnixMilli(), millis(now)}, &n)
	})
	return n, err
}

// PlanWelcome implements [store.Welcomes].
func (s *Store) PlanWelcome(ctx context.Context, now time.Time, e store.Edition, since time.Time, candidates []int64, a store.Audience) (store.Edition, []store.Group, error) {
	p := &plan{now: now, draft: e, audience: a, welcome: true, joinedSince: since}
	if err := s.plan(ctx, p, candidates); err != nil {
		return store.Edition{}, nil, err
	}
	return p.edition, p.groups, nil
}

// greet finds the newcomers whom the plan is for. They are none any more, also
// where nothing comes of it.
func (p *plan) greet() error {
	newsletter, err := p.newsletter(p.draft.Newsletter)
	if err != nil {
		return err
	}
	p.newcomers, err = all(p.tx, scalar[int64], `SELECT s.subscriber_id `+newcomersOf, newsletter, p.joinedSince.UnixMilli(), millis(p.now))
	if err != nil {
		return err
	}
	if len(p.newcomers) == 0 {
		return store.ErrNotFound
	}
	for part := range slices.Chunk(p.newcomers, planChunk) {
		if _, err := p.exec(`UPDATE subscriptions SET joined_at = NULL WHERE newsletter_id = ?1
			AND subscriber_id IN `+inList(slices.Values(part)), newsletter); err != nil {
			return err
		}
	}
	return nil
}

// arrived reads the next chunk of newcomers whom the edition does not have.
func (r *readership) arrived() (chunk []store.Reader, err error) {
	for len(r.newcomers) > 0 && len(chunk) == 0 {
		part := r.newcomers[:min(planChunk, len(r.newcomers))]
		r.newcomers = r.newcomers[len(part):]
		chunk, err = all(r.tx, r.terms.scanReader, readerColumns+`AND s.subscriber_id IN `+inList(slices.Values(part))+`
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.edition_id = ?4 AND d.subscriber_id = s.subscriber_id)`,
			r.newsletter, millis(r.now), 0, r.edition.ID)
		if err != nil {
			return nil, err
		}
	}
	return chunk, nil
}
