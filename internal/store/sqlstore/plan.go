package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
)

// PlanEdition implements [store.Editions].
func (s *Store) PlanEdition(ctx context.Context, now time.Time, e store.Edition, candidates []int64, a store.Audience, dryRun bool) (store.Edition, []store.Group, error) {
	p := &plan{now: now, draft: e, audience: a, dry: dryRun}
	if err := s.plan(ctx, p, candidates); err != nil {
		return store.Edition{}, nil, err
	}
	return p.edition, p.groups, nil
}

// PlanWave implements [store.Waves].
func (s *Store) PlanWave(ctx context.Context, now time.Time, e store.Edition, w store.Wave, candidates []int64, a store.Audience, dryRun bool) (store.Edition, store.Wave, []store.Group, error) {
	p := &plan{now: now, draft: e, wave: &w, audience: a, dry: dryRun}
	if err := s.plan(ctx, p, candidates); err != nil {
		return store.Edition{}, store.Wave{}, nil, err
	}
	return p.edition, w, p.groups, nil
}

func (s *Store) plan(ctx context.Context, p *plan, candidates []int64) error {
	transaction := s.beside
	if p.dry {
		transaction = s.read // what a plan would hold needs no lock on the senders
	}
	return transaction(ctx, fmt.Sprintf("plan slot %s of %s", p.draft.Slot, p.draft.Newsletter), func(t *tx) error {
		p.tx = t
		if p.dry {
			return p.run(candidates)
		}
		if err := t.lockNewsletters(p.draft.Newsletter); err != nil {
			return err
		}
		return within(s.dialect.Large, s.dialect.Usual, func(t *tx) error {
			if err := s.keepTime(t, p.now); err != nil {
				return err
			}
			return p.run(candidates)
		})(t)
	})
}

// A plan is an edition being planned, or a wave of one.
type plan struct {
	*tx
	now      time.Time
	draft    store.Edition
	wave     *store.Wave // nil: all readers, by hand, or newcomers
	audience store.Audience
	dry      bool

	welcome     bool // of newcomers
	joinedSince time.Time
	newcomers   []int64 // those not yet read

	edition store.Edition
	former  formerly

	deliveries *bulk

	added  store.Counts
	last   int // highest group number assigned; -1: none
	groups []store.Group
}

func (p *plan) run(candidates []int64) error {
	if p.welcome {
		if err := p.greet(); err != nil {
			return err
		}
	}
	if err := p.begin(); err != nil {
		return err
	}
	p.last = -1
	if p.edition.Status == store.EditionCancelled {
		return p.skip("its edition was cancelled before")
	}
	if err := p.assign(candidates); err != nil {
		return err
	}
	switch {
	case p.last >= 0:
	case p.added.Eligible == 0 && len(candidates) > 0:
		return p.skip(store.ReasonNoReaders)
	default:
		return p.skip(p.draft.Reason)
	}
	err := p.compose()
	var skip *store.SkipError
	if errors.As(err, &skip) {
		return p.skip(skip.Reason)
	}
	if err != nil {
		return err
	}
	return p.finish()
}

// assign gives every reader a group and a delivery.
func (p *plan) assign(candidates []int64) error {
	readers, err := p.readers()
	if err != nil {
		return err
	}
	p.final = true // the audience is asked about each reader once
	p.deliveries = p.bulk("deliveries", "edition_id, seq, subscriber_id, group_number, state, next_at, updated_at")
	var ledger *ledger
	for {
		chunk, err := readers.next()
		if err != nil || len(chunk) == 0 {
			return err
		}
		if ledger == nil && len(chunk) <= fewReaders {
			err = p.fillFew(readers.newsletter, candidates, chunk)
		} else {
			if ledger == nil {
				ledger, err = p.ledger(p.draft.Newsletter, candidates)
			}
			if err == nil {
				err = ledger.fill(p.tx, chunk)
			}
		}
		if err != nil {
			return err
		}
		for _, r := range chunk {
			if err := p.deliver(r.SubscriberID, p.audience.Assign(r)); err != nil {
				return err
			}
		}
		if err := p.deliveries.flush(); err != nil {
			return err
		}
	}
}

// deliver records one reader's delivery in a group of this plan, or an empty
// one.
func (p *plan) deliver(subscriber int64, number int) error {
	state, next := store.DeliveryPending, millis(p.now)
	p.last = max(p.last, number)
	if number < 0 {
		number, state, next = -1, store.DeliveryEmpty, nil
	} else {
		number += p.former.groups
	}
	p.added.Eligible++
	*countOf(&p.added, state)++
	if p.dry {
		return nil
	}
	encoded, err := encodeState(state)
	if err != nil {
		return err
	}
	return p.deliveries.add(p.edition.ID, p.former.seq+p.added.Eligible, subscriber, number, encoded, next, millis(p.now))
}

// compose lets the audience compose the groups and records them.
func (p *plan) compose() error {
	groups, err := p.audience.Groups()
	if err != nil {
		return err
	}
	if len(groups) <= p.last {
		return fmt.Errorf("readers are in groups up to %d, but %d groups were composed", p.last, len(groups))
	}
	later := false
	for i := range groups {
		g := &groups[i]
		g.EditionID, g.Number = p.edition.ID, p.former.groups+i
		if p.wave != nil {
			g.Zone = p.wave.Zone
		}
		later = later || g.NotBefore.After(p.now)
		if err := p.saveGroup(*g); err != nil {
			return fmt.Errorf("group %d: %w", g.Number, err)
		}
	}
	p.groups = groups
	if later {
		return p.postpone()
	}
	return nil
}

func (p *plan) saveGroup(g store.Group) error {
	if p.dry {
		return nil
	}
	contents, err := encodeContents(g.Contents)
	if err != nil {
		return err
	}
	if _, err := p.exec(`INSERT INTO edition_groups (edition_id, number, zone, not_before, date, sender, base, subject, template, web, contents)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
		g.EditionID, g.Number, g.Zone, millis(g.NotBefore), millis(g.Date), g.Sender, g.Base, g.Subject, g.Template,
		webNow*flag(g.Web), contents); err != nil {
		return err
	}
	for i, id := range g.PostIDs {
		if _, err := p.exec(`INSERT INTO group_posts (edition_id, group_number, position, post_id)
			VALUES (?1, ?2, ?3, ?4)`, g.EditionID, g.Number, i, id); err != nil {
			return fmt.Errorf("post %d: %w", id, err)
		}
	}
	return nil
}

// postpone makes deliveries due no earlier than their group's NotBefore, so
// that a claim need not look at groups.
func (p *plan) postpone() error {
	if p.dry {
		return nil
	}
	_, err := p.exec(`UPDATE deliveries SET next_at = (SELECT CASE WHEN g.not_before > ?2 THEN g.not_before ELSE ?2 END
		FROM edition_groups g WHERE g.edition_id = ?1 AND g.number = deliveries.group_number)
		WHERE edition_id = ?1 AND seq > ?3 AND state = 0`, p.edition.ID, millis(p.now), p.former.seq)
	return err
}
