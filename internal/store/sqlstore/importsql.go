package sqlstore

import (
	"strconv"
	"strings"
	"time"

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
	var one int
	if some, err := im.maybe(`SELECT 1 FROM suppressions LIMIT 1`, nil, &one); err != nil || !some {
		return err
	}
	return lookUp(im.tx, `SELECT key_hash, reason, at FROM suppressions WHERE key_hash`, keys, func(r row) error {
		var key, reason string
		var at time.Time
		if err := r.Scan(&key, &reason, instant{&at}); err != nil {
			return err
		}
		im.people[key].reason, im.people[key].suppressedAt = reason, at
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
	t = t.rarely() // a plan that was made while the table was small would walk over all of it
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
