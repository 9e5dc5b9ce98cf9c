package store

import (
	"context"
	"time"
)

// SignUp is what somebody asked for by a form. Whoever fills in a form has not
// shown that the address is theirs.
type SignUp struct {
	// With the subscriptions asked for, whose states do not matter; with none,
	// it asks for the link to the person's own page.
	Subscriber Subscriber
	Mailbox    string // keyed hash: the same for all spellings of an address that reach one mailbox
	Kind       string // AskSignUp, AskLink or AskOwn: each has its own limits; given as "" it becomes AskSignUp
	Network    string // keyed hash of the visitor's; "": not known
	Form       string // token of the form, which is taken once; "": none
}

// Kinds of what people ask for.
const (
	AskSignUp = "signup" // newsletters
	AskLink   = "link"   // the link to their own page, with the address alone
	AskOwn    = "own"    // the same, from that page
)

// SignUpLimits bounds what forms can cause.
type SignUpLimits struct {
	PerMailbox   int // sign-ups of one mailbox
	MailboxSince time.Time
	All          int // sign-ups of all
	AllSince     time.Time
	Reserve      int // the last of All, for networks that had none since AllSince
}

// SignUps keeps sign-ups until they are attended to.
type SignUps interface {
	// QueueSignUp keeps a sign-up for ApplySignUps; queued is false if the
	// mailbox has had its share of that kind. ErrSpent if its form was taken
	// before, by whichever process. It looks at other sign-ups and at nothing
	// else, so that neither what it answers nor how long it takes depends on
	// who is subscribed. ErrBusy if the limit of all is reached, of which a
	// network that had some already leaves the reserve to others.
	QueueSignUp(ctx context.Context, now time.Time, s SignUp, limits SignUpLimits) (queued bool, err error)
	// ApplySignUps attends to the oldest sign-ups and gives how many. Each is
	// kept as wishes, and queues one confirmation notice for all of them,
	// unless the address is suppressed for another reason than its owner's
	// leaving. Of newsletters that the person neither has nor had it makes
	// pending subscriptions; all that is on record else stays as it is. Who has all of
	// it already, and who asked for nothing else, gets the link to their own
	// page (NoticeLink), if they are on record.
	ApplySignUps(ctx context.Context, now time.Time, limit int) (applied int, err error)
	// ForgetSignUps deletes what is only kept for the limits, older than
	// before.
	ForgetSignUps(ctx context.Context, before time.Time) error
	// ForgetUnconfirmed deletes subscriptions that have been pending since
	// before the given instant, limit at most, and gives how many; done is
	// false if there may be more to do. With its last subscription goes the
	// person, and every trace of them but a suppression. One that its owner had
	// left before is ended again. An imported one counts from the first call
	// that finds it. Wishes of before that instant go at once, all of them.
	ForgetUnconfirmed(ctx context.Context, now, before time.Time, limit int) (forgotten int, done bool, err error)
}
