package catalog

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/store"
)

// Load looks at all posts once and gives the snapshot. Unless cfg.ReadOnly
// is set, what it pins is saved; if that fails the snapshot is given all the
// same, and the failure is logged.
func Load(ctx context.Context, cfg Config) (*Snapshot, error) {
	k, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	snap, err := k.first(ctx)
	if err == nil {
		k.writeIndex(ctx)
	}
	if err != nil || len(k.roll.missing) == 0 || snap.Alarm != nil {
		return snap, err
	}
	// An editor may be between its two steps of saving: look again before
	// believing that a file is gone.
	if err := sleep(ctx, k.cfg.Grace); err != nil {
		return nil, err
	}
	change, err := k.pass(ctx, nil, true)
	return change.Snapshot, err
}

// first is the first look at everything.
func (k *keeper) first(ctx context.Context) (*Snapshot, error) {
	change, err := k.pass(ctx, nil, false)
	if err != nil {
		return nil, fmt.Errorf("look at the posts in %s: %w", k.cfg.Dir, err)
	}
	if len(k.roll.present)+len(k.roll.missing) == 0 && newWalker(k.folder.dir, nil).rootless() {
		return nil, fmt.Errorf("the posts directory %s does not exist: create or mount it, or correct posts.dir", k.cfg.Dir)
	}
	return change.Snapshot, nil
}

// Accept takes every post whose file is missing for deleted, however many
// there are, and gives their number. A daemon on the same database notices
// and ends its alarm. Nothing else is saved.
func Accept(ctx context.Context, cfg Config) (int, error) {
	k, err := open(ctx, cfg)
	if err != nil {
		return 0, err
	}
	found, err := k.folder.walk(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at the posts in %s: %w", k.cfg.Dir, err)
	}
	now := k.cfg.Now()
	k.roll.see(now, found)
	var rows []*store.Post
	for _, rec := range k.roll.inOrder(k.roll.missing) {
		rec.row.Gone = instant(now)
		rows = append(rows, &rec.row)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	if err := k.cfg.Store.SavePosts(ctx, rows); err != nil {
		return 0, fmt.Errorf("accept that %d posts are gone: %w", len(rows), err)
	}
	return len(rows), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
