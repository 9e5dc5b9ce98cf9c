package publish

import (
	"context"
	"iter"
	"log/slog"
	"sync/atomic"

	"tidings/internal/cachefile"
	"tidings/internal/catalog"
)

// rendered is the content of posts that an earlier process made, so that a
// start need not read and render posts that did not change.
type rendered struct {
	file, stamp string
	known       map[string][]byte // until the first set is published
	stale       atomic.Bool       // the file lacks something
	log         *slog.Logger
}

func newRendered(file, stamp string, log *slog.Logger) *rendered {
	r := &rendered{file: file, stamp: stamp, log: log}
	if file == "" {
		return r
	}
	var err error
	if r.known, err = cachefile.Read(file, stamp); err != nil {
		log.Warn("posts are rendered anew", "error", err)
	}
	return r
}

// key names what the content of a post depends on.
func (r *rendered) key(e *catalog.Entry) string { return e.Hash + " " + e.File + " " + e.URL }

func (r *rendered) get(e *catalog.Entry) (html string, ok bool) {
	b, ok := r.known[r.key(e)]
	return string(b), ok
}

// keep writes what is shown now, for the next process.
func (r *rendered) keep(ctx context.Context, shown map[*catalog.Entry]*item) {
	if r.file == "" || !r.stale.Swap(false) {
		return
	}
	var records iter.Seq2[string, []byte] = func(yield func(string, []byte) bool) {
		for e, it := range shown {
			if it.entry.HTML != "" && !yield(r.key(e), []byte(it.entry.HTML)) {
				return
			}
		}
	}
	if err := cachefile.Write(r.file, r.stamp, records); err != nil {
		r.log.WarnContext(ctx, "the next start will render the posts anew", "error", err)
	}
}
