package sqlstore

import (
	"context"
	"slices"
	"time"

	"tidings/internal/store"
)

// claimRounds bounds how often a claim looks for more after deliveries turned
// out to be suppressed, so that a mass of them cannot hold the write lock.
const claimRounds = 10

// Claim implements [store.Deliveries].
func (s *Store) Claim(ctx context.Context, now time.Time, holder string, limit int, except ...string) ([]store.Job, error) {
	var c claim
	err := s.beside(ctx, "claim deliveries", func(t *tx) error {
		c = claim{tx: t, now: now, holder: holder, deltas: map[int64]*store.Counts{}}
		if err := s.keepTime(t, now); err != nil {
			return err
		}
		if err := t.mayClaim(holder); err != nil {
			return err
		}
		editions, err := t.sending()
		if err != nil {
			return err
		}
		if editions, err = c.expire(editions); err != nil {
			return err
		}
		editions = slices.DeleteFunc(editions, func(e store.Edition) bool { return slices.Contains(except, e.Newsletter) })
		if err := c.share(editions, limit); err != nil {
			return err
		}
		return t.accountAll(now, c.deltas)
	})
	if err != nil {
		return nil, err
	}
	return c.jobs, nil
}

// A claim is one call of Claim.
type claim struct {
	*tx
	now    time.Time
	holder string
	jobs   []store.Job
	deltas map[int64]*store.Counts
}

// sending gives the editions under way, oldest first.
func (t *tx) sending() ([]store.Edition, error) {
	return all(t, scanEdition, editionQuery+`WHERE e.status = 'sending' ORDER BY e.id`)
}

// delta is the change of an edition's account that this claim makes.
func (c *claim) delta(edition int64) *store.Counts {
	if c.deltas[edition] == nil {
		c.deltas[edition] = &store.Counts{}
	}
	return c.deltas[edition]
}

// expire ends what is pending in editions past their time, and gives the
// others.
func (c *claim) expire(editions []store.Edition) (current []store.Edition, err error) {
	for _, e := range editions {
		if e.ExpiresAt.IsZero() || e.ExpiresAt.After(c.now) {
			current = append(current, e)
			continue
		}
		if _, err := c.lockEdition(e.ID); err != nil {
			return nil, err
		}
		if err := c.undelivered(c.now, e.ID); err != nil {
			return nil, err
		}
		if *c.delta(e.ID), err = c.giveUp(c.now, e.ID, reasonExpired); err != nil {
			return nil, err
		}
	}
	return current, nil
}

// share claims up to limit deliveries, divided evenly among the editions that
// have some due: a large edition must not make the others wait for its end.
func (c *claim) share(editions []store.Edition, limit int) error {
	for round := 0; round < claimRounds && len(editions) > 0 && len(c.jobs) < limit; round++ {
		var more []store.Edition
		for i, e := range editions {
			left := len(editions) - i
			part := (limit - len(c.jobs) + left - 1) / left
			n, err := c.edition(e, part)
			if err != nil {
				return err
			}
			if n == part && n > 0 {
				more = append(more, e)
			}
		}
		editions = more
	}
	return nil
}

// A candidate is a due delivery with what decides whether it is still wanted.
type candidate struct {
	job         store.Job
	resent      int
	subscribed  bool
	paused      bool
	suppression string // reason; "" if the address is not suppressed
	withdrawn   string // reason; "" if it is wanted as it is
}

// edition claims or suppresses up to limit due deliveries of an edition, and
// gives how many there were.
func (c *claim) edition(e store.Edition, limit int) (int, error) {
	if limit == 0 {
		return 0, nil
	}
	// A list, not rows: the connection cannot write while it reads.
	due, err := all(c.tx, scanCandidate, `SELECT d.seq, d.subscriber_id, d.group_number, d.attempts, d.copies, d.setbacks, d.resent,
		COALESCE(p.email, ''), COALESCE(s.status, '') = 'active', COALESCE(s.paused_until, 0) > ?2, COALESCE(x.reason, ''),
		COALESCE(p.timezone, ''), COALESCE(p.quiet_hours, '')
		FROM deliveries d
		LEFT JOIN subscribers p ON p.id = d.subscriber_id
		LEFT JOIN subscriptions s ON s.subscriber_id = d.subscriber_id
			AND s.newsletter_id = (SELECT newsletter_id FROM editions WHERE id = ?1)
		LEFT JOIN suppressions x ON x.key_hash = p.key_hash
		WHERE d.edition_id = ?1 AND d.state = 0 AND d.next_at <= ?2
		ORDER BY d.next_at, d.seq LIMIT ?3`+c.dialect.SkipLocked, e.ID, millis(c.now), limit)
	if err != nil {
		return 0, err
	}
	var wanted []int64
	for _, d := range due {
		d.job.EditionID, d.job.Newsletter, d.job.ExpiresAt, d.job.InDoubt = e.ID, e.Newsletter, e.ExpiresAt, e.InDoubt
		d.job.ClaimedAt, d.job.AtHour = orNow(c.now, c.now), !e.Manual && store.ByZone(e.Cadence)
		if reason := d.unwanted(); reason == "" {
			if d.resent > 0 {
				if err := c.claimedAnew(d.job.DeliveryRef); err != nil {
					return 0, err
				}
			}
			wanted = append(wanted, d.job.Seq)
			c.jobs = append(c.jobs, d.job)
		} else if err := c.suppress(d, reason); err != nil {
			return 0, err
		}
	}
	return len(due), c.take(e.ID, wanted)
}

func scanCandidate(r row) (d candidate, err error) {
	err = r.Scan(&d.job.Seq, &d.job.SubscriberID, &d.job.Group, &d.job.Attempts, &d.job.Copies, &d.job.Setbacks, &d.resent,
		&d.job.Email, &d.subscribed, &d.paused, &d.suppression, &d.job.Timezone, &d.job.QuietHours)
	return d, err
}

// unwanted says why a delivery is not to be made any more; "" if it is.
func (d candidate) unwanted() string {
	switch {
	case d.job.Email == "":
		return store.ReasonErased
	case d.suppression != "":
		return d.suppression
	case !d.subscribed:
		return store.ReasonUnsubscribed
	case d.paused:
		return store.ReasonPaused
	}
	return d.withdrawn
}

// take marks deliveries of an edition as claimed. Those due together mostly
// have consecutive numbers: one statement for each run of them costs a tenth
// of one for each delivery.
func (c *claim) take(edition int64, seqs []int64) error {
	slices.Sort(seqs)
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n] == seqs[n-1]+1 {
			n++
		}
		if _, err := c.exec(`UPDATE deliveries SET state = 1, next_at = NULL, holder = ?4, updated_at = ?5
			WHERE edition_id = ?1 AND seq BETWEEN ?2 AND ?3`, edition, seqs[0], seqs[n-1], c.holder, millis(c.now)); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

func (c *claim) suppress(d candidate, reason string) error {
	return c.callOff(c.now, d.job.DeliveryRef, d.resent > 0, reason, c.delta(d.job.EditionID))
}

// callOff suppresses a pending delivery, and counts that. One that may have
// arrived is in doubt, as in giveUp.
func (t *tx) callOff(now time.Time, ref store.DeliveryRef, resent bool, reason string, delta *store.Counts) error {
	state := store.DeliverySuppressed
	if resent {
		state = store.DeliveryInDoubt
	}
	encoded, err := encodeState(state)
	if err != nil {
		return err
	}
	move(delta, store.DeliveryPending, state, 1)
	_, err = t.exec(`UPDATE deliveries SET state = ?3, next_at = NULL, reason = ?4, updated_at = ?5
		WHERE edition_id = ?1 AND seq = ?2`, ref.EditionID, ref.Seq, encoded, reason, millis(now))
	return err
}
