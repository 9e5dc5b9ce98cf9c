package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/internal/store"
)

// Addressee implements [store.Bounces].
func (s *Store) Addressee(ctx context.Context, ref store.DeliveryRef) (email string, err error) {
	err = s.read(ctx, "look up whom "+mailName(ref)+" was for", func(t *tx) error {
		a, err := t.addressee(ref)
		email = a.email
		return err
	})
	return email, err
}

func mailName(ref store.DeliveryRef) string {
	if ref.EditionID == 0 {
		return fmt.Sprintf("notice %d", ref.Seq)
	}
	return fmt.Sprintf("delivery %d of %s", ref.Seq, editionName(ref.EditionID))
}

// An addressee is who a mail was for.
type addressee struct {
	subscriber int64
	email, key string // "" once erased
	failed     bool   // the relay did not take the mail
}

// domain is what follows the last @.
func (a addressee) domain() string { return lower(a.email[strings.LastIndexByte(a.email, '@')+1:]) }

func (t *tx) addressee(ref store.DeliveryRef) (a addressee, err error) {
	query, args := `SELECT d.subscriber_id, COALESCE(p.email, ''), COALESCE(p.key_hash, ''), d.state = 3
		FROM deliveries d LEFT JOIN subscribers p ON p.id = d.subscriber_id
		WHERE d.edition_id = ?1 AND d.seq = ?2`, []any{ref.EditionID, ref.Seq}
	if ref.EditionID == 0 {
		query, args = `SELECT q.subscriber_id, p.email, p.key_hash, q.state = 'failed'
			FROM notices q JOIN subscribers p ON p.id = q.subscriber_id WHERE q.id = ?1`, []any{ref.Seq}
	}
	return a, t.one(query, args, &a.subscriber, &a.email, &a.key, &a.failed)
}

// RecordBounces implements [store.Bounces].
func (s *Store) RecordBounces(ctx context.Context, now time.Time, p store.BouncePolicy, list []store.Bounce) ([]store.BounceOutcome, error) {
	outcomes := make([]store.BounceOutcome, len(list))
	err := s.write(ctx, "record bounces", func(t *tx) error {
		for i, b := range list {
			b.At = now
			var err error
			if outcomes[i], err = t.bounce(p, b); err != nil {
				return fmt.Errorf("%s: %w", mailName(b.DeliveryRef), err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// bounce records one bounce and does what follows from it.
func (t *tx) bounce(p store.BouncePolicy, b store.Bounce) (o store.BounceOutcome, err error) {
	a, err := t.addressee(b.DeliveryRef)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.email == "" {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	o.Known, o.Domain = true, a.domain()
	b.Note = clip(b.Note)
	n, err := t.exec(insertBounce, b.EditionID, b.Seq, b.Class, a.subscriber, o.Domain, clip(b.Status), b.Note, millis(b.At))
	if err != nil || n == 0 {
		return o, err
	}
	o.New = true
	switch {
	case b.EditionID != 0:
		err = t.countBounce(p, b, a, &o)
	case b.Class == store.BounceHard:
		err = t.holdNotice(p, b.At, &o)
	}
	if err != nil {
		return o, err
	}
	reason, err := t.verdict(p, b, a, o.Held)
	if err != nil || reason == "" {
		return o, err
	}
	note := strings.TrimSpace(mailName(b.DeliveryRef) + ": " + b.Status + " " + b.Note)
	o.Suppressed, err = t.suppress(store.Suppression{Key: a.key, Email: a.email, Reason: reason, Note: clip(note), At: b.At})
	return o, err
}

// verdict gives the reason for which a bounce suppresses its addressee; "" if
// it does not.
func (t *tx) verdict(p store.BouncePolicy, b store.Bounce, a addressee, held bool) (reason string, err error) {
	switch {
	case b.Class == store.BounceComplaint:
		return store.ReasonComplaint, nil
	case b.Class == store.BounceHard && !held:
		return store.ReasonBounce, nil
	case b.EditionID != 0 && (b.Class == store.BounceHard || b.Class == store.BounceSoft):
		worn, err := t.wornOut(p, a.subscriber)
		if worn {
			reason = store.ReasonBounce
		}
		return reason, err
	}
	return "", nil
}

// countBounce adds a new bounce to its edition's sum and says whether hard
// ones are held.
func (t *tx) countBounce(p store.BouncePolicy, b store.Bounce, a addressee, o *store.BounceOutcome) error {
	s, err := t.editionBounces(b.EditionID)
	if err != nil {
		return err
	}
	switch first, err := t.isFirstBounce(b); {
	case err != nil:
		return err
	case b.Class == store.BounceComplaint:
		s.Complained++
	case first && !a.failed:
		s.Bounced++
	}
	if b.Class == store.BounceHard {
		e, err := t.edition(b.EditionID)
		if err != nil {
			return err
		}
		*o = s.hold(p, b.At, e.Counts.Eligible, *o)
	}
	_, err = t.exec(`INSERT INTO edition_bounces (edition_id, bounced, complained, hard, hard_before, hard_since, held_since)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (edition_id) DO UPDATE SET bounced = ?2, complained = ?3,
		hard = ?4, hard_before = ?5, hard_since = ?6, held_since = ?7`,
		b.EditionID, s.Bounced, s.Complained, s.hard, s.hardBefore, millis(s.hardSince), millis(s.HeldSince))
	return err
}

// holdNotice says whether hard bounces of notices are held: they are of no
// edition, of whose readers they could be a share.
func (t *tx) holdNotice(p store.BouncePolicy, now time.Time, o *store.BounceOutcome) error {
	var lately int
	err := t.one(`SELECT count(*) FROM bounces WHERE edition_id = 0 AND class = 'hard' AND at > ?1`,
		[]any{millis(now.Add(-p.HeldWithin))}, &lately)
	o.Held, o.FirstHeld = lately >= p.HeldLeast, lately == p.HeldLeast
	return err
}

// undelivered takes those pending deliveries of an edition for soft bounces
// that were put off for their reader's sake until it expired.
func (t *tx) undelivered(now time.Time, edition int64) error {
	list, err := all(t, scanUndelivered, `SELECT edition_id, seq, COALESCE(reason, '') FROM deliveries
		WHERE edition_id = ?1 AND state = 0 AND resent = 0 AND attempts > 0 AND code BETWEEN 400 AND 499`, edition)
	for _, b := range list {
		a, failed := t.addressee(b.DeliveryRef)
		if failed != nil {
			return failed
		}
		if a.email == "" {
			continue
		}
		if _, err := t.exec(insertBounce, b.EditionID, b.Seq, store.BounceSoft, a.subscriber, a.domain(), "", clip(b.Note), millis(now)); err != nil {
			return err
		}
	}
	return err
}

func scanUndelivered(r row) (b store.Bounce, err error) {
	err = r.Scan(&b.EditionID, &b.Seq, &b.Note)
	return b, err
}

const insertBounce = `INSERT INTO bounces (edition_id, seq, class, subscriber_id, domain, status, note, at)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (edition_id, seq, class) DO NOTHING`

// isFirstBounce reports whether no other bounce of the mail is on record,
// complaints apart.
func (t *tx) isFirstBounce(b store.Bounce) (bool, error) {
	var n int
	err := t.one(`SELECT count(*) FROM bounces WHERE edition_id = ?1 AND seq = ?2 AND class <> 'complaint'`,
		[]any{b.EditionID, b.Seq}, &n)
	return n == 1, err
}

// An editionSum is the sum of an edition's bounces, with how many turned hard
// lately.
type editionSum struct {
	store.EditionBounces
	hard       int
	hardBefore int // in the while before hardSince
	hardSince  time.Time
}

func (t *tx) editionBounces(edition int64) (s editionSum, err error) {
	_, err = t.maybe(`SELECT bounced, complained, hard, hard_before, hard_since, held_since FROM edition_bounces WHERE edition_id = ?1`,
		[]any{edition}, &s.Bounced, &s.Complained, &s.hard, &s.hardBefore, instant{&s.hardSince}, instant{&s.HeldSince})
	return s, err
}

// hold counts a hard bounce. Once there are too many within a while, this one
// and all that follow are held.
func (s *editionSum) hold(p store.BouncePolicy, now time.Time, readers int, o store.BounceOutcome) store.BounceOutcome {
	switch age := now.Sub(s.hardSince); {
	case age > 2*p.HeldWithin: // the first, or the first for long
		s.hardBefore, s.hard, s.hardSince = 0, 0, now
	case age > p.HeldWithin:
		s.hardBefore, s.hard, s.hardSince = s.hard, 0, s.hardSince.Add(p.HeldWithin)
	}
	s.hard++
	lately := s.hardBefore + s.hard // at least as many as within the while up to now
	if s.HeldSince.IsZero() && lately >= p.HeldLeast && float64(lately) > p.HeldShare*float64(readers) {
		s.HeldSince, o.FirstHeld = now, true
	}
	o.Held = !s.HeldSince.IsZero()
	return o
}

// EditionBounces implements [store.Bounces].
func (s *Store) EditionBounces(ctx context.Context, editionID int64) (sum store.EditionBounces, err error) {
	err = s.read(ctx, "sum up the bounces of "+editionName(editionID), func(t *tx) error {
		found, err := t.editionBounces(editionID)
		if err != nil {
			return err
		}
		sum = found.EditionBounces
		sum.Domains, err = all(t, scanDomainBounces, `SELECT domain, class, count(*) FROM bounces WHERE edition_id = ?1
			GROUP BY domain, class ORDER BY count(*) DESC, domain, class`, editionID)
		return err
	})
	return sum, err
}

func scanDomainBounces(r row) (d store.DomainBounces, err error) {
	err = r.Scan(&d.Domain, &d.Class, &d.N)
	return d, err
}

// HeldBounces implements [store.Bounces].
func (s *Store) HeldBounces(ctx context.Context, since time.Time) (held []store.HeldBounces, err error) {
	err = s.read(ctx, "list the editions whose bounces are held", func(t *tx) error {
		held, err = all(t, scanHeld, `SELECT edition_id, held_since FROM edition_bounces
			WHERE held_since IS NOT NULL AND held_since >= ?1 ORDER BY held_since, edition_id`, millis(since))
		return err
	})
	return held, err
}

func scanHeld(r row) (h store.HeldBounces, err error) {
	err = r.Scan(&h.EditionID, instant{&h.Since})
	return h, err
}

// SubscriberBounces implements [store.Bounces].
func (s *Store) SubscriberBounces(ctx context.Context, subscriberID int64, limit int) (list []store.Bounce, err error) {
	err = s.read(ctx, fmt.Sprintf("list the bounces of subscriber %d", subscriberID), func(t *tx) error {
		list, err = all(t, scanBounce, `SELECT edition_id, seq, class, status, note, at FROM bounces
			WHERE subscriber_id = ?1 ORDER BY at DESC NULLS LAST, edition_id DESC, seq DESC, class LIMIT ?2`, subscriberID, limit)
		return err
	})
	return list, err
}

func scanBounce(r row) (b store.Bounce, err error) {
	err = r.Scan(&b.EditionID, &b.Seq, &b.Class, &b.Status, &b.Note, instant{&b.At})
	return b, err
}
