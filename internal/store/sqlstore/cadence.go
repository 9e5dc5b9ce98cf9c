package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// noTime is stored as none.
var noTime time.Time

// Cadence implements [store.Waves].
func (s *Store) Cadence(ctx context.Context, newsletter, name string, frequencies []string) (store.Cadence, error) {
	c := store.Cadence{Newsletter: newsletter, Name: name, Frequencies: frequencies, Bands: map[store.Band]time.Time{}}
	err := s.read(ctx, fmt.Sprintf("look up how %s of %s stands", name, newsletter), func(t *tx) error {
		id, err := t.newsletter(newsletter)
		if err != nil || id == 0 {
			return err
		}
		if _, err := t.maybe(`SELECT until FROM cadences WHERE newsletter_id = ?1 AND cadence = ?2`,
			[]any{id, name}, instant{&c.Until}); err != nil {
			return err
		}
		if err := t.present(id, c); err != nil {
			return err
		}
		return t.eachBand(id, name, func(b store.Band, since time.Time) {
			c.Kept++
			if _, ok := c.Bands[b]; ok {
				c.Bands[b] = since
			}
		})
	})
	return c, err
}

// present finds the bands that have readers now.
func (t *tx) present(newsletter int64, c store.Cadence) error {
	for _, f := range c.Frequencies {
		found, err := t.bandsOf(newsletter, f)
		if err != nil {
			return err
		}
		for _, b := range found {
			if !store.ByZone(c.Name) {
				b.Zone = ""
			}
			if !store.ByHour(c.Name) {
				b.Hour = ""
			}
			c.Bands[b] = noTime
		}
	}
	return nil
}

// bandsOf gives the zones and hours of the active subscriptions of a
// frequency. It leaps through the index from each to the next, however many
// subscriptions share them.
func (t *tx) bandsOf(newsletter int64, frequency string) ([]store.Band, error) {
	return all(t, scanBand, `WITH RECURSIVE zones (zone) AS (
		SELECT min(s.zone) FROM subscriptions s WHERE s.newsletter_id = ?1 AND s.status = 'active' AND s.frequency = ?2
		UNION ALL
		SELECT (SELECT min(s.zone) FROM subscriptions s
			WHERE s.newsletter_id = ?1 AND s.status = 'active' AND s.frequency = ?2 AND s.zone > zones.zone)
		FROM zones WHERE zones.zone IS NOT NULL
	), bands (zone, hour) AS (
		SELECT zones.zone, (SELECT min(s.hour) FROM subscriptions s
			WHERE s.newsletter_id = ?1 AND s.status = 'active' AND s.frequency = ?2 AND s.zone = zones.zone)
		FROM zones WHERE zones.zone IS NOT NULL
		UNION ALL
		SELECT bands.zone, (SELECT min(s.hour) FROM subscriptions s
			WHERE s.newsletter_id = ?1 AND s.status = 'active' AND s.frequency = ?2 AND s.zone = bands.zone AND s.hour > bands.hour)
		FROM bands WHERE bands.hour IS NOT NULL
	) SELECT bands.zone, bands.hour FROM bands WHERE bands.hour IS NOT NULL`, newsletter, frequency)
}

func scanBand(r row) (b store.Band, err error) {
	err = r.Scan(&b.Zone, &b.Hour)
	return b, err
}

// eachBand calls fn for each band on record.
func (t *tx) eachBand(newsletter int64, cadence string, fn func(b store.Band, since time.Time)) error {
	return t.each(`SELECT zone, hour, since FROM cadence_bands WHERE newsletter_id = ?1 AND cadence = ?2`,
		[]any{newsletter, cadence}, func(r row) error {
			var b store.Band
			var since time.Time
			if err := r.Scan(&b.Zone, &b.Hour, instant{&since}); err != nil {
				return err
			}
			fn(b, since)
			return nil
		})
}

// KeepCadence implements [store.Waves].
func (s *Store) KeepCadence(ctx context.Context, now time.Time, c store.Cadence) error {
	return s.write(ctx, fmt.Sprintf("record how %s of %s stands", c.Name, c.Newsletter), func(t *tx) error {
		if err := s.keepTime(t, now); err != nil {
			return err
		}
		id, err := t.ensureNewsletter(c.Newsletter)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO cadences (newsletter_id, cadence, until) VALUES (?1, ?2, ?3)
			ON CONFLICT (newsletter_id, cadence) DO UPDATE SET until = excluded.until
			WHERE cadences.until IS NULL OR cadences.until < excluded.until OR cadences.until > excluded.until + ?4`,
			id, c.Name, millis(c.Until), store.ClockSlack.Milliseconds()); err != nil {
			return err
		}
		return t.keepBands(id, c)
	})
}

func (t *tx) keepBands(newsletter int64, c store.Cadence) error {
	var gone []store.Band
	known := map[store.Band]bool{}
	if err := t.eachBand(newsletter, c.Name, func(b store.Band, _ time.Time) {
		if _, ok := c.Bands[b]; ok {
			known[b] = true
		} else {
			gone = append(gone, b)
		}
	}); err != nil {
		return err
	}
	for b, since := range c.Bands {
		if known[b] {
			continue
		}
		if _, err := t.exec(`INSERT INTO cadence_bands (newsletter_id, cadence, zone, hour, since) VALUES (?1, ?2, ?3, ?4, ?5)`,
			newsletter, c.Name, b.Zone, b.Hour, millis(since)); err != nil {
			return err
		}
	}
	for _, b := range gone {
		if _, err := t.exec(`DELETE FROM cadence_bands WHERE newsletter_id = ?1 AND cadence = ?2 AND zone = ?3 AND hour = ?4`,
			newsletter, c.Name, b.Zone, b.Hour); err != nil {
			return err
		}
	}
	return nil
}
