package store

import (
	"context"
	"time"
)

// A Wish is what one sign-up asked for of one newsletter. It stands apart from
// what the person has until they confirm it.
type Wish struct {
	Newsletter       string
	Categories, Tags []string
	Frequency, Hour  string
	Personal         bool // confirming it sets what follows, too
	Language         string
	Timezone, Format string
	AskedAt          time.Time
	Confirmed        bool
}

// Wishes keeps what sign-ups asked for.
type Wishes interface {
	// Wishes gives what a sign-up asked for, by newsletter; none if its person
	// left it since, changed their address, or it was forgotten.
	Wishes(ctx context.Context, subscriberID, signUpID int64) ([]Wish, error)
	// ConfirmWishes makes active what a sign-up asked for, exactly as it was
	// asked for, and lifts a suppression as [Subscribers].Confirm does. What was
	// confirmed before stays as it is now. ErrNotFound if there is nothing.
	ConfirmWishes(ctx context.Context, now time.Time, subscriberID, signUpID int64) error
}
