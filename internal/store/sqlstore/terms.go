package sqlstore

import (
	"context"
	"fmt"

	"tidings/internal/store"
)

// LoadTermSlugs implements [store.Terms].
func (s *Store) LoadTermSlugs(ctx context.Context) (slugs []store.TermSlug, err error) {
	err = s.read(ctx, "load the slugs of terms", func(t *tx) error {
		slugs, err = all(t, scanTermSlug, `SELECT kind, slug, term_key, present FROM term_slugs ORDER BY kind, slug`)
		return err
	})
	return slugs, err
}

func scanTermSlug(r row) (s store.TermSlug, err error) {
	err = r.Scan(&s.Kind, &s.Slug, &s.Key, &s.Present)
	return s, err
}

// SaveTermSlugs implements [store.Terms].
func (s *Store) SaveTermSlugs(ctx context.Context, slugs []store.TermSlug) error {
	return s.write(ctx, "save the slugs of terms", func(t *tx) error {
		for _, slug := range slugs {
			if err := t.saveTermSlug(slug); err != nil {
				return fmt.Errorf("%s %s: %w", slug.Kind, slug.Key, err)
			}
		}
		return nil
	})
}

func (t *tx) saveTermSlug(s store.TermSlug) error {
	_, err := t.exec(`UPDATE term_slugs SET present = 0 WHERE kind = ?1 AND term_key = ?2 AND present = 1`, s.Kind, s.Key)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO term_slugs (kind, slug, term_key, present) VALUES (?1, ?2, ?3, 1)
		ON CONFLICT (kind, slug) DO UPDATE SET term_key = excluded.term_key, present = 1`, s.Kind, s.Slug, s.Key)
	return err
}
