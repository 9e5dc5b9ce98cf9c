package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	"tidings/internal/store"
)

// Adopt implements [store.Posts].
func (s *Store) Adopt(ctx context.Context, posts []store.Adoption) error {
	return s.write(ctx, "adopt the ids of posts", func(t *tx) error {
		for _, p := range posts { // nobody has these, so that two may change theirs
			if err := t.execOne(`UPDATE posts SET guid = ?1 WHERE id = ?2`, "adopting "+strconv.FormatInt(p.PostID, 10), p.PostID); err != nil {
				return fmt.Errorf("post %d: %w", p.PostID, err)
			}
		}
		for _, p := range posts {
			if err := t.execOne(`UPDATE posts SET guid = ?1, published = coalesce(?2, published) WHERE id = ?3`,
				p.GUID, millis(p.Published), p.PostID); err != nil {
				return fmt.Errorf("post %d, id %s: %w", p.PostID, p.GUID, err)
			}
		}
		n, err := t.adoptions()
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO meta (name, value) VALUES ('adoptions', ?1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strconv.FormatInt(n+1, 10))
		return err
	})
}

// Adoptions implements [store.Posts].
func (s *Store) Adoptions(ctx context.Context) (n int64, err error) {
	err = s.read(ctx, "look for adopted ids", func(t *tx) error {
		n, err = t.adoptions()
		return err
	})
	return n, err
}

func (t *tx) adoptions() (int64, error) {
	var value string
	found, err := t.maybe(`SELECT value FROM meta WHERE name = 'adoptions'`, nil, &value)
	if err != nil || !found {
		return 0, err
	}
	return strconv.ParseInt(value, 10, 64)
}
