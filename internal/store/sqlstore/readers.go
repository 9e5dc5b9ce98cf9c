package sqlstore

import (
	"cmp"
	"fmt"
	"slices"

	"tidings/internal/store"
)

// planChunk is how many readers are in memory at once while planning.
const planChunk = 5000

// A readership gives the readers of a plan in chunks, because one connection
// cannot read rows and write others at once.
type readership struct {
	*plan
	newsletter int64
	bands      []band // of a wave: those that are left
	after      int64  // the last subscriber that was read
	terms      termCache
}

// A band is the readers with the same frequency, zone and hour.
type band struct {
	frequency string
	store.Band
}

func (p *plan) readers() (*readership, error) {
	newsletter, err := p.newsletter(p.draft.Newsletter)
	r := &readership{plan: p, newsletter: newsletter, terms: termCache{}}
	if err == nil && p.wave != nil {
		r.bands, err = p.waveBands(newsletter)
	}
	return r, err
}

// waveBands gives the bands that fall due together in the plan's wave.
func (p *plan) waveBands(newsletter int64) ([]band, error) {
	cadence := p.draft.Cadence
	var all []band
	for _, f := range p.wave.Frequencies {
		if store.ByHour(cadence) {
			all = append(all, band{f, p.wave.Band})
			continue
		}
		found, err := p.bandsOf(newsletter, f)
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			if !store.ByZone(cadence) || b.Zone == p.wave.Zone {
				all = append(all, band{f, b})
			}
		}
	}
	return all, nil
}

// next gives the next chunk by the number of the readers; an empty one at the
// end.
func (r *readership) next() (chunk []store.Reader, err error) {
	switch {
	case r.welcome:
		chunk, err = r.arrived()
	case r.wave == nil:
		chunk, err = r.everybody()
	default:
		chunk, err = r.banded()
	}
	slices.SortFunc(chunk, func(a, b store.Reader) int { return cmp.Compare(a.SubscriberID, b.SubscriberID) })
	return chunk, err
}

const readerColumns = `SELECT s.subscriber_id, s.categories, s.tags, s.frequency, s.hour,
	p.timezone, p.language, p.format, p.quiet_hours, s.paused_until
	FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id
	WHERE s.newsletter_id = ?1 AND s.status = 'active' AND (s.paused_until IS NULL OR s.paused_until <= ?2)
	AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.key_hash = p.key_hash) AND s.subscriber_id > ?3 `

func (r *readership) everybody() ([]store.Reader, error) {
	chunk, err := all(r.tx, r.terms.scanReader, readerColumns+`ORDER BY s.subscriber_id LIMIT ?4`,
		r.newsletter, millis(r.now), r.after, planChunk)
	if len(chunk) > 0 {
		r.after = chunk[len(chunk)-1].SubscriberID
	}
	return chunk, err
}

// banded reads one band after the other.
func (r *readership) banded() (chunk []store.Reader, err error) {
	for len(r.bands) > 0 && len(chunk) < planChunk {
		b, want := r.bands[0], planChunk-len(chunk)
		part, err := all(r.tx, r.terms.scanReader, readerColumns+`AND s.frequency = ?4 AND s.zone = ?5 AND s.hour = ?6
			AND (?7 = 0 OR NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.edition_id = ?8 AND d.subscriber_id = s.subscriber_id))
			ORDER BY s.subscriber_id LIMIT ?9`,
			r.newsletter, millis(r.now), r.after, b.frequency, b.Zone, b.Hour, flag(r.former.exists), r.edition.ID, want)
		if err != nil {
			return nil, fmt.Errorf("readers in zone %q at hour %q: %w", b.Zone, b.Hour, err)
		}
		chunk = append(chunk, part...)
		if len(part) < want {
			r.bands, r.after = r.bands[1:], 0
		} else {
			r.after = part[len(part)-1].SubscriberID
		}
	}
	return chunk, nil
}
