package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// ImportSubscribers implements [store.Subscribers].
func (s *Store) ImportSubscribers(ctx context.Context, now time.Time, rows []store.ImportRow, dryRun bool) (store.ImportReport, error) {
	var report store.ImportReport
	err := s.writeLarge(ctx, "import subscribers", func(t *tx) error {
		im := importer{tx: t, now: now, newsletters: map[string]int64{}}
		for _, r := range rows {
			outcome, err := im.row(r)
			if err != nil {
				return fmt.Errorf("line %d: %w", r.Line, err)
			}
			count(&report, outcome, r.Line)
		}
		if dryRun {
			return errRollback
		}
		return nil
	})
	if err != nil {
		return store.ImportReport{}, err
	}
	return report, nil
}

// An outcome is what an import did with one row, or with a part of it.
type outcome int

const (
	unchanged outcome = iota
	suppressed
	updated
	added
)

func count(r *store.ImportReport, o outcome, line int) {
	switch o {
	case unchanged:
		r.Unchanged++
	case suppressed:
		r.Suppressed++
		r.SuppressedLines = append(r.SuppressedLines, line)
	case updated:
		r.Updated++
	case added:
		r.Added++
	}
}

// An importer is one import under way.
type importer struct {
	*tx
	now         time.Time
	newsletters map[string]int64
}

// row applies one row. What changed most tells the outcome.
func (im *importer) row(r store.ImportRow) (outcome, error) {
	var reason string
	found, err := im.maybe(`SELECT reason FROM suppressions WHERE key_hash = ?1`, []any{r.Subscriber.Key}, &reason)
	if err != nil || found && !(reason == store.ReasonUnsubscribed && leaves(r)) {
		return suppressed, err
	}
	id, err := im.findPerson(r.Subscriber)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if id, err = im.insertPerson(im.now, r.Subscriber); err != nil {
			return 0, err
		}
		_, err = im.subscriptions(id, r)
		return added, err
	}
	return im.known(id, r)
}

// leaves reports whether a row subscribes its person to nothing.
func leaves(r store.ImportRow) bool {
	return !slices.ContainsFunc(r.Subscriber.Subscriptions, func(s store.Subscription) bool {
		return s.Status != store.StatusUnsubscribed
	})
}

// known applies a row to a person on record.
func (im *importer) known(id int64, r store.ImportRow) (outcome, error) {
	result, err := im.subscriptions(id, r)
	if err != nil || result == suppressed {
		return result, err // who left is left in peace
	}
	o, err := im.updatePerson(id, r.Subscriber)
	return max(result, o), err
}

func (im *importer) subscriptions(id int64, r store.ImportRow) (outcome, error) {
	var result outcome
	for _, sub := range r.Subscriber.Subscriptions {
		o, err := im.subscription(id, sub, r.Confirm)
		if err != nil {
			return 0, fmt.Errorf("subscription to %s: %w", sub.Newsletter, err)
		}
		result = max(result, o)
	}
	return result, nil
}

// updatePerson takes over what the row says; what it leaves blank stays.
func (im *importer) updatePerson(id int64, p store.Subscriber) (outcome, error) {
	n, err := im.exec(`UPDATE subscribers SET
		name = CASE WHEN ?2 = '' THEN name ELSE ?2 END,
		language = CASE WHEN ?3 = '' THEN language ELSE ?3 END,
		timezone = CASE WHEN ?4 = '' THEN timezone ELSE ?4 END,
		format = CASE WHEN ?5 = '' THEN format ELSE ?5 END,
		quiet_hours = CASE WHEN ?6 = '' THEN quiet_hours ELSE ?6 END
		WHERE id = ?1 AND ((?2 <> '' AND name <> ?2) OR (?3 <> '' AND language <> ?3) OR (?4 <> '' AND timezone <> ?4)
		OR (?5 <> '' AND format <> ?5) OR (?6 <> '' AND quiet_hours <> ?6))`,
		id, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours)
	if n > 0 {
		return updated, err
	}
	return unchanged, err
}

func (im *importer) newsletterID(name string) (id int64, err error) {
	if id = im.newsletters[name]; id == 0 {
		id, err = im.ensureNewsletter(name)
		im.newsletters[name] = id
	}
	return id, err
}

// subscription brings one subscription to the wanted state, as far as its
// owner's own word allows.
func (im *importer) subscription(person int64, want store.Subscription, confirm bool) (outcome, error) {
	if !slices.Contains([]string{store.StatusPending, store.StatusActive, store.StatusUnsubscribed}, want.Status) {
		return 0, fmt.Errorf("%q is not a status", want.Status)
	}
	newsletter, err := im.newsletterID(want.Newsletter)
	if err != nil {
		return 0, err
	}
	var have storedSubscription
	found, err := im.maybe(`SELECT status, categories, tags, frequency, hour, paused_until, created_at, confirmed_at, ended_at
		FROM subscriptions WHERE newsletter_id = ?1 AND subscriber_id = ?2`, []any{newsletter, person},
		&have.status, &have.categories, &have.tags, &have.frequency,
		&have.hour, instant{&have.pausedUntil}, instant{&have.createdAt}, instant{&have.confirmedAt}, instant{&have.endedAt})
	if err != nil {
		return 0, err
	}
	next, allowed := have.imported(want, im.now)
	switch {
	case !allowed:
		return suppressed, nil
	case next == have:
		return unchanged, nil
	}
	if err := im.saveSubscription(newsletter, person, next); err != nil {
		return 0, err
	}
	if !found && confirm && next.status == store.StatusPending {
		err = im.queueNotice(im.now, store.NoticeConfirm, newsletter, person)
	}
	return updated, err
}

// A storedSubscription is a row of subscriptions; the zero value is none.
type storedSubscription struct {
	status, categories, tags, frequency, hour    string
	pausedUntil, createdAt, confirmedAt, endedAt time.Time
}

// imported gives the subscription after an import of want. It is not allowed
// to bring back one whose owner left.
func (have storedSubscription) imported(want store.Subscription, now time.Time) (next storedSubscription, allowed bool) {
	next = have
	if have.status == "" {
		next.status, next.frequency, next.createdAt = want.Status, store.CadenceSchedule, orNow(want.CreatedAt, now)
	}
	if want.Status == store.StatusUnsubscribed {
		if next.endedAt.IsZero() {
			next.endedAt = orNow(want.EndedAt, now)
		}
		next.status = want.Status
	} else if !have.endedAt.IsZero() {
		return have, false
	}
	if want.Categories != nil {
		next.categories = encodeTerms(want.Categories)
	}
	if want.Tags != nil {
		next.tags = encodeTerms(want.Tags)
	}
	if want.Frequency != "" {
		next.frequency = want.Frequency
	}
	if want.Hour != "" {
		next.hour = want.Hour
	}
	if !want.PausedUntil.IsZero() {
		next.pausedUntil = orNow(want.PausedUntil, now)
	}
	if want.Status == store.StatusActive && have.status != store.StatusActive {
		next.status, next.confirmedAt = want.Status, orNow(want.ConfirmedAt, now)
	}
	return next, true
}

// orNow gives t as it will be stored, now if it is zero.
func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		t = now
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func (im *importer) saveSubscription(newsletter, person int64, s storedSubscription) error {
	_, err := im.exec(`INSERT INTO subscriptions
		(newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at, confirmed_at, ended_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = excluded.status,
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency,
		hour = excluded.hour, paused_until = excluded.paused_until, confirmed_at = excluded.confirmed_at, ended_at = excluded.ended_at`,
		newsletter, person, s.status, s.categories, s.tags, s.frequency,
		s.hour, millis(s.pausedUntil), millis(s.createdAt), millis(s.confirmedAt), millis(s.endedAt))
	return err
}
