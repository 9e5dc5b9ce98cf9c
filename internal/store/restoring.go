package store

import (
	"context"
	"time"
)

// Restoring keeps a database that was restored from mailing once more what was
// mailed after it was saved: that is on record nowhere. PlanEdition (but for a
// dry run), RecordEditions, KeepCadence and Claim fail with ErrRestored until a
// maintainer says how to go on.
type Restoring interface {
	// Restored gives when the database was saved that this one was restored
	// from; zero if mails may go out.
	Restored(ctx context.Context) (saved time.Time, err error)
	// AcceptRestored lets mails go out again. What the newsletters named had
	// under way becomes in doubt, which counts as received, and gives how many
	// deliveries that are; what was published before now is not mailed by them
	// any more unless an edition asks for it (Edition.Since). Others go on
	// where they were. ErrConflict if the database was not restored.
	AcceptRestored(ctx context.Context, now time.Time, mailed ...string) (doubted int, err error)
}
