package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"tidings/internal/store"
)

// memory keeps posts as a database does: rows are copies, ids are unique,
// and a failing write changes nothing.
type memory struct {
	mu      sync.Mutex
	rows    map[int64]store.Post
	guids   map[string]int64
	paths   map[string]int64
	failing error // of every write
	writes  int

	adoptions int64
}

func newMemory() *memory {
	return &memory{rows: map[int64]store.Post{}, guids: map[string]int64{}, paths: map[string]int64{}}
}

func (m *memory) LoadPosts(context.Context) ([]store.Post, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := make([]store.Post, 0, len(m.rows))
	for _, id := range slices.Sorted(maps.Keys(m.rows)) {
		row := m.rows[id]
		row.Source = nil
		rows = append(rows, row)
	}
	return rows, nil
}

func (m *memory) PostSources(_ context.Context, ids []int64) (map[int64][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sources := map[int64][]byte{}
	for _, id := range ids {
		if src := m.rows[id].Source; src != nil {
			sources[id] = src
		}
	}
	return sources, nil
}

func (m *memory) SavePosts(_ context.Context, posts []*store.Post) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing != nil {
		return m.failing
	}
	for _, p := range posts { // all or none
		if id, taken := m.guids[p.GUID]; taken && id != p.ID {
			return fmt.Errorf("post %s (%s): %w", p.GUID, p.File, store.ErrExists)
		}
	}
	for _, p := range posts {
		if p.ID == 0 {
			p.ID = int64(len(m.rows) + 1)
		}
		row, old := *p, m.rows[p.ID]
		if row.Source == nil {
			row.Source = old.Source
		}
		if old.GUID != "" && !row.Renamed {
			row.GUID = old.GUID
		}
		if !old.Published.IsZero() {
			row.Published, row.FirstSeen = old.Published, old.FirstSeen
		}
		row.Renamed = false
		if row.Path != "" && row.Gone.IsZero() {
			m.paths[row.Path] = row.ID
		}
		delete(m.guids, m.rows[row.ID].GUID)
		m.rows[row.ID], m.guids[row.GUID] = row, row.ID
	}
	m.writes++
	return nil
}

func (m *memory) PostPaths(context.Context) (map[string]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.paths), nil
}

// fail makes every later write fail; nil mends it.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing = err
}

func (m *memory) Adopt(_ context.Context, posts []store.Adoption) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range posts {
		delete(m.guids, m.rows[p.PostID].GUID)
	}
	for _, p := range posts {
		row := m.rows[p.PostID]
		row.GUID = p.GUID
		if !p.Published.IsZero() {
			row.Published = p.Published
		}
		m.rows[p.PostID], m.guids[p.GUID] = row, p.PostID
	}
	m.adoptions++
	return nil
}

func (m *memory) Adoptions(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.adoptions, nil
}
