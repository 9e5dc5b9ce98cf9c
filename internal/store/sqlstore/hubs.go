package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// LoadAnnounced implements [store.Hubs].
func (s *Store) LoadAnnounced(ctx context.Context, hub string) (map[string]string, error) {
	hashes := map[string]string{}
	err := s.read(ctx, "load what a hub was told", func(t *tx) error {
		return t.each(`SELECT path, hash FROM hub_topics WHERE hub = ?1`, []any{hub}, func(r row) error {
			var path, hash string
			err := r.Scan(&path, &hash)
			hashes[path] = hash
			return err
		})
	})
	return hashes, err
}

// SaveAnnounced implements [store.Hubs].
func (s *Store) SaveAnnounced(ctx context.Context, hub string, hashes map[string]string) error {
	return s.write(ctx, "save what a hub was told", func(t *tx) error {
		for _, path := range slices.Sorted(maps.Keys(hashes)) {
			if _, err := t.exec(`INSERT INTO hub_topics (hub, path, hash) VALUES (?1, ?2, ?3)
				ON CONFLICT (hub, path) DO UPDATE SET hash = excluded.hash`, hub, path, hashes[path]); err != nil {
				return fmt.Errorf("document %s: %w", path, err)
			}
		}
		return nil
	})
}
