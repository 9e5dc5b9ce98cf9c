package catalog

import (
	"context"
	"time"
)

// A Foresight shows the posts as readers will see them, if no file changes
// meanwhile. Nothing that it sees is saved: posts that are not on record yet
// have PostID 0.
type Foresight struct {
	k   *keeper
	now time.Time
}

// Foresee looks at all posts as of an instant, and gives the Foresight of it
// and of later ones.
func Foresee(ctx context.Context, cfg Config, at time.Time) (*Foresight, error) {
	f := &Foresight{now: at}
	cfg.ReadOnly, cfg.Now = true, func() time.Time { return f.now }
	var err error
	if f.k, err = open(ctx, cfg); err != nil {
		return nil, err
	}
	_, err = f.k.first(ctx)
	return f, err
}

// At gives the snapshot of an instant that is not before the last one.
func (f *Foresight) At(ctx context.Context, at time.Time) (*Snapshot, error) {
	f.now = at
	change, err := f.k.pass(ctx, map[string]bool{}, false)
	return change.Snapshot, err
}
