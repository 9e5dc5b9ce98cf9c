package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/codec"
	"tidings/internal/store"
)

const (
	importChunk = 500 // rows that are kept together while they are staged
	dropChunks  = 200 // how many of them are dropped in one transaction
)

// ImportSubscribers implements [store.Subscribers].
func (s *Store) ImportSubscribers(ctx context.Context, now time.Time, rows []store.ImportRow, dryRun bool) (store.ImportReport, error) {
	transaction := s.writeLarge
	if dryRun {
		transaction = s.read
	}
	var report store.ImportReport
	err := transaction(ctx, "import subscribers", func(t *tx) (err error) {
		report, err = t.importRows(now, rows, nil, dryRun)
		return err
	})
	if err != nil {
		return store.ImportReport{}, err
	}
	return report, nil
}

// BeginImport implements [store.Imports].
func (s *Store) BeginImport(ctx context.Context, now time.Time) (id int64, err error) {
	err = s.write(ctx, "begin an import", func(t *tx) error {
		return t.one(`INSERT INTO imports (touched_at, source) VALUES (?1, ?2) RETURNING id`, []any{millis(now), clip(t.origin.Source)}, &id)
	})
	return id, err
}

// StageImport implements [store.Imports].
func (s *Store) StageImport(ctx context.Context, now time.Time, id int64, rows []store.ImportRow) error {
	for _, r := range rows {
		if err := checkRow(r); err != nil {
			return fmt.Errorf("stage rows of import %d: line %d: %w", id, r.Line, err)
		}
	}
	return s.write(ctx, fmt.Sprintf("stage rows of import %d", id), func(t *tx) error {
		var chunks int
		if err := t.undecided(id, &chunks); err != nil {
			return err
		}
		for left := rows; len(left) > 0; {
			n := oneChunk(left)
			chunks++
			if _, err := t.exec(`INSERT INTO import_chunks (import_id, number, people) VALUES (?1, ?2, ?3)`,
				id, chunks, encodeRows(left[:n])); err != nil {
				return err
			}
			left = left[n:]
		}
		_, err := t.exec(`UPDATE imports SET chunks = ?2, staged = staged + ?3, touched_at = ?4 WHERE id = ?1`,
			id, chunks, len(rows), millis(now))
		return err
	})
}

// oneChunk gives how many of the rows are kept together: those of one person are.
func oneChunk(rows []store.ImportRow) int {
	n := min(importChunk, len(rows))
	for n < len(rows) && rows[n].Subscriber.Key == rows[n-1].Subscriber.Key {
		n++
	}
	return n
}

func encodeRows(rows []store.ImportRow) []byte {
	var e codec.Encoder
	codec.List(&e, &rows, func(r *store.ImportRow) { r.Code(&e) })
	return e.Bytes
}

func decodeRows(b []byte) (rows []store.ImportRow, err error) {
	d := codec.NewDecoder(b)
	codec.List(d, &rows, func(r *store.ImportRow) { r.Code(d) })
	return rows, d.Err()
}

// undecided gives the number of chunks of an import whose rows do not count yet.
func (t *tx) undecided(id int64, chunks *int) error {
	found, err := t.maybe(`SELECT chunks FROM imports WHERE id = ?1 AND decided_at IS NULL`, []any{id}, chunks)
	if err == nil && !found {
		err = fmt.Errorf("it is decided already, or was given up: %w", store.ErrConflict)
	}
	return err
}

// DecideImport implements [store.Imports].
func (s *Store) DecideImport(ctx context.Context, now time.Time, id int64) error {
	return s.write(ctx, fmt.Sprintf("decide import %d", id), func(t *tx) error {
		var chunks int
		if err := t.undecided(id, &chunks); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE imports SET decided_at = ?2, touched_at = ?2,
			finished_at = CASE WHEN chunks = 0 THEN CAST(?2 AS bigint) END WHERE id = ?1`, id, millis(now))
		return err
	})
}

// ApplyImport implements [store.Imports].
func (s *Store) ApplyImport(ctx context.Context, now time.Time, within time.Duration, w store.Wants) (rows int, err error) {
	began := time.Now()
	err = s.writeLarge(ctx, "apply an import", func(t *tx) error {
		rows = 0
		for chunks := 1; ; chunks++ {
			n, err := t.applyChunk(now, w)
			rows += n
			passed := time.Since(began)
			if err != nil || n == 0 || passed+passed/time.Duration(chunks) > within {
				return err
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return rows, nil
}

// applyChunk applies the next rows of the first decided import, if any are left.
func (t *tx) applyChunk(now time.Time, w store.Wants) (int, error) {
	var id, number int64
	var people []byte
	found, err := t.maybe(`SELECT c.import_id, c.number, c.people, i.source FROM imports i
		JOIN import_chunks c ON c.import_id = i.id AND c.number = i.applied + 1
		WHERE i.decided_at IS NOT NULL AND i.finished_at IS NULL ORDER BY i.id LIMIT 1`, nil, &id, &number, &people, &t.origin.Source)
	if err != nil || !found {
		return 0, err
	}
	rows, err := decodeRows(people)
	if err != nil {
		return 0, fmt.Errorf("part %d of import %d: %w", number, id, err)
	}
	report, err := t.importRows(now, rows, w, false)
	if err != nil {
		return 0, fmt.Errorf("import %d: %w", id, err)
	}
	return len(rows), t.chunkApplied(now, id, number, report)
}

func (t *tx) chunkApplied(now time.Time, id, number int64, r store.ImportReport) error {
	var suppressed any
	if len(r.SuppressedLines) > 0 {
		suppressed = encodeLines(r.SuppressedLines)
	}
	// The people of a chunk must not outlive their own records.
	err := t.dialect.wiping(func(t *tx) error {
		_, err := t.exec(`UPDATE import_chunks SET people = NULL, suppressed = ?3 WHERE import_id = ?1 AND number = ?2`, id, number, suppressed)
		return err
	})(t)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE imports SET applied = ?2, touched_at = ?3, finished_at = CASE WHEN chunks = ?2 THEN CAST(?3 AS bigint) END,
		added = added + ?4, updated = updated + ?5, unchanged = unchanged + ?6, suppressed = suppressed + ?7 WHERE id = ?1`,
		id, number, millis(now), r.Added, r.Updated, r.Unchanged, r.Suppressed)
	return err
}

func encodeLines(lines []int) []byte {
	var e codec.Encoder
	codec.List(&e, &lines, func(n *int) { codec.Number(&e, n) })
	return e.Bytes
}

func decodeLines(b []byte) (lines []int, err error) {
	d := codec.NewDecoder(b)
	codec.List(d, &lines, func(n *int) { codec.Number(d, n) })
	return lines, d.Err()
}

// ImportsLeft implements [store.Imports].
func (s *Store) ImportsLeft(ctx context.Context) (rows int, err error) {
	err = s.read(ctx, "look for imports to finish", func(t *tx) error {
		return t.one(`SELECT coalesce(sum(staged - added - updated - unchanged - suppressed), 0) FROM imports
			WHERE decided_at IS NOT NULL AND finished_at IS NULL`, nil, &rows)
	})
	return rows, err
}

// TakeImport implements [store.Imports].
func (s *Store) TakeImport(ctx context.Context, id int64) (r store.ImportReport, err error) {
	err = s.write(ctx, fmt.Sprintf("take the report of import %d", id), func(t *tx) error {
		r = store.ImportReport{}
		found, err := t.maybe(`SELECT added, updated, unchanged, suppressed FROM imports
			WHERE id = ?1 AND finished_at IS NOT NULL`, []any{id}, &r.Added, &r.Updated, &r.Unchanged, &r.Suppressed)
		if err == nil && !found {
			err = fmt.Errorf("it is not finished: %w", store.ErrConflict)
		}
		if err != nil {
			return err
		}
		if r.SuppressedLines, err = t.suppressedLines(id); err != nil {
			return err
		}
		return t.forgetImport(id)
	})
	if err != nil {
		return store.ImportReport{}, err
	}
	return r, nil
}

func (t *tx) suppressedLines(id int64) (lines []int, err error) {
	chunks, err := all(t, scalar[[]byte], `SELECT suppressed FROM import_chunks
		WHERE import_id = ?1 AND suppressed IS NOT NULL ORDER BY number`, id)
	for _, b := range chunks {
		if err != nil {
			break
		}
		var some []int
		some, err = decodeLines(b)
		lines = append(lines, some...)
	}
	slices.Sort(lines)
	return lines, err
}

func (t *tx) forgetImport(id int64) error {
	if _, err := t.exec(`DELETE FROM import_chunks WHERE import_id = ?1`, id); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM imports WHERE id = ?1`, id)
	return err
}

// DropImport implements [store.Imports].
func (s *Store) DropImport(ctx context.Context, id int64) (more bool, err error) {
	err = s.write(ctx, fmt.Sprintf("drop import %d", id), s.dialect.wiping(func(t *tx) error {
		var toApply int
		if _, err := t.maybe(`SELECT count(*) FROM imports WHERE id = ?1 AND decided_at IS NOT NULL AND finished_at IS NULL`,
			[]any{id}, &toApply); err != nil {
			return err
		}
		if toApply > 0 {
			return fmt.Errorf("it is being applied: %w", store.ErrConflict)
		}
		dropped, err := t.exec(`DELETE FROM import_chunks WHERE import_id = ?1 AND number IN
			(SELECT number FROM import_chunks WHERE import_id = ?1 ORDER BY number DESC LIMIT ?2)`, id, dropChunks)
		if more = dropped == dropChunks; err != nil || more {
			return err
		}
		return t.forgetImport(id)
	}))
	return more && err == nil, err
}

// StaleImports implements [store.Imports].
func (s *Store) StaleImports(ctx context.Context, since time.Time) (ids []int64, err error) {
	err = s.read(ctx, "look for imports that were given up", func(t *tx) (err error) {
		ids, err = all(t, scalar[int64], `SELECT id FROM imports
			WHERE touched_at < ?1 AND (decided_at IS NULL OR finished_at IS NOT NULL) ORDER BY id`, millis(since))
		return err
	})
	return ids, err
}
