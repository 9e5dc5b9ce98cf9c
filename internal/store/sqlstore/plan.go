package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
)

// planChunk is how many readers are in memory at once while planning.
const planChunk = 5000

// PlanEdition implements [store.Editions].
func (s *Store) PlanEdition(ctx context.Context, now time.Time, e store.Edition, candidates []int64, a store.Audience, dryRun bool) (store.Edition, []store.Group, error) {
	p := plan{now: now, edition: e, audience: a, dry: dryRun}
	p.edition.CreatedAt = now
	p.edition.Counts = store.Counts{}
	if p.edition.Status != store.EditionPlanned {
		p.edition.Status = store.EditionSending
	}
	transaction := s.writeLarge
	if dryRun {
		transaction = s.read // what a plan would hold needs no lock on the senders
	}
	err := transaction(ctx, fmt.Sprintf("plan slot %s of %s", e.Slot, e.Newsletter), func(t *tx) error {
		p.tx = t
		if !dryRun {
			if err := s.keepTime(t, now); err != nil {
				return err
			}
		}
		return p.run(candidates)
	})
	if err != nil {
		return store.Edition{}, nil, err
	}
	return p.edition, p.groups, nil
}

// A plan is one edition being planned.
type plan struct {
	*tx
	now      time.Time
	edition  store.Edition
	audience store.Audience
	dry      bool

	last   int // highest group number assigned; -1: none
	groups []store.Group
}

func (p *plan) run(candidates []int64) error {
	if err := p.begin(); err != nil {
		return err
	}
	ledger, err := p.ledger(p.edition.Newsletter, candidates)
	if err != nil {
		return err
	}
	if err := p.assign(ledger); err != nil {
		return err
	}
	if p.last < 0 {
		return p.skip()
	}
	err = p.compose()
	var skip *store.SkipError
	if errors.As(err, &skip) {
		p.edition.Reason = skip.Reason
		return p.skip()
	}
	if err != nil {
		return err
	}
	return p.finish()
}

// begin takes the slot.
func (p *plan) begin() error {
	taken := false
	var err error
	if p.dry {
		var id int64
		taken, err = p.maybe(`SELECT e.id FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
			WHERE n.name = ?1 AND e.cadence = ?2 AND e.slot = ?3`,
			[]any{p.edition.Newsletter, p.edition.Cadence, p.edition.Slot}, &id)
	} else {
		started := p.edition
		started.Reason = ""
		p.edition.ID, taken, err = p.insertEdition(started)
	}
	if err == nil && taken {
		err = fmt.Errorf("an edition for this slot: %w", store.ErrExists)
	}
	return err
}

// assign gives every reader a group and a delivery. Readers come in chunks,
// because one connection cannot read rows and write others at once.
func (p *plan) assign(ledger *ledger) error {
	newsletter, err := p.newsletter(p.edition.Newsletter)
	if err != nil {
		return err
	}
	p.last = -1
	terms := termCache{}
	for after := int64(0); ; {
		readers, err := p.readers(newsletter, after, terms)
		if err != nil || len(readers) == 0 {
			return err
		}
		if err := ledger.fill(p.tx, readers); err != nil {
			return err
		}
		for _, r := range readers {
			if err := p.deliver(r.SubscriberID, p.audience.Assign(r)); err != nil {
				return err
			}
		}
		after = readers[len(readers)-1].SubscriberID
	}
}

// readers gives the next readers of a newsletter by their number.
func (t *tx) readers(newsletter, after int64, terms termCache) ([]store.Reader, error) {
	return all(t, terms.scanReader, `SELECT s.subscriber_id, s.categories, s.tags, s.frequency, s.hour,
		p.timezone, p.language, p.format, p.quiet_hours
		FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id
		WHERE s.newsletter_id = ?1 AND s.subscriber_id > ?2 AND s.status = 'active'
		AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.key_hash = p.key_hash)
		ORDER BY s.subscriber_id LIMIT ?3`, newsletter, after, planChunk)
}

// deliver records one reader's delivery in group number, or an empty one.
func (p *plan) deliver(subscriber int64, number int) error {
	state, next := store.DeliveryPending, millis(p.now)
	if number < 0 {
		number, state, next = -1, store.DeliveryEmpty, nil
	}
	p.last = max(p.last, number)
	p.edition.Counts.Eligible++
	*countOf(&p.edition.Counts, state)++
	if p.dry {
		return nil
	}
	encoded, err := encodeState(state)
	if err != nil {
		return err
	}
	_, err = p.exec(`INSERT INTO deliveries (edition_id, seq, subscriber_id, group_number, state, next_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
		p.edition.ID, p.edition.Counts.Eligible, subscriber, number, encoded, next, millis(p.now))
	return err
}

// skip turns the edition into one that mails nobody.
func (p *plan) skip() error {
	p.edition.Status, p.edition.FinishedAt, p.edition.Posts = store.EditionSkipped, p.now, 0
	p.edition.Counts = store.Counts{Eligible: p.edition.Counts.Eligible, Empty: p.edition.Counts.Eligible}
	if p.dry {
		return nil
	}
	if _, err := p.exec(`DELETE FROM deliveries WHERE edition_id = ?1`, p.edition.ID); err != nil {
		return err
	}
	return p.finish()
}

// compose lets the audience compose the groups and records them.
func (p *plan) compose() error {
	groups, err := p.audience.Groups()
	if err != nil {
		return err
	}
	if len(groups) != p.last+1 {
		return fmt.Errorf("readers are in groups up to %d, but %d groups were composed", p.last, len(groups))
	}
	posts := map[int64]bool{}
	later := false
	for i := range groups {
		g := &groups[i]
		g.EditionID, g.Number = p.edition.ID, i
		later = later || g.NotBefore.After(p.now)
		for _, id := range g.PostIDs {
			posts[id] = true
		}
		if err := p.saveGroup(*g); err != nil {
			return fmt.Errorf("group %d: %w", i, err)
		}
	}
	p.groups, p.edition.Posts, p.edition.Reason = groups, len(posts), ""
	if later {
		return p.postpone()
	}
	return nil
}

func (p *plan) saveGroup(g store.Group) error {
	if p.dry {
		return nil
	}
	if _, err := p.exec(`INSERT INTO edition_groups (edition_id, number, zone, not_before, date, sender, base, subject, template)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
		g.EditionID, g.Number, g.Zone, millis(g.NotBefore), millis(g.Date), g.Sender, g.Base, g.Subject, g.Template); err != nil {
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
		WHERE edition_id = ?1 AND state = 0`, p.edition.ID, millis(p.now))
	return err
}

// finish records what planning found out.
func (p *plan) finish() error {
	e := &p.edition
	if err := checkCounts(e.ID, e.Counts); err != nil || p.dry {
		return err
	}
	_, err := p.exec(`UPDATE editions SET status = ?2, reason = ?3, posts = ?4, finished_at = ?5,
		eligible = ?6, empty = ?7, pending = ?8 WHERE id = ?1`,
		e.ID, e.Status, clip(e.Reason), e.Posts, millis(e.FinishedAt), e.Counts.Eligible, e.Counts.Empty, e.Counts.Pending)
	if err != nil {
		return err
	}
	*e, err = p.tx.edition(e.ID)
	return err
}
