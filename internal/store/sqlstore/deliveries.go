package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// Claimed implements [store.Deliveries].
func (s *Store) Claimed(ctx context.Context, holder string) (jobs []store.Job, err error) {
	err = s.read(ctx, "read the claims of "+holder, func(t *tx) error {
		jobs, err = all(t, scanJob, `SELECT d.edition_id, d.seq, n.name, d.subscriber_id, COALESCE(p.email, ''),
			d.group_number, d.attempts, d.copies, d.setbacks, d.updated_at, e.expires_at, e.in_doubt_policy
			FROM deliveries d JOIN editions e ON e.id = d.edition_id JOIN newsletters n ON n.id = e.newsletter_id
			LEFT JOIN subscribers p ON p.id = d.subscriber_id
			WHERE d.edition_id IN (SELECT id FROM editions WHERE pending > 0) AND d.state = 1 AND d.holder = ?1
			ORDER BY d.edition_id, d.seq`, holder)
		return err
	})
	return jobs, err
}

func scanJob(r row) (j store.Job, err error) {
	err = r.Scan(&j.EditionID, &j.Seq, &j.Newsletter, &j.SubscriberID, &j.Email,
		&j.Group, &j.Attempts, &j.Copies, &j.Setbacks, instant{&j.ClaimedAt}, instant{&j.ExpiresAt}, &j.InDoubt)
	return j, err
}

// Unwanted implements [store.Deliveries].
func (s *Store) Unwanted(ctx context.Context, now time.Time, ref store.DeliveryRef) (state, reason string, err error) {
	var status string
	d := candidate{}
	err = s.read(ctx, fmt.Sprintf("look at delivery %d of %s once more", ref.Seq, editionName(ref.EditionID)), func(t *tx) error {
		return t.one(`SELECT e.status, COALESCE(p.email, ''), COALESCE(s.status, '') = 'active',
			COALESCE(s.paused_until, 0) > ?3, COALESCE(x.reason, ''), COALESCE(d.unwanted, '')
			FROM deliveries d JOIN editions e ON e.id = d.edition_id
			LEFT JOIN subscribers p ON p.id = d.subscriber_id
			LEFT JOIN subscriptions s ON s.subscriber_id = d.subscriber_id AND s.newsletter_id = e.newsletter_id
			LEFT JOIN suppressions x ON x.key_hash = p.key_hash
			WHERE d.edition_id = ?1 AND d.seq = ?2`, []any{ref.EditionID, ref.Seq, millis(now)},
			&status, &d.job.Email, &d.subscribed, &d.paused, &d.suppression, &d.withdrawn)
	})
	switch {
	case err != nil:
		return "", "", err
	case d.unwanted() != "":
		return store.DeliverySuppressed, d.unwanted(), nil
	case status != store.EditionSending:
		return store.DeliveryPending, "the edition is " + status, nil
	}
	return "", "", nil
}

// Holders implements [store.Deliveries].
func (s *Store) Holders(ctx context.Context) (holders []string, err error) {
	err = s.read(ctx, "list the holders of claims", func(t *tx) error {
		holders, err = all(t, scalar[string], `SELECT DISTINCT holder FROM deliveries WHERE state = 1 ORDER BY holder`)
		return err
	})
	return holders, err
}

// EditionDue implements [store.Deliveries].
func (s *Store) EditionDue(ctx context.Context, id int64) (next time.Time, claimed int, err error) {
	err = s.read(ctx, "find the next due delivery of "+editionName(id), func(t *tx) error {
		if _, err := t.edition(id); err != nil {
			return err
		}
		if next, _, err = t.nextDue(id); err != nil {
			return err
		}
		return t.one(`SELECT count(*) FROM deliveries WHERE edition_id = ?1 AND state = 1`, []any{id}, &claimed)
	})
	return next, claimed, err
}

// nextDue gives when the next pending delivery of an edition falls due.
func (t *tx) nextDue(edition int64) (at time.Time, pending bool, err error) {
	pending, err = t.maybe(`SELECT d.next_at FROM deliveries d WHERE d.edition_id = ?1 AND d.state = 0
		ORDER BY d.next_at LIMIT 1`, []any{edition}, instant{&at})
	return at, pending, err
}

// NextDue implements [store.Deliveries].
func (s *Store) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	err = s.read(ctx, "find the next due delivery", func(t *tx) error {
		editions, err := t.sending()
		if err != nil {
			return err
		}
		for _, e := range editions {
			due, pending, err := t.nextDue(e.ID)
			if err != nil {
				return err
			}
			if !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(due) {
				due = e.ExpiresAt // then they fail, which is a claim's work too
			}
			if pending && (!ok || due.Before(at)) {
				at, ok = due, true
			}
		}
		return nil
	})
	return at, ok && err == nil, err
}

// EachDelivery implements [store.Deliveries].
func (s *Store) EachDelivery(ctx context.Context, editionID int64, state string, fn func(store.Delivery) error) error {
	return s.read(ctx, "list the deliveries of "+editionName(editionID), func(t *tx) error {
		if _, err := t.edition(editionID); err != nil {
			return err
		}
		wanted := -1
		if state != "" {
			var err error
			if wanted, err = encodeState(state); err != nil {
				return err
			}
		}
		return t.each(deliveryColumns+`FROM deliveries d LEFT JOIN subscribers p ON p.id = d.subscriber_id
			WHERE d.edition_id = ?1 AND (?2 < 0 OR d.state = ?2) ORDER BY d.seq`, []any{editionID, wanted}, func(r row) error {
			d, err := scanDelivery(r)
			if err != nil {
				return err
			}
			return fn(d)
		})
	})
}

func scanDelivery(r row) (d store.Delivery, err error) {
	var state int
	if err = r.Scan(&d.EditionID, &d.Seq, &d.SubscriberID, &d.Email, &d.Group, &state, &d.Attempts,
		instant{&d.NextAt}, &d.Resent, &d.Code, &d.Reason, instant{&d.UpdatedAt}); err != nil {
		return d, err
	}
	d.State, err = decodeState(state)
	return d, err
}
