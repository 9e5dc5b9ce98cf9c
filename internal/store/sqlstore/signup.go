package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tidings/internal/store"
)

// QueueSignUp implements [store.SignUps].
func (s *Store) QueueSignUp(ctx context.Context, now time.Time, in store.SignUp, limits store.SignUpLimits) (queued bool, err error) {
	in.Kind = cmp.Or(in.Kind, store.AskSignUp)
	request, err := json.Marshal(queuedRequest{in.Subscriber, store.OriginOf(ctx)})
	if err != nil {
		return false, fmt.Errorf("queue a sign-up: %w", err)
	}
	err = s.beside(ctx, "queue a sign-up", func(t *tx) error {
		queued = false
		if err := t.lock(lockSignUps); err != nil {
			return err
		}
		had, err := t.signUpsBefore(in, limits)
		switch {
		case err != nil:
			return err
		case had.form > 0:
			return store.ErrSpent
		case had.mailbox >= limits.PerMailbox:
			return t.spendForm(now, in.Form)
		case had.all >= limits.All || had.network > 0 && had.all >= limits.All-limits.Reserve:
			return store.ErrBusy
		}
		queued = true
		_, err = t.exec(`INSERT INTO signups (at, mailbox, request, kind, network, form) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			millis(now), in.Mailbox, string(request), in.Kind, in.Network, orNull(in.Form))
		return err
	})
	return queued && err == nil, err
}

// spendForm puts a form on record that nothing else comes of: nobody is to learn
// by sending it again that the mailbox has had its share.
func (t *tx) spendForm(now time.Time, form string) error {
	if form == "" {
		return nil
	}
	_, err := t.exec(`INSERT INTO signups (at, mailbox, kind, form) VALUES (?1, '', '', ?2)`, millis(now), form)
	return err
}

// earlier counts sign-ups that were before another one.
type earlier struct{ form, mailbox, all, network int }

func (t *tx) signUpsBefore(in store.SignUp, limits store.SignUpLimits) (had earlier, err error) {
	err = t.one(`SELECT (SELECT count(*) FROM signups WHERE form = ?1),
		(SELECT count(*) FROM signups WHERE mailbox = ?2 AND at >= ?3 AND kind = ?4),
		(SELECT count(*) FROM signups WHERE at >= ?5 AND kind = ?4),
		(SELECT count(*) FROM signups WHERE at >= ?5 AND kind = ?4 AND network = ?6 AND network <> '')`,
		[]any{in.Form, in.Mailbox, limits.MailboxSince.UnixMilli(), in.Kind, limits.AllSince.UnixMilli(), in.Network},
		&had.form, &had.mailbox, &had.all, &had.network)
	return had, err
}

// orNull is a text as it is kept where "" is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// ApplySignUps implements [store.SignUps]. What waited holds an address, of
// which nothing is to stay in the file once its owner is erased.
func (s *Store) ApplySignUps(ctx context.Context, now time.Time, limit int) (applied int, err error) {
	waiting, err := s.signUpsWait(ctx)
	if err != nil || !waiting {
		return 0, err
	}
	err = s.write(ctx, "attend to sign-ups", within(s.dialect.Wipe, s.dialect.Unwipe, func(t *tx) error {
		list, err := all(t, scanSignUp, `SELECT id, at, request FROM signups WHERE request IS NOT NULL ORDER BY id LIMIT ?1`, limit)
		for _, in := range list {
			if err == nil {
				err = t.applySignUp(in)
			}
		}
		applied = len(list)
		return err
	}))
	if err != nil {
		return 0, err
	}
	return applied, nil
}

// signUpsWait spares others the write lock while there is nothing to do.
func (s *Store) signUpsWait(ctx context.Context) (waiting bool, err error) {
	err = s.read(ctx, "look for sign-ups", func(t *tx) error {
		var n int
		waiting, err = t.maybe(`SELECT 1 FROM signups WHERE request IS NOT NULL LIMIT 1`, nil, &n)
		return err
	})
	return waiting, err
}

// queuedSignUp is a sign-up as it is kept.
type queuedSignUp struct {
	id int64
	at time.Time
	queuedRequest
}

// queuedRequest is the part that is kept as JSON.
type queuedRequest struct {
	Person store.Subscriber
	Origin store.Origin
}

func scanSignUp(r row) (q queuedSignUp, err error) {
	var request string
	if err = r.Scan(&q.id, instant{&q.at}, &request); err != nil {
		return q, err
	}
	if err = json.Unmarshal([]byte(request), &q.queuedRequest); err != nil {
		err = fmt.Errorf("stored sign-up %d: %w", q.id, err)
	}
	return q, err
}

func (t *tx) applySignUp(in queuedSignUp) error {
	t.origin = in.Origin
	if err := t.attend(in); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE signups SET request = NULL WHERE id = ?1`, in.id)
	return err
}

func (t *tx) attend(in queuedSignUp) error {
	if len(in.Person.Subscriptions) == 0 {
		id, err := t.findPerson(in.Person)
		if err != nil || id == 0 {
			return err
		}
		return t.queueFor(in.at, id, store.NoticeLink)
	}
	id, personal, err := t.signUpPerson(in.at, in.Person)
	if err != nil {
		return err
	}
	var first int64 // the newsletter in whose name the confirmation is mailed
	for _, sub := range in.Person.Subscriptions {
		newsletter, err := t.ensureNewsletter(sub.Newsletter)
		if err != nil {
			return err
		}
		wished, err := t.noteWish(in, personal, id, newsletter, sub)
		if err != nil {
			return err
		}
		if wished && first == 0 {
			first = newsletter
		}
	}
	if first == 0 {
		return t.queueFor(in.at, id, store.NoticeLink)
	}
	return t.queueConfirmation(in, first, id)
}

// findPerson gives the number of the person with this key or this address; 0
// if there is none. An address whose key has changed (another secret key)
// gets the new one.
func (t *tx) findPerson(p store.Subscriber) (id int64, err error) {
	if _, err = t.maybe(`SELECT id FROM subscribers WHERE key_hash = ?1`, []any{p.Key}, &id); err != nil || id != 0 {
		return id, err
	}
	found, err := t.maybe(`SELECT id FROM subscribers WHERE lower(email) = ?1`, []any{lower(p.Email)}, &id)
	if err == nil && found {
		_, err = t.exec(`UPDATE subscribers SET key_hash = ?2 WHERE id = ?1`, id, p.Key)
	}
	return id, err
}

func (t *tx) insertPerson(now time.Time, p store.Subscriber) (id int64, err error) {
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	err = t.one(`INSERT INTO subscribers (email, key_hash, name, language, timezone, format, quiet_hours, created_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id`,
		[]any{p.Email, p.Key, p.Name, p.Language, p.Timezone, orHTML(p.Format), p.QuietHours, millis(p.CreatedAt)}, &id)
	return id, err
}

// signUpPerson finds or inserts the person. Whoever signs up has not shown
// that the address is theirs: of a known person nothing changes before that is
// confirmed, and not then either while they have an active subscription
// (personal is false).
func (t *tx) signUpPerson(now time.Time, p store.Subscriber) (id int64, personal bool, err error) {
	if id, err = t.findPerson(p); err != nil {
		return 0, false, err
	}
	if id == 0 {
		id, err = t.insertPerson(now, p)
		return id, true, err
	}
	var active int
	err = t.one(`SELECT count(*) FROM subscriptions WHERE subscriber_id = ?1 AND status = 'active'`, []any{id}, &active)
	return id, active == 0, err
}

// orHTML is a format as it is kept.
func orHTML(format string) string {
	if format == "" {
		return store.FormatHTML
	}
	return format
}

// queueConfirmation queues a notice for what a sign-up asked for, unless the address is suppressed for more than its
// owner's own leaving.
func (t *tx) queueConfirmation(in queuedSignUp, newsletter, subscriber int64) error {
	var suppressed int
	err := t.one(`SELECT count(*) FROM subscribers p JOIN suppressions x ON x.key_hash = p.key_hash
		WHERE p.id = ?1 AND x.reason NOT IN (?2, ?3)`,
		[]any{subscriber, store.ReasonUnsubscribed, store.ReasonErased}, &suppressed)
	if err != nil || suppressed > 0 {
		return err
	}
	_, err = t.exec(`INSERT INTO notices
		(kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason, signup_id)
		VALUES (?1, ?2, ?3, 'queued', ?4, ?4, 0, '', ?5)`, store.NoticeConfirm, subscriber, newsletter, millis(in.at), in.id)
	return err
}

func (t *tx) queueNotice(now time.Time, kind string, newsletter, subscriber int64) error {
	_, err := t.exec(`INSERT INTO notices
		(kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason)
		VALUES (?1, ?2, ?3, 'queued', ?4, ?4, 0, '')`, kind, subscriber, newsletter, millis(now))
	return err
}

// Confirm implements [store.Subscribers].
func (s *Store) Confirm(ctx context.Context, now time.Time, subscriberID int64, newsletters ...string) error {
	return s.write(ctx, fmt.Sprintf("confirm the subscription of subscriber %d to %s", subscriberID, strings.Join(newsletters, ", ")), func(t *tx) error {
		found := false
		for _, name := range newsletters {
			known, err := t.confirmOne(now, subscriberID, name)
			if err != nil {
				return err
			}
			found = found || known
		}
		if !found {
			return store.ErrNotFound
		}
		return nil
	})
}

// confirmOne confirms one subscription; known is false if there is none that is
// pending or active.
func (t *tx) confirmOne(now time.Time, subscriber int64, newsletter string) (known bool, err error) {
	id, err := t.newsletter(newsletter)
	if err != nil {
		return false, err
	}
	var status string
	known, err = t.maybe(`SELECT status FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2
		AND status <> 'unsubscribed'`, []any{id, subscriber}, &status)
	if err != nil || status != store.StatusPending {
		return known, err
	}
	return true, t.confirm(now, id, subscriber)
}

// justLeft is the time since which whoever left is not new when they come back.
func justLeft(now time.Time) int64 { return now.Add(-store.WelcomeAgainAfter).UnixMilli() }

func (t *tx) confirm(now time.Time, newsletter, subscriber int64) error {
	if _, err := t.exec(`UPDATE subscriptions SET status = 'active', confirmed_at = ?3,
		joined_at = CASE WHEN was_active = 1 AND ended_at > ?4 THEN joined_at ELSE ?3 END, ended_at = NULL, was_active = 0, left_because = ''
		WHERE newsletter_id = ?1 AND subscriber_id = ?2`, newsletter, subscriber, millis(now), justLeft(now)); err != nil {
		return err
	}
	if err := t.consent(now, store.ConsentConfirmed, subscriber, newsletter); err != nil {
		return err
	}
	return t.liftLeaving(subscriber)
}
