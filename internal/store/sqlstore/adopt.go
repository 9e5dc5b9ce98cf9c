package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// AdoptIDs implements [store.Posts].
func (s *Store) AdoptIDs(ctx context.Context, guids map[int64]string) error {
	return s.write(ctx, "adopt the ids of posts", func(t *tx) error {
		ids := slices.Sorted(maps.Keys(guids))
		for _, id := range ids { // nobody has these, so that two may change theirs
			if err := t.execOne(`UPDATE posts SET guid = ?1 WHERE id = ?2`, "adopting "+strconv.FormatInt(id, 10), id); err != nil {
				return fmt.Errorf("post %d: %w", id, err)
			}
		}
		for _, id := range ids {
			if err := t.execOne(`UPDATE posts SET guid = ?1 WHERE id = ?2`, guids[id], id); err != nil {
				return fmt.Errorf("post %d, id %s: %w", id, guids[id], err)
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
