package store

import (
	"context"
	"time"
)

// Classes of bounces, by what follows from them.
const (
	BounceHard      = "hard"      // no such recipient: suppressed
	BounceSoft      = "soft"      // did not get there: suppressed after several editions
	BounceBlock     = "block"     // the sender was refused: never the recipient's fault
	BounceContent   = "content"   // the message was refused
	BounceRelay     = "relay"     // our own mail system is at fault
	BounceComplaint = "complaint" // the recipient called it spam: suppressed
)

// A Bounce is what came back of one mail, or was said when it was refused.
type Bounce struct {
	DeliveryRef        // if EditionID is 0, Seq is the ID of a notice
	Class       string // BounceHard …
	Status      string // enhanced status code, or type of a complaint; "" if none
	Note        string // words of the server that refused; the beginning is kept
	At          time.Time
}

// BouncePolicy says when bounces suppress an address.
type BouncePolicy struct {
	// Once more than HeldShare of an edition's readers, and at least HeldLeast
	// of them, turn hard within HeldWithin, hard bounces of the edition are
	// held: receivers do say so of everybody when something of theirs is broken.
	// A held one counts as a soft one. Those of notices are held while HeldLeast
	// of them turn hard within HeldWithin; held, they do nothing.
	HeldShare  float64
	HeldLeast  int
	HeldWithin time.Duration
	// A soft bounce counts one for its edition; an edition that arrived takes
	// one off. The address is suppressed at SoftLimit, if that took SoftOver or
	// more.
	SoftLimit int
	SoftOver  time.Duration
}

// A BounceOutcome is what a bounce led to.
type BounceOutcome struct {
	Known      bool   // there is such a mail, and its recipient is on record
	New        bool   // not on record before: the same mail bounces once with each class
	Domain     string // of the recipient
	Suppressed bool   // the address is not mailed any more from now on
	Held       bool   // it would be, were not the edition's hard bounces held
	FirstHeld  bool   // and this was the first of them
}

// EditionBounces is what came back of an edition.
type EditionBounces struct {
	Bounced    int       // deliveries that were sent, and came back
	Complained int       // deliveries about which somebody complained
	HeldSince  time.Time // since when hard bounces are held; zero: they are not
	Domains    []DomainBounces
}

// HeldBounces is an edition whose hard bounces are held.
type HeldBounces struct {
	EditionID int64
	Since     time.Time
}

// DomainBounces counts bounces of one class, those at sending among them.
type DomainBounces struct {
	Domain string // "" of erased people
	Class  string
	N      int
}

// Bounces keeps what came back.
type Bounces interface {
	// Addressee gives the present address of who a mail was for, "" once
	// erased. ErrNotFound if there is no such mail.
	Addressee(ctx context.Context, ref DeliveryRef) (email string, err error)
	// RecordBounces records bounces and suppresses addresses as p says; it
	// gives an outcome for each. What suppresses is a hard bounce, the last of
	// several soft ones, or a complaint; At is now for all.
	RecordBounces(ctx context.Context, now time.Time, p BouncePolicy, list []Bounce) ([]BounceOutcome, error)
	// EditionBounces sums up an edition; Domains by number, the highest first.
	EditionBounces(ctx context.Context, editionID int64) (EditionBounces, error)
	// HeldBounces gives the editions whose hard bounces are held since the given
	// instant or later, the oldest first.
	HeldBounces(ctx context.Context, since time.Time) ([]HeldBounces, error)
	// SubscriberBounces gives a person's bounces, the newest first, up to limit.
	SubscriberBounces(ctx context.Context, subscriberID int64, limit int) ([]Bounce, error)
}
