package sqlstore

import "tidings/internal/store"

// A ledger says which of some posts each reader of a newsletter has, or has
// under way. It is not a table: a delivery names a group, a group its posts.
type ledger struct {
	editions []int64 // those that hold any of the posts
	posts    map[groupRef][]int64
}

type groupRef struct {
	edition int64
	number  int
}

func (t *tx) ledger(newsletter string, posts []int64) (*ledger, error) {
	l := &ledger{posts: map[groupRef][]int64{}}
	seen := map[int64]bool{}
	for _, post := range posts {
		// What was mailed before the post was announced anew does not count.
		err := t.each(`SELECT g.edition_id, g.group_number FROM group_posts g
			JOIN editions e ON e.id = g.edition_id JOIN newsletters n ON n.id = e.newsletter_id
			JOIN edition_groups x ON x.edition_id = g.edition_id AND x.number = g.group_number
			JOIN posts p ON p.id = g.post_id
			WHERE g.post_id = ?1 AND n.name = ?2 AND coalesce(x.date, 0) >= coalesce(p.announced, 0)`, []any{post, newsletter}, func(r row) error {
			var ref groupRef
			if err := r.Scan(&ref.edition, &ref.number); err != nil {
				return err
			}
			l.posts[ref] = append(l.posts[ref], post)
			if !seen[ref.edition] {
				seen[ref.edition] = true
				l.editions = append(l.editions, ref.edition)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// fill sets Seen of readers, which are ordered by their number.
func (l *ledger) fill(t *tx, readers []store.Reader) error {
	first, last := readers[0].SubscriberID, readers[len(readers)-1].SubscriberID
	for _, edition := range l.editions {
		at := 0
		// Pending and claimed are under way; sent and in doubt are had.
		err := t.each(`SELECT subscriber_id, group_number FROM deliveries
			WHERE edition_id = ?1 AND subscriber_id >= ?2 AND subscriber_id <= ?3 AND state IN (0, 1, 2, 6)
			ORDER BY subscriber_id`, []any{edition, first, last}, func(r row) error {
			ref := groupRef{edition: edition}
			var subscriber int64
			if err := r.Scan(&subscriber, &ref.number); err != nil {
				return err
			}
			for at < len(readers) && readers[at].SubscriberID < subscriber {
				at++
			}
			if at < len(readers) && readers[at].SubscriberID == subscriber {
				readers[at].Seen = join(readers[at].Seen, l.posts[ref])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// join appends without ever writing into an array that readers share.
func join(seen, more []int64) []int64 {
	if len(seen) == 0 {
		return more
	}
	return append(seen[:len(seen):len(seen)], more...)
}

// A termCache keeps decoded lists of terms: most readers chose one of few.
type termCache map[string][]string

// maxTermCache bounds the cache; beyond it, choices are hardly shared.
const maxTermCache = 10_000

func (c termCache) decode(text string) ([]string, error) {
	if terms, ok := c[text]; ok {
		return terms, nil
	}
	terms, err := decodeTerms(text)
	if err == nil && len(c) < maxTermCache {
		c[text] = terms
	}
	return terms, err
}

func (c termCache) scanReader(scan row) (r store.Reader, err error) {
	var categories, tags string
	if err = scan.Scan(&r.SubscriberID, &categories, &tags, &r.Frequency,
		&r.Hour, &r.Timezone, &r.Language, &r.Format, &r.QuietHours); err != nil {
		return r, err
	}
	if r.Categories, err = c.decode(categories); err != nil {
		return r, err
	}
	r.Tags, err = c.decode(tags)
	return r, err
}
