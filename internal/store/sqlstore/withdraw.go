package sqlstore

import (
	"time"

	"tidings/internal/store"
)

// An underWay is a mail that is planned for a reader and not sent yet.
type underWay struct {
	store.UnderWay
	ref     store.DeliveryRef
	group   int
	claimed bool
	resent  bool
}

// withdraw calls off what is under way to a reader who does not want it any more,
// now that their subscription is as in sub. What a sender holds is marked for it.
func (t *tx) withdraw(now time.Time, newsletter, subscriber int64, sub store.Subscription, w store.Wants) error {
	if w == nil {
		return nil
	}
	mails, err := t.underWay(newsletter, subscriber)
	if err != nil {
		return err
	}
	for _, m := range mails {
		wanted := w(sub, m.UnderWay)
		if m.claimed {
			err = t.mark(m.ref, wanted)
		} else if !wanted {
			var delta store.Counts
			if err = t.callOff(now, m.ref, m.resent, store.ReasonChanged, &delta); err == nil {
				err = t.account(now, m.ref.EditionID, delta)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// underWay gives a reader's mails of a newsletter that are pending or claimed.
// The order of the tables is that of the search: few editions have any.
func (t *tx) underWay(newsletter, subscriber int64) ([]underWay, error) {
	mails, err := all(t, scanUnderWay, `SELECT d.edition_id, d.seq, d.group_number, d.state = 1, d.resent > 0, e.cadence, e.manual
		FROM editions e CROSS JOIN deliveries d WHERE e.newsletter_id = ?1 AND e.pending > 0
		AND d.edition_id = e.id AND d.subscriber_id = ?2 AND d.state IN (0, 1) ORDER BY d.edition_id`, newsletter, subscriber)
	for i := range mails {
		if err != nil {
			break
		}
		mails[i].PostIDs, err = all(t, scalar[int64], `SELECT post_id FROM group_posts
			WHERE edition_id = ?1 AND group_number = ?2 ORDER BY position`, mails[i].ref.EditionID, mails[i].group)
	}
	return mails, err
}

func scanUnderWay(r row) (m underWay, err error) {
	err = r.Scan(&m.ref.EditionID, &m.ref.Seq, &m.group, &m.claimed, &m.resent, &m.Cadence, &m.Manual)
	return m, err
}

// mark tells the sender of a claimed delivery whether it is wanted.
func (t *tx) mark(ref store.DeliveryRef, wanted bool) error {
	var why any
	if !wanted {
		why = store.ReasonChanged
	}
	_, err := t.exec(`UPDATE deliveries SET unwanted = ?3 WHERE edition_id = ?1 AND seq = ?2`, ref.EditionID, ref.Seq, why)
	return err
}

// hastenHeld makes due what waits for a reader's quiet hours to end: the sender
// looks at the present ones. What waits to be tried again goes on waiting.
func (t *tx) hastenHeld(now time.Time, subscriber int64) error {
	_, err := t.exec(`UPDATE deliveries SET next_at = ?2 WHERE subscriber_id = ?1
		AND edition_id IN (SELECT id FROM editions WHERE pending > 0)
		AND state = 0 AND next_at > ?2 AND attempts = 0 AND setbacks = 0`, subscriber, millis(now))
	return err
}
