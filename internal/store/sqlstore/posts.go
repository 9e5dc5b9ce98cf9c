package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"tidings/internal/store"
)

const postColumns = `guid, file, file_hash, body_hash, title, path, published, first_seen, changed, gone, size, mod_time, departed, dated, announce, announced`

// LoadPosts implements [store.Posts].
func (s *Store) LoadPosts(ctx context.Context) (posts []store.Post, err error) {
	err = s.read(ctx, "load posts", func(t *tx) error {
		n, err := t.count(`SELECT count(*) FROM posts`)
		if err != nil {
			return err
		}
		posts = make([]store.Post, 0, n)
		var p store.Post
		into := postFields(&p) // for every row the same: a large blog has many
		return t.each(`SELECT id, `+postColumns+` FROM posts ORDER BY id`, nil, func(r row) error {
			err := r.Scan(into...)
			posts = append(posts, p)
			return err
		})
	})
	return posts, err
}

// postFields are where the id and postColumns of a row go.
func postFields(p *store.Post) []any {
	return []any{&p.ID, &p.GUID, &p.File, &p.FileHash, &p.BodyHash, &p.Title, &p.Path,
		instant{&p.Published}, instant{&p.FirstSeen}, instant{&p.Changed}, instant{&p.Gone},
		&p.Size, instant{&p.ModTime}, instant{&p.Departed}, instant{&p.Dated}, &p.Announce, instant{&p.Announced}}
}

// PostSources implements [store.Posts].
func (s *Store) PostSources(ctx context.Context, ids []int64) (map[int64][]byte, error) {
	sources := make(map[int64][]byte, len(ids))
	err := s.read(ctx, "read the sources of posts", func(t *tx) error {
		for _, id := range ids {
			var source []byte
			found, err := t.maybe(`SELECT source FROM post_sources WHERE post_id = ?1`, []any{id}, &source)
			if err != nil {
				return fmt.Errorf("post %d: %w", id, err)
			}
			if found {
				sources[id] = source
			}
		}
		return nil
	})
	return sources, err
}

// SavePosts implements [store.Posts].
func (s *Store) SavePosts(ctx context.Context, posts []*store.Post) error {
	ids := make([]int64, len(posts))
	err := s.write(ctx, "save posts", func(t *tx) error {
		clear(ids)
		for at, some := range fresh(posts) {
			if err := t.insertPosts(some, ids[at:at+len(some)]); err != nil {
				return err
			}
		}
		for i, p := range posts {
			if ids[i] != 0 {
				continue
			}
			id, err := t.savePost(p)
			if err != nil {
				return fmt.Errorf("post %s (%s): %w", p.GUID, p.File, err)
			}
			ids[i] = id
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, p := range posts {
		p.ID = ids[i]
	}
	return nil
}

func (t *tx) savePost(p *store.Post) (id int64, err error) {
	if id, err = t.savePostRow(p); err != nil {
		return 0, err
	}
	if p.Source != nil {
		_, err = t.exec(`INSERT INTO post_sources (post_id, source) VALUES (?1, ?2)
			ON CONFLICT (post_id) DO UPDATE SET source = excluded.source`, id, p.Source)
	}
	return id, errors.Join(err, t.savePath(p, id))
}

// appendPostArgs appends the values of postColumns.
func appendPostArgs(args []any, p *store.Post) []any {
	return append(args, p.GUID, p.File, p.FileHash, p.BodyHash, p.Title, p.Path, millis(p.Published),
		millis(p.FirstSeen), millis(p.Changed), millis(p.Gone), p.Size, millis(p.ModTime),
		millis(p.Departed), millis(p.Dated), p.Announce, millis(p.Announced))
}

func (t *tx) savePostRow(p *store.Post) (id int64, err error) {
	args := appendPostArgs(nil, p)
	if p.ID == 0 {
		err = t.one(`INSERT INTO posts (`+postColumns+`)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) RETURNING id`, args, &id)
		return id, err
	}
	err = t.execOne(`UPDATE posts SET guid = CASE WHEN ?18 THEN ?1 ELSE guid END, file = ?2, file_hash = ?3,
		body_hash = ?4, title = ?5, path = ?6, published = coalesce(published, ?7),
		first_seen = coalesce(first_seen, ?8), changed = ?9, gone = ?10, size = ?11, mod_time = ?12,
		departed = ?13, dated = ?14, announce = ?15,
		announced = CASE WHEN coalesce(announced, 0) > coalesce(CAST(?16 AS bigint), 0) THEN announced ELSE ?16 END WHERE id = ?17`, append(args, p.ID, p.Renamed)...)
	return p.ID, err
}

// savePath remembers a path. It belongs to the post that had it last; a post
// that is gone does not take it from its successor.
func (t *tx) savePath(p *store.Post, id int64) (err error) {
	switch {
	case p.Path == "":
	case p.Gone.IsZero():
		_, err = t.exec(`INSERT INTO post_paths (path, post_id) VALUES (?1, ?2)
			ON CONFLICT (path) DO UPDATE SET post_id = excluded.post_id WHERE post_paths.post_id <> excluded.post_id`, p.Path, id)
	default:
		_, err = t.exec(`INSERT INTO post_paths (path, post_id) VALUES (?1, ?2)
			ON CONFLICT (path) DO NOTHING`, p.Path, id)
	}
	return err
}

// PostPaths implements [store.Posts].
func (s *Store) PostPaths(ctx context.Context) (map[string]int64, error) {
	var paths map[string]int64
	err := s.read(ctx, "read the paths of posts", func(t *tx) error {
		n, err := t.count(`SELECT count(*) FROM post_paths`)
		if err != nil {
			return err
		}
		paths = make(map[string]int64, n)
		return t.each(`SELECT path, post_id FROM post_paths`, nil, func(r row) error {
			var path string
			var id int64
			err := r.Scan(&path, &id)
			paths[path] = id
			return err
		})
	})
	return paths, err
}

// LoadDocuments implements [store.Documents].
func (s *Store) LoadDocuments(ctx context.Context) (map[string]store.Document, error) {
	docs := map[string]store.Document{}
	err := s.read(ctx, "load documents", func(t *tx) error {
		return t.each(`SELECT path, hash, modified FROM documents`, nil, func(r row) error {
			var d store.Document
			err := r.Scan(&d.Path, &d.Hash, instant{&d.Modified})
			docs[d.Path] = d
			return err
		})
	})
	return docs, err
}

// SaveDocuments implements [store.Documents].
func (s *Store) SaveDocuments(ctx context.Context, docs []store.Document) error {
	return s.write(ctx, "save documents", func(t *tx) error {
		for _, d := range docs {
			if _, err := t.exec(`INSERT INTO documents (path, hash, modified) VALUES (?1, ?2, ?3)
				ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, modified = excluded.modified`,
				d.Path, d.Hash, millis(d.Modified)); err != nil {
				return fmt.Errorf("document %s: %w", d.Path, err)
			}
		}
		return nil
	})
}
