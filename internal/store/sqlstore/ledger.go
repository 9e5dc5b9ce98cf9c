package sqlstore

import (
	"iter"
	"slices"
	"strconv"

	"tidings/internal/store"
)

// A ledger says which of some posts each reader of a newsletter has, or has
// under way. It is not a table: a delivery names a group, a group its posts.
type ledger struct {
	editions []int64 // those that hold any of the posts
	posts    map[groupRef][]int64
	people   int64         // about how many subscribers there are
	rows     map[int64]int // edition → deliveries
}

type groupRef struct {
	edition int64
	number  int
}

func (t *tx) ledger(newsletter string, posts []int64) (*ledger, error) {
	l := &ledger{posts: map[groupRef][]int64{}, rows: map[int64]int{}}
	if err := t.one(`SELECT COALESCE(max(id), 1) FROM subscribers`, nil, &l.people); err != nil {
		return nil, err
	}
	for _, post := range posts {
		// What was mailed before the post was announced anew does not count.
		err := t.each(`SELECT g.edition_id, g.group_number, e.eligible FROM group_posts g
			JOIN editions e ON e.id = g.edition_id JOIN newsletters n ON n.id = e.newsletter_id
			JOIN edition_groups x ON x.edition_id = g.edition_id AND x.number = g.group_number
			JOIN posts p ON p.id = g.post_id
			WHERE g.post_id = ?1 AND n.name = ?2 AND coalesce(x.date, 0) >= coalesce(p.announced, 0)`, []any{post, newsletter}, func(r row) error {
			var ref groupRef
			var rows int
			if err := r.Scan(&ref.edition, &ref.number, &rows); err != nil {
				return err
			}
			l.posts[ref] = append(l.posts[ref], post)
			if _, seen := l.rows[ref.edition]; !seen {
				l.rows[ref.edition] = rows
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
	span := float64(last-first+1) / float64(l.people)
	named := ""
	for _, edition := range l.editions {
		var err error
		if between := span * float64(l.rows[edition]); between > sparse*float64(len(readers)) {
			if named == "" {
				named = inList(numbers(readers))
			}
			err = l.fillFrom(t.rarely(), edition, readers, `AND subscriber_id IN `+named)
		} else {
			err = l.fillFrom(t, edition, readers, `AND subscriber_id >= ?2 AND subscriber_id <= ?3`, first, last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sparse is how many times more deliveries an edition may have between the
// first and the last reader than there are readers, for all of them to be read:
// to look each reader up costs about as many times more.
const sparse = 4

// inList writes numbers for a query.
func inList(ids iter.Seq[int64]) string {
	list := []byte{'('}
	for id := range ids {
		if len(list) > 1 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, id, 10)
	}
	return string(append(list, ')'))
}

func numbers(readers []store.Reader) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, r := range readers {
			if !yield(r.SubscriberID) {
				return
			}
		}
	}
}

// fewReaders are so few that what each of them has is looked up, rather than
// who has each post.
const fewReaders = 100

// fillFew is ledger and fill for few readers.
func (t *tx) fillFew(newsletter int64, candidates []int64, readers []store.Reader) error {
	at := map[int64]int{}
	for i, r := range readers {
		at[r.SubscriberID] = i
	}
	return t.had(newsletter, candidates, inList(numbers(readers)), func(h had) {
		i := at[h.subscriber]
		readers[i].Seen = append(readers[i].Seen, h.post)
	})
}

// A had is a post that a subscriber has in an edition, or has under way.
type had struct{ subscriber, post, edition int64 }

// had gives which of some posts the subscribers of a list have.
func (t *tx) had(newsletter int64, posts []int64, subscribers string, fn func(had)) error {
	if len(posts) == 0 {
		return nil
	}
	var oldest *int64 // edition that holds any of the posts
	t = t.rarely()
	if err := t.one(`SELECT min((SELECT min(g.edition_id) FROM group_posts g WHERE g.post_id = p.id))
		FROM posts p WHERE p.id IN `+inList(slices.Values(posts)), nil, &oldest); err != nil || oldest == nil {
		return err
	}
	wanted := map[int64]bool{}
	for _, id := range posts {
		wanted[id] = true
	}
	// As in ledger and fillFrom; the order of the tables is that of the search.
	return t.each(`SELECT d.subscriber_id, g.post_id, d.edition_id FROM editions e
		CROSS JOIN deliveries d CROSS JOIN edition_groups x CROSS JOIN group_posts g CROSS JOIN posts p
		WHERE e.newsletter_id = ?1 AND e.id >= ?2 AND d.edition_id = e.id AND d.subscriber_id IN `+subscribers+`
		AND d.state IN (0, 1, 2, 6) AND x.edition_id = d.edition_id AND x.number = d.group_number
		AND g.edition_id = x.edition_id AND g.group_number = x.number AND p.id = g.post_id
		AND COALESCE(x.date, 0) >= COALESCE(p.announced, 0)`, []any{newsletter, *oldest}, func(r row) error {
		var h had
		if err := r.Scan(&h.subscriber, &h.post, &h.edition); err != nil {
			return err
		}
		if wanted[h.post] {
			fn(h)
		}
		return nil
	})
}

// fillFrom adds what one edition mails, or has mailed, to readers.
func (l *ledger) fillFrom(t *tx, edition int64, readers []store.Reader, which string, args ...any) error {
	at := 0
	// Pending and claimed are under way; sent and in doubt are had.
	return t.each(`SELECT subscriber_id, group_number FROM deliveries
		WHERE edition_id = ?1 `+which+` AND state IN (0, 1, 2, 6) ORDER BY subscriber_id`, append([]any{edition}, args...), func(r row) error {
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
		&r.Hour, &r.Timezone, &r.Language, &r.Format, &r.QuietHours, instant{&r.PausedUntil}); err != nil {
		return r, err
	}
	if r.Categories, err = c.decode(categories); err != nil {
		return r, err
	}
	r.Tags, err = c.decode(tags)
	return r, err
}
