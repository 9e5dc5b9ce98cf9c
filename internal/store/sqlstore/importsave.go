package sqlstore

import (
	"errors"

	"tidings/internal/store"
)

// save writes what changed. What is new goes in in bulk: first the people, then
// what belongs to them, for which their numbers are needed.
func (im *importer) save() error {
	if err := im.savePeople(); err != nil {
		return err
	}
	w := im.writing()
	for _, p := range im.touched {
		for _, s := range p.subscriptions {
			if err := w.save(p, s); err != nil {
				return err
			}
		}
		if p.suppression == nil {
			continue
		}
		if _, err := im.suppress(*p.suppression); err != nil {
			return err
		}
	}
	return w.flush()
}

func (im *importer) savePeople() error {
	if err := im.numberPeople(); err != nil {
		return err
	}
	people := im.bulk("subscribers", "id, email, key_hash, name, language, timezone, format, quiet_hours, created_at")
	for _, p := range im.touched {
		var err error
		switch {
		case p.isNew && p.ID == 0:
			p.ID, err = im.insert(`INSERT INTO subscribers (email, key_hash, name, language, timezone, format, quiet_hours, created_at)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`, p.Email, p.Key, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours, millis(p.CreatedAt))
		case p.isNew:
			err = people.add(p.ID, p.Email, p.Key, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours, millis(p.CreatedAt))
		case p.changed || p.rekeyed:
			_, err = im.exec(`UPDATE subscribers SET key_hash = ?2, name = ?3, language = ?4, timezone = ?5, format = ?6, quiet_hours = ?7
				WHERE id = ?1`, p.ID, p.Key, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours)
			err = errors.Join(err, im.hastenHeld(im.now, p.ID))
		}
		if err != nil {
			return err
		}
	}
	return people.flush()
}

// numberPeople gives new people their numbers, where the engine does so before
// they are inserted.
func (im *importer) numberPeople() error {
	if im.dialect.Numbers == "" {
		return nil
	}
	var fresh []*importedPerson
	for _, p := range im.touched {
		if p.isNew {
			fresh = append(fresh, p)
		}
	}
	ids, err := all(im.tx, scalar[int64], im.dialect.Numbers, "subscribers", len(fresh))
	for i, id := range ids {
		fresh[i].ID = id
	}
	return err
}

// importWriting is what an import writes beside the people.
type importWriting struct {
	*importer
	subscriptions, consents, notices *bulk
}

const importedColumns = `newsletter_id, subscriber_id, status, categories, tags, frequency, hour, paused_until, created_at, confirmed_at, ended_at, zone`

func (im *importer) writing() importWriting {
	return importWriting{
		importer:      im,
		subscriptions: im.bulk("subscriptions", importedColumns),
		consents:      im.bulk("consents", "subscriber_id, newsletter_id, event, categories, tags, frequency, source, network, at"),
		notices:       im.bulk("notices", "kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason"),
	}
}

func (w *importWriting) flush() error {
	return errors.Join(w.subscriptions.flush(), w.consents.flush(), w.notices.flush())
}

// save writes a subscription, and what follows from it.
func (w *importWriting) save(p *importedPerson, s importedSubscription) error {
	if !s.changed {
		return nil
	}
	if err := errors.Join(w.subscription(p, s), w.withdrawFrom(p, s)); err != nil {
		return err
	}
	switch {
	case s.joined: // it is put on record that it came active in a file
		return w.consents.add(p.ID, s.newsletter, store.ConsentImported, s.categories, s.tags, s.frequency, w.origin.Source, "", millis(w.now))
	case s.notify:
		return w.notices.add(store.NoticeConfirm, p.ID, s.newsletter, "queued", millis(w.now), millis(w.now), 0, "")
	}
	return nil
}

func (w *importWriting) subscription(p *importedPerson, s importedSubscription) error {
	values := []any{s.newsletter, p.ID, s.status, s.categories, s.tags, s.frequency, s.hour,
		millis(s.pausedUntil), millis(s.createdAt), millis(s.confirmedAt), millis(s.endedAt), p.Timezone}
	if p.isNew {
		return w.subscriptions.add(values...)
	}
	_, err := w.exec(`INSERT INTO subscriptions (`+importedColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = excluded.status,
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency, hour = excluded.hour,
		paused_until = excluded.paused_until, confirmed_at = excluded.confirmed_at, ended_at = excluded.ended_at`, values...)
	return err
}

// withdrawFrom calls off what is under way to a person on record and not wanted
// any more.
func (w *importWriting) withdrawFrom(p *importedPerson, s importedSubscription) error {
	if p.isNew || s.status != store.StatusActive {
		return nil
	}
	categories, err := decodeTerms(s.categories)
	if err != nil {
		return err
	}
	tags, err := decodeTerms(s.tags)
	if err != nil {
		return err
	}
	return w.withdraw(w.now, s.newsletter, p.ID, store.Subscription{Newsletter: w.nameOf(s.newsletter),
		Status: s.status, Frequency: s.frequency, Categories: categories, Tags: tags}, w.wants)
}

func (im *importer) nameOf(newsletter int64) string {
	for name, id := range im.newsletters {
		if id == newsletter {
			return name
		}
	}
	return ""
}
