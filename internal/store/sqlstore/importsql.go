package sqlstore

import (
	"strconv"
	"strings"

	"tidings/internal/store"
)

// lookTogether is how many values one statement looks for: to run a statement
// costs more than to find a row.
const lookTogether = 100

// look reads what is on record of the people of some rows.
func (im *importer) look(rows []store.ImportRow) error {
	var keys []string
	people := make([]importedPerson, len(rows)) // all at once, which is faster
	byEmail := make(map[string]*importedPerson, len(rows))
	for i, r := range rows {
		p, email := r.Subscriber, lower(r.Subscriber.Email)
		if im.people[p.Key] != nil {
			continue
		}
		if im.people[p.Key] = byEmail[email]; byEmail[email] == nil {
			people[i].Key, people[i].Email = p.Key, p.Email
			byEmail[email], im.people[p.Key] = &people[i], &people[i]
			keys = append(keys, p.Key)
		}
	}
	if err := im.lookSuppressions(keys); err != nil {
		return err
	}
	if err := im.lookPeople(`key_hash`, keys, func(found store.Subscriber) *importedPerson { return im.people[found.Key] }); err != nil {
		return err
	}
	var emails []string
	for _, k := range keys {
		if p := im.people[k]; p.ID == 0 {
			emails = append(emails, lower(p.Email))
		}
	}
	err := im.lookPeople(`lower(email)`, emails, func(found store.Subscriber) *importedPerson { return byEmail[lower(found.Email)] })
	if err != nil {
		return err
	}
	return im.lookSubscriptions(keys)
}

func (im *importer) lookSuppressions(keys []string) error {
	return lookUp(im.tx, `SELECT key_hash, reason FROM suppressions WHERE key_hash`, keys, func(r row) error {
		var key, reason string
		if err := r.Scan(&key, &reason); err != nil {
			return err
		}
		im.people[key].reason = reason
		return nil
	})
}

// lookPeople finds people by a column. One who is found by address under a key
// of another secret gets the new one.
func (im *importer) lookPeople(column string, values []string, person func(store.Subscriber) *importedPerson) error {
	return lookUp(im.tx, `SELECT id, email, key_hash, name, language, timezone, format, quiet_hours FROM subscribers WHERE `+column,
		values, func(r row) error {
			var s store.Subscriber
			if err := r.Scan(&s.ID, &s.Email, &s.Key, &s.Name, &s.Language, &s.Timezone, &s.Format, &s.QuietHours); err != nil {
				return err
			}
			p := person(s)
			p.rekeyed = p.Key != s.Key
			s.Key = p.Key
			p.Subscriber = s
			return nil
		})
}

func (im *importer) lookSubscriptions(keys []string) error {
	byID := map[int64]*importedPerson{}
	var ids []int64
	for _, k := range keys {
		if p := im.people[k]; p.ID != 0 {
			byID[p.ID] = p
			ids = append(ids, p.ID)
		}
	}
	return lookUp(im.tx, `SELECT subscriber_id, newsletter_id, status, categories, tags, frequency, hour,
		paused_until, created_at, confirmed_at, ended_at FROM subscriptions WHERE subscriber_id`, ids, func(r row) error {
		var id int64
		var s importedSubscription
		err := r.Scan(&id, &s.newsletter, &s.status, &s.categories, &s.tags, &s.frequency, &s.hour,
			instant{&s.pausedUntil}, instant{&s.createdAt}, instant{&s.confirmedAt}, instant{&s.endedAt})
		if err == nil {
			byID[id].subscriptions = append(byID[id].subscriptions, s)
		}
		return err
	})
}

// lookUp runs a query that ends with a column for the rows in which that has
// any of the values, a hundred at a time.
func lookUp[T any](t *tx, query string, values []T, fn func(row) error) error {
	query += ` IN ` + placeholders(lookTogether)
	args := make([]any, lookTogether)
	for len(values) > 0 {
		n := min(len(values), lookTogether)
		for i := range args {
			args[i] = values[min(i, n-1)] // one text of the statement, whatever the number
		}
		if err := t.each(query, args, fn); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// placeholders gives "(?1, ?2, ?3)" for three.
func placeholders(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(", ?" + strconv.Itoa(i+1))
	}
	return "(" + strings.TrimPrefix(b.String(), ", ") + ")"
}

// save writes what changed. Rows go in one by one, and find the number of their
// person by the key: a statement for several, or one that gives numbers back,
// takes SQLite twice as long.
func (im *importer) save() error {
	for _, p := range im.touched {
		if err := im.savePerson(p); err != nil {
			return err
		}
		for _, s := range p.subscriptions {
			if err := im.saveSubscription(p.Key, s); err != nil {
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
	return nil
}

func (im *importer) savePerson(p *importedPerson) (err error) {
	switch {
	case p.isNew:
		_, err = im.exec(`INSERT INTO subscribers (email, key_hash, name, language, timezone, format, quiet_hours, created_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
			p.Email, p.Key, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours, millis(p.CreatedAt))
	case p.changed || p.rekeyed:
		_, err = im.exec(`UPDATE subscribers SET key_hash = ?2, name = ?3, language = ?4, timezone = ?5, format = ?6, quiet_hours = ?7
			WHERE id = ?1`, p.ID, p.Key, p.Name, p.Language, p.Timezone, p.Format, p.QuietHours)
	}
	return err
}

func (im *importer) saveSubscription(key string, s importedSubscription) error {
	if !s.changed {
		return nil
	}
	if _, err := im.exec(`INSERT INTO subscriptions (newsletter_id, subscriber_id, status, categories, tags, frequency, hour,
		paused_until, created_at, confirmed_at, ended_at)
		VALUES (?1, (SELECT id FROM subscribers WHERE key_hash = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE SET status = excluded.status,
		categories = excluded.categories, tags = excluded.tags, frequency = excluded.frequency, hour = excluded.hour,
		paused_until = excluded.paused_until, confirmed_at = excluded.confirmed_at, ended_at = excluded.ended_at`,
		s.newsletter, key, s.status, s.categories, s.tags, s.frequency, s.hour,
		millis(s.pausedUntil), millis(s.createdAt), millis(s.confirmedAt), millis(s.endedAt)); err != nil {
		return err
	}
	if s.joined {
		return im.saveConsent(key, s)
	}
	if !s.notify {
		return nil
	}
	_, err := im.exec(`INSERT INTO notices (kind, subscriber_id, newsletter_id, state, created_at, next_at, attempts, reason)
		VALUES (?1, (SELECT id FROM subscribers WHERE key_hash = ?2), ?3, 'queued', ?4, ?4, 0, '')`,
		store.NoticeConfirm, key, s.newsletter, millis(im.now))
	return err
}

// saveConsent puts on record that a subscription came active in a file.
func (im *importer) saveConsent(key string, s importedSubscription) error {
	_, err := im.exec(`INSERT INTO consents (subscriber_id, newsletter_id, event, categories, tags, frequency, source, network, at)
		VALUES ((SELECT id FROM subscribers WHERE key_hash = ?1), ?2, ?3, ?4, ?5, ?6, ?7, '', ?8)`,
		key, s.newsletter, store.ConsentImported, s.categories, s.tags, s.frequency, im.origin.Source, millis(im.now))
	return err
}
