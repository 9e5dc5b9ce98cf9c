package sqlstore

import (
	"context"
	"fmt"

	"tidings/internal/store"
)

// formerly is what an edition has from its waves before; the zero value if it
// has none.
type formerly struct {
	exists bool
	seq    int // the last number of a delivery
	groups int
	posts  map[int64]bool
	counts store.Counts
}

// begin takes the slot, or the wave's place in it.
func (p *plan) begin() error {
	p.edition = p.draft
	p.edition.Reason, p.edition.CreatedAt, p.edition.Counts = "", p.now, store.Counts{}
	if p.edition.Status != store.EditionPlanned {
		p.edition.Status = store.EditionSending
	}
	id, taken, err := p.take()
	if err != nil {
		return err
	}
	if taken && p.wave == nil && !p.welcome {
		return fmt.Errorf("an edition for this slot: %w", store.ErrExists)
	}
	if taken {
		if err := p.join(id); err != nil {
			return err
		}
	} else {
		p.edition.ID = id
	}
	if p.wave != nil {
		return p.beginWave()
	}
	return nil
}

// take makes the edition of the slot, unless there is one; a dry run only
// looks for it.
func (p *plan) take() (id int64, taken bool, err error) {
	if p.dry {
		return p.slot(p.edition)
	}
	return p.ensureEdition(p.edition)
}

// slot gives the edition that has the slot of e, if there is one.
func (t *tx) slot(e store.Edition) (id int64, taken bool, err error) {
	taken, err = t.maybe(`SELECT e.id FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE n.name = ?1 AND e.cadence = ?2 AND e.slot = ?3`, []any{e.Newsletter, e.Cadence, e.Slot}, &id)
	return id, taken, err
}

// ensureEdition is insertEdition that also gives the number of an edition that
// has the slot already. It looks for it first: an insertion that conflicts uses
// up a number all the same.
func (t *tx) ensureEdition(e store.Edition) (id int64, taken bool, err error) {
	if id, taken, err = t.slot(e); err != nil || taken {
		return id, taken, err
	}
	if id, taken, err = t.insertEdition(e); err == nil && taken {
		id, _, err = t.slot(e)
	}
	return id, taken, err
}

// join goes on with an edition that has waves already.
func (p *plan) join(id int64) (err error) {
	if p.edition, err = p.tx.edition(id); err != nil {
		return err
	}
	p.former = formerly{exists: true, counts: p.edition.Counts, posts: map[int64]bool{}}
	if err := p.one(`SELECT (SELECT COALESCE(max(seq), 0) FROM deliveries WHERE edition_id = ?1),
		(SELECT COALESCE(max(number) + 1, 0) FROM edition_groups WHERE edition_id = ?1)`,
		[]any{id}, &p.former.seq, &p.former.groups); err != nil {
		return err
	}
	posts, err := all(p.tx, scalar[int64], `SELECT DISTINCT post_id FROM group_posts WHERE edition_id = ?1`, id)
	for _, post := range posts {
		p.former.posts[post] = true
	}
	return err
}

func (p *plan) beginWave() error {
	w := p.wave
	w.EditionID, w.Status, w.CreatedAt = p.edition.ID, store.WaveMade, p.now
	taken := false
	var err error
	if p.dry {
		taken, err = p.maybe(`SELECT 1 FROM edition_waves WHERE edition_id = ?1 AND zone = ?2 AND hour = ?3`,
			[]any{p.edition.ID, w.Zone, w.Hour}, new(int))
	} else {
		var n int
		n, err = p.insertWave(*w)
		taken = n == 0
	}
	if err == nil && taken {
		err = fmt.Errorf("a wave of this edition in zone %q at hour %q: %w", w.Zone, w.Hour, store.ErrExists)
	}
	return err
}

// insertWave gives 0 if the edition has a wave of this band.
func (t *tx) insertWave(w store.Wave) (inserted int, err error) {
	return t.exec(`INSERT INTO edition_waves (edition_id, zone, hour, at, status, reason, late, missed, readers, due, created_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (edition_id, zone, hour) DO NOTHING`,
		w.EditionID, w.Zone, w.Hour, millis(w.At), w.Status, clip(w.Reason), clip(w.Late), flag(w.Missed), w.Readers, w.Due, millis(w.CreatedAt))
}

// settle looks at the edition once more, of which deliveries may have been
// recorded since the plan began; from now on none is.
func (p *plan) settle() error {
	if p.dry || !p.former.exists {
		return nil
	}
	e, err := p.lockEdition(p.edition.ID)
	p.edition.Status, p.edition.FinishedAt, p.former.counts = e.Status, e.FinishedAt, e.Counts
	return err
}

// skip makes the plan one that mails nobody.
func (p *plan) skip(reason string) error {
	if err := p.settle(); err != nil {
		return err
	}
	n := p.added.Eligible
	p.added, p.groups = store.Counts{Eligible: n, Empty: n}, nil
	if p.wave != nil {
		p.wave.Status, p.wave.Reason = store.WaveSkipped, reason
	}
	if !p.former.exists {
		p.edition.Status, p.edition.Reason, p.edition.FinishedAt = store.EditionSkipped, reason, p.now
	}
	if !p.dry {
		if _, err := p.exec(`DELETE FROM deliveries WHERE edition_id = ?1 AND seq > ?2`, p.edition.ID, p.former.seq); err != nil {
			return err
		}
	}
	return p.save()
}

// finish makes the edition one that mails somebody.
func (p *plan) finish() error {
	if err := p.settle(); err != nil {
		return err
	}
	e := &p.edition
	posts, unseen := p.former.posts, false
	if posts == nil {
		posts = map[int64]bool{}
	}
	for _, g := range p.groups {
		for _, id := range g.PostIDs {
			unseen = unseen || !posts[id]
			posts[id] = true
		}
	}
	e.Posts = len(posts)
	if p.former.exists {
		e.Status = rejoined(e.Status, p.draft.Status == store.EditionPlanned && unseen)
		e.Reason, e.Missed = "", false
	}
	if e.Status != store.EditionCancelled {
		e.FinishedAt = noTime
	}
	if e.ExpiresAt.Before(p.draft.ExpiresAt) {
		e.ExpiresAt = p.draft.ExpiresAt
	}
	if e.Status == store.EditionPlanned {
		if err := p.hideGroups(); err != nil {
			return err
		}
	}
	return p.save()
}

// hideGroups keeps from the web what is to be approved first.
func (p *plan) hideGroups() error {
	if p.dry {
		return nil
	}
	_, err := p.exec(`UPDATE edition_groups SET web = ?3 WHERE edition_id = ?1 AND number >= ?2 AND web = ?4`,
		p.edition.ID, p.former.groups, webOnceApproved, webNow)
	return err
}

// rejoined is the status of an edition after another wave. What a maintainer
// has not approved waits for approval.
func rejoined(status string, approve bool) string {
	switch {
	case status == store.EditionPaused, status == store.EditionPlanned:
		return status
	case approve:
		return store.EditionPlanned
	}
	return store.EditionSending
}

// save records what planning found out.
func (p *plan) save() error {
	e := &p.edition
	e.Counts = p.former.counts
	e.Counts.Eligible += p.added.Eligible
	e.Counts.Empty += p.added.Empty
	e.Counts.Pending += p.added.Pending
	if w := p.wave; w != nil {
		w.Readers, w.Due = p.added.Eligible, p.added.Pending
	}
	if err := checkCounts(e.ID, e.Counts); err != nil || p.dry {
		return err
	}
	if p.wave != nil {
		if _, err := p.exec(`UPDATE edition_waves SET status = ?4, reason = ?5, readers = ?6, due = ?7
			WHERE edition_id = ?1 AND zone = ?2 AND hour = ?3`, e.ID, p.wave.Zone, p.wave.Hour,
			p.wave.Status, clip(p.wave.Reason), p.wave.Readers, p.wave.Due); err != nil {
			return err
		}
	}
	_, err := p.exec(`UPDATE editions SET status = ?2, reason = ?3, missed = ?4, posts = ?5, finished_at = ?6, expires_at = ?7,
		eligible = ?8, empty = ?9, pending = ?10 WHERE id = ?1`,
		e.ID, e.Status, clip(e.Reason), flag(e.Missed), e.Posts, millis(e.FinishedAt), millis(e.ExpiresAt),
		e.Counts.Eligible, e.Counts.Empty, e.Counts.Pending)
	if err != nil {
		return err
	}
	*e, err = p.tx.edition(e.ID)
	return err
}

// EditionWaves implements [store.Waves].
func (s *Store) EditionWaves(ctx context.Context, id int64) (waves []store.Wave, err error) {
	err = s.read(ctx, "read the waves of "+editionName(id), func(t *tx) error {
		if _, err := t.edition(id); err != nil {
			return err
		}
		waves, err = all(t, scanWave, `SELECT edition_id, zone, hour, at, status, reason, late, missed, readers, due, created_at
			FROM edition_waves WHERE edition_id = ?1 ORDER BY at NULLS FIRST, zone, hour`, id)
		return err
	})
	return waves, err
}

func scanWave(r row) (w store.Wave, err error) {
	err = r.Scan(&w.EditionID, &w.Zone, &w.Hour, instant{&w.At}, &w.Status, &w.Reason, &w.Late, &w.Missed, &w.Readers, &w.Due, instant{&w.CreatedAt})
	return w, err
}
