package store

import (
	"context"
	"time"
)

// An Alert is something that the maintainer should know. There is at most one
// open alert of a key.
type Alert struct {
	ID      int64
	Key     string // what it is about: "run weekly", "edition 12 stalled"
	Kind    string // by which alerts are counted; a Key belongs to one Kind
	Subject string // one line
	Text    string // what happened, and what to do; paragraphs
	Passing bool   // an event: that it is over is not worth a mail
	Since   time.Time
	Raised  time.Time // when it was put on record
	Cleared time.Time // when it was over; zero while it is open
	Told    time.Time // when a mail told of it; zero: not yet
	Over    time.Time // when a mail told that it was over; zero: not yet
}

// Alerts keeps what the maintainer should know until they were told.
type Alerts interface {
	// KeepAlerts makes present the open alerts of their kinds: it raises those
	// whose Key has no open one, gives the others their new Subject and Text,
	// and clears open ones of the kinds that are not present. Alerts of other
	// kinds stay as they are. What was over for long is forgotten.
	KeepAlerts(ctx context.Context, now time.Time, kinds []string, present []Alert) error
	// ClaimAlerts gives what is to be told, oldest first, and makes it due
	// again at until, so that one process tells it, and another if that one
	// dies: alerts that no mail has told of, and, unless they are Passing,
	// those that are over since. An alert of whose Key another mail told after
	// the instant quiet waits.
	ClaimAlerts(ctx context.Context, now, until, quiet time.Time) ([]Alert, error)
	// RecordAlerts records that claimed alerts were told as they were given,
	// or, if not told, makes them due at next.
	RecordAlerts(ctx context.Context, now time.Time, as []Alert, told bool, next time.Time) error
	// ListAlerts gives the newest first: the open ones, or all of them.
	ListAlerts(ctx context.Context, all bool) ([]Alert, error)
}
