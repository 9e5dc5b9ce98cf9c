package store

import (
	"context"
	"time"
)

// CadenceWelcome is that of the editions that bring new readers the latest
// edition. It is none of Cadences: nobody chooses it, and it follows no clock.
const CadenceWelcome = "welcome"

// WelcomeAgainAfter is for how long a person must have been away to count as
// new when they come back: who left by mistake has the welcome already.
const WelcomeAgainAfter = 7 * 24 * time.Hour

// Welcomes plans the editions of CadenceWelcome. Whoever confirms a
// subscription, or makes one on their own page, is a newcomer to the newsletter
// until PlanWelcome attends to them; an import makes nobody one.
type Welcomes interface {
	// Newcomers counts those of a newsletter since an instant who might be
	// mailed now: active, neither paused nor suppressed.
	Newcomers(ctx context.Context, now time.Time, newsletter string, since time.Time) (int, error)
	// PlanWelcome is PlanEdition for those newcomers, who are none after it,
	// whatever they get. If the edition is on record they are added to it, but
	// for those whom it has; one that was finished or skipped sends again, and
	// one that was cancelled takes nobody. ErrNotFound if there is no newcomer.
	PlanWelcome(ctx context.Context, now time.Time, e Edition, since time.Time, candidates []int64, a Audience) (Edition, []Group, error)
}
