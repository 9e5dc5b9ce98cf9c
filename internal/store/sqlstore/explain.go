package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"tidings/internal/store"
)

const deliveryColumns = `SELECT d.edition_id, d.seq, d.subscriber_id, COALESCE(p.email, ''), d.group_number, d.state,
	d.attempts, d.next_at, d.resent > 0, d.code, COALESCE(d.reason, ''), d.updated_at `

// DeliveriesTo implements [store.Explaining]. The list of editions lets the
// index by edition and subscriber find the few rows.
func (s *Store) DeliveriesTo(ctx context.Context, subscriberID int64, newsletter string) (list []store.Delivery, err error) {
	err = s.read(ctx, fmt.Sprintf("read the deliveries of %s to subscriber %d", newsletter, subscriberID), func(t *tx) error {
		list, err = all(t, scanDelivery, deliveryColumns+`FROM editions e CROSS JOIN deliveries d LEFT JOIN subscribers p ON p.id = d.subscriber_id
			WHERE e.newsletter_id = (SELECT id FROM newsletters WHERE name = ?2) AND d.edition_id = e.id AND d.subscriber_id = ?1
			ORDER BY e.id DESC`, subscriberID, newsletter)
		return err
	})
	return list, err
}

// Had implements [store.Explaining].
func (s *Store) Had(ctx context.Context, subscriberID int64, newsletter string, posts []int64) (map[int64]int64, error) {
	in := map[int64]int64{}
	err := s.read(ctx, fmt.Sprintf("read which posts of %s subscriber %d has", newsletter, subscriberID), func(t *tx) error {
		id, err := t.newsletter(newsletter)
		if err != nil {
			return err
		}
		return t.had(id, posts, inList(slices.Values([]int64{subscriberID})), func(h had) {
			in[h.post] = max(in[h.post], h.edition)
		})
	})
	return in, err
}

// EditionPosts implements [store.Explaining].
func (s *Store) EditionPosts(ctx context.Context, editionID int64, group int) (posts []store.EditionPost, err error) {
	err = s.read(ctx, "read the posts of "+editionName(editionID), func(t *tx) error {
		if _, err := t.edition(editionID); err != nil {
			return err
		}
		posts, err = all(t, scanEditionPost, `SELECT p.id, p.file, p.title, p.published, max(CASE WHEN g.group_number = ?2 THEN 1 ELSE 0 END) AS own
			FROM group_posts g JOIN posts p ON p.id = g.post_id WHERE g.edition_id = ?1 GROUP BY p.id
			ORDER BY own DESC, max(CASE WHEN g.group_number = ?2 THEN -g.position END) DESC, p.published DESC NULLS LAST, p.id DESC`, editionID, group)
		return err
	})
	return posts, err
}

func scanEditionPost(r row) (p store.EditionPost, err error) {
	err = r.Scan(&p.PostID, &p.File, &p.Title, instant{&p.Published}, &p.In)
	return p, err
}
