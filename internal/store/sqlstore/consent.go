package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"tidings/internal/store"
)

// consent puts one act of a person on record, with the choices of the
// subscription as they are now. newsletter 0 is the person as such.
func (t *tx) consent(now time.Time, event string, subscriber, newsletter int64) error {
	wording, err := t.wording()
	if err != nil {
		return err
	}
	o := t.origin
	if newsletter == 0 {
		_, err = t.exec(`INSERT INTO consents (subscriber_id, event, categories, tags, frequency, source, wording, network, at)
			VALUES (?1, ?2, '', '', '', ?3, ?4, ?5, ?6)`, subscriber, event, clip(o.Source), wording, clip(o.Network), millis(now))
		return err
	}
	_, err = t.exec(`INSERT INTO consents
		(subscriber_id, newsletter_id, event, categories, tags, frequency, source, wording, network, at)
		SELECT s.subscriber_id, s.newsletter_id, ?3, s.categories, s.tags, s.frequency, ?4, ?5, ?6, ?7
		FROM subscriptions s WHERE s.newsletter_id = ?2 AND s.subscriber_id = ?1`,
		subscriber, newsletter, event, clip(o.Source), wording, clip(o.Network), millis(now))
	return err
}

// consentTo is consent for choices that are not those of the subscription, or
// not yet.
func (t *tx) consentTo(now time.Time, event string, subscriber, newsletter int64, to store.Subscription) error {
	wording, err := t.wording()
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO consents
		(subscriber_id, newsletter_id, event, categories, tags, frequency, source, wording, network, at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`, subscriber, newsletter, event,
		encodeTerms(to.Categories), encodeTerms(to.Tags), to.Frequency, clip(t.origin.Source), wording, clip(t.origin.Network), millis(now))
	return err
}

// wording keeps the words of the form and gives their hash; nil without any.
func (t *tx) wording() (any, error) {
	text := t.origin.Wording
	if text == "" {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(text))
	hash := hex.EncodeToString(sum[:])
	_, err := t.exec(`INSERT INTO wordings (hash, text) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING`, hash, text)
	return hash, err
}

// Consents implements [store.Preferring].
func (s *Store) Consents(ctx context.Context, id int64) (list []store.Consent, err error) {
	err = s.read(ctx, "read the consents of a subscriber", func(t *tx) error {
		list, err = all(t, scanConsent, `SELECT COALESCE(n.name, ''), c.event, c.categories, c.tags, c.frequency,
			c.source, COALESCE(w.text, ''), c.network, c.at
			FROM consents c LEFT JOIN newsletters n ON n.id = c.newsletter_id LEFT JOIN wordings w ON w.hash = c.wording
			WHERE c.subscriber_id = ?1 ORDER BY c.id`, id)
		return err
	})
	return list, err
}

func scanConsent(r row) (c store.Consent, err error) {
	var categories, tags string
	if err = r.Scan(&c.Newsletter, &c.Event, &categories, &tags, &c.Frequency,
		&c.Source, &c.Wording, &c.Network, instant{&c.At}); err != nil {
		return c, err
	}
	if c.Categories, err = decodeTerms(categories); err != nil {
		return c, err
	}
	c.Tags, err = decodeTerms(tags)
	return c, err
}
