package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
)

// SeeNewsletter implements [store.Editions].
func (s *Store) SeeNewsletter(ctx context.Context, now time.Time, name string) (seen time.Time, err error) {
	err = s.write(ctx, "see newsletter "+name, func(t *tx) error {
		return t.one(`INSERT INTO newsletters (name, first_seen) VALUES (?1, ?2)
			ON CONFLICT (name) DO UPDATE SET first_seen = COALESCE(newsletters.first_seen, excluded.first_seen)
			RETURNING first_seen`, []any{name, millis(now)}, instant{&seen})
	})
	return seen, err
}

// NewsletterSeen implements [store.Editions].
func (s *Store) NewsletterSeen(ctx context.Context, name string) (seen time.Time, err error) {
	err = s.read(ctx, "look up newsletter "+name, func(t *tx) error {
		_, err := t.maybe(`SELECT first_seen FROM newsletters WHERE name = ?1`, []any{name}, instant{&seen})
		return err
	})
	return seen, err
}

const editionQuery = `SELECT e.id, n.name, e.cadence, e.slot, e.manual, e.due_at, e.status, e.reason, e.late, e.missed,
	e.since, e.in_doubt_policy, e.posts, e.created_at, e.expires_at, e.finished_at,
	e.eligible, e.sent, e.failed, e.suppressed, e.empty, e.in_doubt, e.pending, e.resent_in_doubt
	FROM editions e JOIN newsletters n ON n.id = e.newsletter_id `

func scanEdition(r row) (e store.Edition, err error) {
	c := &e.Counts
	err = r.Scan(&e.ID, &e.Newsletter, &e.Cadence, &e.Slot, &e.Manual, instant{&e.DueAt}, &e.Status, &e.Reason, &e.Late, &e.Missed,
		instant{&e.Since}, &e.InDoubt, &e.Posts, instant{&e.CreatedAt}, instant{&e.ExpiresAt}, instant{&e.FinishedAt},
		&c.Eligible, &c.Sent, &c.Failed, &c.Suppressed, &c.Empty, &c.InDoubt, &c.Pending, &c.ResentInDoubt)
	return e, err
}

func editionName(id int64) string { return fmt.Sprintf("edition %d", id) }

// edition reads one edition.
func (t *tx) edition(id int64) (store.Edition, error) {
	return t.findEdition(editionQuery+`WHERE e.id = ?1`, id)
}

func (t *tx) findEdition(query string, id int64) (store.Edition, error) {
	found, err := all(t, scanEdition, query, id)
	if err == nil && len(found) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Edition{}, err
	}
	return found[0], nil
}

// insertEdition inserts e with its counts; taken reports that its slot has an
// edition already.
func (t *tx) insertEdition(e store.Edition) (id int64, taken bool, err error) {
	newsletter, err := t.ensureNewsletter(e.Newsletter)
	if err != nil {
		return 0, false, err
	}
	c := e.Counts
	found, err := t.maybe(`INSERT INTO editions (newsletter_id, cadence, slot, manual, due_at, status, reason, late, missed, since,
		in_doubt_policy, posts, created_at, expires_at, finished_at,
		eligible, sent, failed, suppressed, empty, in_doubt, pending, resent_in_doubt)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
		ON CONFLICT (newsletter_id, cadence, slot) DO NOTHING RETURNING id`,
		[]any{newsletter, e.Cadence, e.Slot, flag(e.Manual), millis(e.DueAt), e.Status, clip(e.Reason), clip(e.Late), flag(e.Missed), millis(e.Since),
			e.InDoubt, e.Posts, millis(e.CreatedAt), millis(e.ExpiresAt), millis(e.FinishedAt),
			c.Eligible, c.Sent, c.Failed, c.Suppressed, c.Empty, c.InDoubt, c.Pending, c.ResentInDoubt}, &id)
	return id, err == nil && !found, err
}

// RecordEditions implements [store.Editions].
func (s *Store) RecordEditions(ctx context.Context, now time.Time, es []store.Edition) (inserted int, err error) {
	var newsletters []string
	for _, e := range es {
		newsletters = append(newsletters, e.Newsletter)
	}
	err = s.beside(ctx, "record editions", func(t *tx) error {
		inserted = 0
		if err := errors.Join(t.lockNewsletters(newsletters...), s.keepTime(t, now)); err != nil {
			return err
		}
		for _, e := range es {
			if e.Status != store.EditionSkipped && e.Status != store.EditionFailed {
				return fmt.Errorf("slot %s of %s: status %q mails somebody: %w", e.Slot, e.Newsletter, e.Status, store.ErrConflict)
			}
			e.CreatedAt, e.FinishedAt, e.Counts = now, now, store.Counts{}
			n, err := t.recordEdition(e)
			if err != nil {
				return fmt.Errorf("slot %s of %s: %w", e.Slot, e.Newsletter, err)
			}
			inserted += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return inserted, nil
}

// recordEdition gives how many records are new: of the edition, or of its wave.
func (t *tx) recordEdition(e store.Edition) (int, error) {
	id, taken, err := t.ensureEdition(e)
	if err != nil || e.Wave == nil {
		return flag(err == nil && !taken), err
	}
	w := *e.Wave
	w.EditionID, w.Reason, w.Missed, w.CreatedAt = id, e.Reason, e.Missed, e.CreatedAt
	if w.Status = store.WaveSkipped; e.Status == store.EditionFailed {
		w.Status = store.WaveFailed
	}
	return t.insertWave(w)
}

// LastRun implements [store.Editions]. Slots by hand ("manual-…") sort behind
// all others.
func (s *Store) LastRun(ctx context.Context, newsletter, cadence, until string) (e store.Edition, err error) {
	err = s.read(ctx, "find the last run of "+newsletter, func(t *tx) error {
		found, err := all(t, scanEdition, editionQuery+`WHERE n.name = ?1 AND e.cadence = ?2 AND e.slot <= ?3 AND e.manual = 0
			ORDER BY e.slot DESC LIMIT 1`, newsletter, cadence, until)
		if err == nil && len(found) == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			e = found[0]
		}
		return err
	})
	return e, err
}

// PendingEditions implements [store.Editions].
func (s *Store) PendingEditions(ctx context.Context) (list []store.Edition, err error) {
	err = s.read(ctx, "list the editions with deliveries pending", func(t *tx) error {
		list, err = all(t, scanEdition, editionQuery+`WHERE e.pending > 0 ORDER BY e.id`)
		return err
	})
	return list, err
}

// Edition implements [store.Editions].
func (s *Store) Edition(ctx context.Context, id int64) (e store.Edition, err error) {
	err = s.read(ctx, "read "+editionName(id), func(t *tx) error {
		e, err = t.edition(id)
		return err
	})
	return e, err
}

// ListEditions implements [store.Editions].
func (s *Store) ListEditions(ctx context.Context, newsletter string, limit int) (list []store.Edition, err error) {
	err = s.read(ctx, "list editions", func(t *tx) error {
		const where = `WHERE ?1 = '' OR n.name = ?1 ORDER BY e.id DESC`
		if limit > 0 {
			list, err = all(t, scanEdition, editionQuery+where+` LIMIT ?2`, newsletter, limit)
		} else {
			list, err = all(t, scanEdition, editionQuery+where, newsletter)
		}
		return err
	})
	return list, err
}

// EditionGroups implements [store.Editions].
func (s *Store) EditionGroups(ctx context.Context, id int64) (groups []store.Group, err error) {
	err = s.read(ctx, "read the groups of "+editionName(id), func(t *tx) error {
		if _, err := t.edition(id); err != nil {
			return err
		}
		groups, err = t.groups(`WHERE edition_id = ?1 ORDER BY number`, id)
		return err
	})
	return groups, err
}

// Group implements [store.Editions].
func (s *Store) Group(ctx context.Context, editionID int64, number int) (g store.Group, err error) {
	err = s.read(ctx, fmt.Sprintf("read group %d of edition %d", number, editionID), func(t *tx) error {
		groups, err := t.groups(`WHERE edition_id = ?1 AND number = ?2`, editionID, number)
		if err == nil && len(groups) == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			g = groups[0]
		}
		return err
	})
	return g, err
}

func (t *tx) groups(where string, args ...any) ([]store.Group, error) {
	groups, err := all(t, scanGroup, `SELECT edition_id, number, zone, not_before, date, sender, base, subject, template, web, contents
		FROM edition_groups `+where, args...)
	for i := range groups {
		if err != nil {
			break
		}
		groups[i].PostIDs, err = all(t, scalar[int64], `SELECT post_id FROM group_posts
			WHERE edition_id = ?1 AND group_number = ?2 ORDER BY position`, groups[i].EditionID, groups[i].Number)
	}
	return groups, err
}

func scanGroup(r row) (g store.Group, err error) {
	var web int
	var contents string
	if err = r.Scan(&g.EditionID, &g.Number, &g.Zone, instant{&g.NotBefore}, instant{&g.Date}, &g.Sender, &g.Base, &g.Subject, &g.Template,
		&web, &contents); err != nil {
		return g, err
	}
	g.Web = web != webNot
	g.Contents, err = decodeContents(contents)
	return g, err
}
