package store

import (
	"context"
	"time"
)

// ClockSlack is how far a clock may be set back unnoticed.
const ClockSlack = 5 * time.Minute

// Timekeeping tells a clock that is wrong from one that was. PlanEdition (but
// for a dry run), RecordEditions and Claim remember, to the minute, the latest
// instant at which they were called, and fail with ErrClock when called more
// than ClockSlack before it: what is due cannot be told by such a clock.
type Timekeeping interface {
	// LastUsed gives the latest instant; zero if there is none.
	LastUsed(ctx context.Context) (time.Time, error)
	// AcceptClock takes now for the latest instant, whatever it was, and
	// forgets scheduled editions of later slots that mailed nobody: they were
	// recorded by a clock that was ahead, and are due again in their time. No
	// newsletter was first seen later than now. A store that takes any clock
	// has no latest instant, and leaves that of the others.
	AcceptClock(ctx context.Context, now time.Time) error
}
