package store

import (
	"context"
	"time"
)

// What people did, as the consents name it.
const (
	ConsentAsked     = "asked"     // filled in a form, whoever they are, and were mailed to confirm
	ConsentConfirmed = "confirmed" // by the link in a mail
	ConsentImported  = "imported"  // came active in a file
	ConsentChanged   = "changed"   // topics, frequency and the like, on their own page
	ConsentLeft      = "left"
	ConsentReturned  = "returned" // took their leaving back
	ConsentMoved     = "moved"    // to another address
)

// A Consent is one line of what a person agreed to: proof that they asked for
// what they get (GDPR Art. 7 (1)).
type Consent struct {
	Newsletter string // "": of the person as such
	Event      string
	Categories []string // as they were from then on
	Tags       []string
	Frequency  string
	Origin
	At time.Time
}

// An Origin is where an act of a person came from.
type Origin struct {
	Source  string // "web", a page's path; a file's name; a command
	Wording string // the words on the form; "" if there were none
	Network string // of the visitor, cut to the network: "192.0.2.0/24"; ""
}

type originKey struct{}

// WithOrigin gives a context in which what a person does is on record as
// coming from there. It is not part of any other answer of the store.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf gives the origin of a context; the zero Origin if it has none.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// Preferences is what a person wants, of all newsletters and of each.
type Preferences struct {
	Language, Timezone, Format, QuietHours string
	// Subscriptions with their wanted Status, active or unsubscribed. Of the
	// active ones Categories, Tags, Frequency, Hour and PausedUntil count.
	// Newsletters that are not named stay as they are.
	Subscriptions []Subscription
	Wants         Wants
}

// Preferring keeps what people decide for themselves. Its callers have made
// sure that it is the address's owner who decides.
type Preferring interface {
	// SetPreferences applies what a person wants: all of it or nothing. A
	// subscription that becomes active counts as confirmed, and lifts a
	// suppression that the person's own leaving caused; one that ends is left as
	// by Unsubscribe. What is under way and not wanted any more is not mailed,
	// and what waits for the end of former quiet hours is due at once, for its
	// sender to look at the present ones. ErrNotFound if there is no such
	// subscriber.
	SetPreferences(ctx context.Context, now time.Time, id int64, p Preferences) error
	// LeaveAll ends every subscription, like Unsubscribe. The one to the
	// newsletter through which they leave counts as ended with the others if
	// they ended it not before since: Return takes all of that back.
	LeaveAll(ctx context.Context, now time.Time, id int64, through string, since time.Time) error
	// Return takes back what the person ended not before since, together with
	// the given newsletter or alone: it is active as it was, and a suppression
	// that leaving caused is lifted. It gives the newsletters, none if there is
	// nothing to take back. ErrNotFound if there is no such subscriber.
	Return(ctx context.Context, now time.Time, id int64, newsletter string, since time.Time) ([]string, error)
	// SayWhy notes why a person left a newsletter; of one that they have not
	// left it notes nothing.
	SayWhy(ctx context.Context, id int64, newsletter, because string) error
	// WhyLeft counts the reasons of those who left, by newsletter.
	WhyLeft(ctx context.Context) (map[string]map[string]int, error)

	// AskAddress notes the address that a person wants to change to, and
	// queues a notice to it and one to the present address, unless limit of
	// them were queued since the given instant. It is forgotten when another is
	// asked for, and by who leaves everything. ErrNotFound if there is no such
	// subscriber.
	AskAddress(ctx context.Context, now time.Time, id int64, email, key string, limit int, since time.Time) error
	// MoveAddress makes that address the person's, if it is still the one with
	// this key. ErrNotFound if it is not; ErrExists if somebody else has it;
	// ErrConflict if it is suppressed.
	MoveAddress(ctx context.Context, now time.Time, id int64, key string) error

	// KeepAddress forgets that a person wants another address, and makes the
	// links void that were mailed to them before: whoever asked for it had one.
	// It reports whether there was anything to forget. ErrNotFound if there is
	// no such subscriber.
	KeepAddress(ctx context.Context, now time.Time, id int64) (kept bool, err error)
	// ForgetMoves forgets the next addresses that were asked for before.
	ForgetMoves(ctx context.Context, before time.Time) error

	// Consents gives what a person agreed to, oldest first.
	Consents(ctx context.Context, id int64) ([]Consent, error)
	// Traces gives all that is kept about a person beside their record.
	// ErrNotFound if there is no such subscriber.
	Traces(ctx context.Context, id int64) (Traces, error)
}

// Traces is what is kept about a person beside their record, their consents and
// the posts they got.
type Traces struct {
	Deliveries  []DeliveryTrace // oldest first
	Notices     []NoticeTrace   // oldest first
	Bounces     []Bounce
	Suppression *Suppression // nil: none
}

// DeliveryTrace is one mail with posts.
type DeliveryTrace struct {
	EditionID  int64
	Newsletter string
	Subject    string   // "" if nothing was left for the person
	Posts      []string // titles
	State      string
	Reason     string
	At         time.Time
}

// NoticeTrace is one mail of another kind.
type NoticeTrace struct {
	Kind      string
	State     string // queued, sent, failed
	CreatedAt time.Time
}
