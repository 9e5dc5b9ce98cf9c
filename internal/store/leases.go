package store

import (
	"context"
	"time"
)

// ClockSkew is how far a daemon's clock may be from that of a database server
// that several of them share.
const ClockSkew = time.Minute

// Leases tell for how long what a holder has claimed is its own where others
// cannot see whether it lives. Their time is the database's, never that of the
// caller. A holder's name is never used again, so that it tells one time of
// holding from the next. A holder without a lease is one of an engine that
// needs none.
type Leases interface {
	// KeepLease begins a holder's lease, or renews it, for some time from now
	// on. ErrFenced if others have taken over, or if a lease that was begun is
	// forgotten.
	KeepLease(ctx context.Context, holder string, d time.Duration, begin bool) error
	// EndLease forgets a holder that has no claims any more.
	EndLease(ctx context.Context, holder string) error
	// Fence ends a lease whose time ran out: the holder can claim nothing more,
	// and Inherit may see to its claims; false while its time lasts. Whoever has
	// claims and no lease is given one of d.
	Fence(ctx context.Context, holder string, d time.Duration) (fenced bool, err error)
	// Inherit is Record for the claims of a fenced holder, by somebody who does
	// not know what became of them. If the holder records that after all, it
	// takes the place of these results, but for deliveries that are claimed
	// anew by then, or that have since ended as sent, failed or suppressed.
	Inherit(ctx context.Context, now time.Time, holder string, rs []Result) error
	// Inherited gives the claims, as they were, of which Record still takes a
	// holder's own results.
	Inherited(ctx context.Context, holder string) ([]Job, error)
}
