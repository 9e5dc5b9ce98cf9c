package newsletter

import (
	"context"
	"errors"
	"time"
)

// Errors that pages and commands tell apart.
var (
	ErrAddress    = errors.New("not a mail address")
	ErrToken      = errors.New("this link is not valid, or no longer")
	ErrNewsletter = errors.New("no such newsletter")
	ErrMailingOff = errors.New("mailing is off: set http.url to the public address of this daemon")
)

// SignUp is what a visitor asks for. Nothing of it but the address and the
// choices is ever mailed.
type SignUp struct {
	Email      string
	Newsletter string   // "" picks the only one
	Categories []string // names, slugs or keys; with Tags empty too: everything
	Tags       []string
	Language   string // of the page with the form, BCP 47
	Timezone   string
}

// Subscription is a subscription as its owner may see it.
type Subscription struct {
	Newsletter string
	Title      string
	Status     string // store.StatusPending …
	Email      string
	Language   string   // the person's, BCP 47; "" if not known
	Categories []string // display names
	Tags       []string
	Since      time.Time
	MayReturn  bool // they left, and can still take that back
}

// People is the part of Service that pages need.
type People interface {
	Own
	// SignUp queues a confirmation mail. The outcome is the same whether the
	// address is known or not; ErrAddress, ErrNewsletter, ErrMailingOff.
	SignUp(ctx context.Context, s SignUp) error
	// Confirmation shows what a confirmation token stands for; ErrToken.
	Confirmation(ctx context.Context, token string) (Subscription, error)
	// Confirm makes the subscription active; confirming twice is a success.
	Confirm(ctx context.Context, token string) (Subscription, error)
	// Leaving shows what an unsubscribe token stands for; ErrToken.
	Leaving(ctx context.Context, token string) (Subscription, error)
	// Unsubscribe ends the subscription, or all of the person's; twice is a
	// success, and so is an address erased meanwhile.
	Unsubscribe(ctx context.Context, token string, all bool) error
	// Return takes back that a person left, within a week; ErrToken.
	Return(ctx context.Context, token string) (Subscription, error)
	// SayWhy notes why a person left: one of WhyLeft.
	SayWhy(ctx context.Context, token, because string) error
	// Feed gives what a reader's private feed shows. ErrToken also for one that
	// was revoked, and for who has no active subscription any more.
	Feed(ctx context.Context, token string) (Feed, error)
}
