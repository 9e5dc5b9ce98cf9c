package publish

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tidings/internal/store"
)

// history knows when each document last changed its bytes, also before this
// process began. While the database fails it remembers by itself and tries
// again each time; feeds do not wait for it.
type history struct {
	docs    store.Documents // nil: nothing outlives the process
	log     *slog.Logger
	known   map[string]store.Document
	unsaved map[string]bool
	loaded  bool
	failing bool
}

func newHistory(docs store.Documents, log *slog.Logger) *history {
	return &history{
		docs: docs, log: log, loaded: docs == nil,
		known: map[string]store.Document{}, unsaved: map[string]bool{},
	}
}

// load reads what earlier processes left, once. What this process has
// published in the meantime wins.
func (h *history) load(ctx context.Context) {
	if h.loaded {
		return
	}
	rows, err := h.docs.LoadDocuments(ctx)
	h.report(ctx, err)
	if err != nil {
		return
	}
	h.loaded = true
	for path, row := range rows {
		if _, ok := h.known[path]; !ok {
			h.known[path] = row
		}
	}
}

// stamp gives the time of the last change of a document that now has this
// hash, and whether it changes now. The time is in whole seconds, as HTTP has
// them, and later than every time the path had before, so that it always
// moves with the ETag.
func (h *history) stamp(path, hash string, now time.Time) (modified time.Time, changed bool) {
	last, ok := h.known[path]
	if ok && last.Hash == hash {
		return last.Modified, false
	}
	modified = now.UTC().Truncate(time.Second)
	if next := last.Modified.UTC().Add(time.Second); ok && modified.Before(next) {
		modified = next
	}
	h.known[path] = store.Document{Path: path, Hash: hash, Modified: modified}
	h.unsaved[path] = true
	return modified, true
}

// save writes what is not yet saved, in one transaction.
func (h *history) save(ctx context.Context) {
	if h.docs == nil || len(h.unsaved) == 0 {
		return
	}
	var rows []store.Document
	for _, path := range slices.Sorted(maps.Keys(h.unsaved)) {
		rows = append(rows, h.known[path])
	}
	err := h.docs.SaveDocuments(ctx, rows)
	if err == nil {
		clear(h.unsaved)
	}
	h.report(ctx, err)
}

// report logs the first failure of a row of them, and the recovery.
func (h *history) report(ctx context.Context, err error) {
	switch {
	case err != nil && !h.failing:
		h.log.ErrorContext(ctx, "the times of the feeds' last changes cannot be kept in the database; "+
			"feeds are published all the same, and this is tried again with the next change", "error", err)
	case err == nil && h.failing:
		h.log.InfoContext(ctx, "the times of the feeds' last changes are kept in the database again")
	}
	h.failing = err != nil
}
