// Package store is the contract of the database: the records, the Store
// interface in small parts, and the sentinel errors. It imports no driver.
// One exported method is one transaction with one timestamp, given by the
// caller. Times are kept with millisecond precision, in UTC; the zero time is
// kept as none. The engines (packages sqlite and postgres) share every query
// through package sqlstore and are held to the contract by package storetest.
//
// A function given to an Each… method may use the store meanwhile. An Audience
// may read from it, but a write would wait for the plan to end, and so forever.
package store

import (
	"context"
	"errors"
	"time"
)

// Sentinel errors. Every method wraps them with the operation and its object.
// After ErrLocked the same call may succeed later; after ErrUnwritable somebody
// has to mend something first. Neither leaves anything half done.
var (
	ErrNotFound    = errors.New("not found")
	ErrExists      = errors.New("already exists")
	ErrConflict    = errors.New("not possible in the present state")
	ErrNewerSchema = errors.New("the database was written by a newer tidings")
	ErrLocked      = errors.New("the database is locked by another process")
	ErrUnwritable  = errors.New("the database cannot be written") // read-only, disk full or failing
	ErrClock       = errors.New("the clock is wrong")             // see Timekeeping
	ErrSpent       = errors.New("taken before")                   // a form that was sent twice
	ErrRestored    = errors.New("the database was restored")      // see Restoring
	ErrBusy        = errors.New("too many at present")            // later the same call succeeds
	ErrFenced      = errors.New("others have taken over")         // see Leases
)

// A Store is all of the database.
type Store interface {
	Posts
	Documents
	Hubs
	Terms
	Subscribers
	Wishes
	Imports
	Preferring
	SignUps
	Suppressions
	Editions
	Waves
	Welcomes
	Archive
	Deliveries
	Leases
	Explaining
	Notices
	Alerts
	Timekeeping
	Restoring
	Pace
	Bounces

	// CheckWritable makes one small durable write, for readiness probes.
	CheckWritable(ctx context.Context) error
	Close() error
}

// Posts pins what must outlive the files.
type Posts interface {
	// LoadPosts gives every pinned post without its Source, by ID.
	LoadPosts(ctx context.Context) ([]Post, error)
	// PostSources gives the last good version of the named posts, without
	// those that have none.
	PostSources(ctx context.Context, ids []int64) (map[int64][]byte, error)
	// SavePosts inserts posts with ID 0 (and sets their ID) and updates the
	// others, all or none. A nil Source leaves the stored one, Published and
	// FirstSeen stay once they are set, and so does a GUID unless Renamed says
	// otherwise: a process that does not know yet what was adopted must not
	// undo it. Each Path a post has ever had is remembered. ErrExists if a GUID
	// is taken, ErrNotFound if an ID is not there.
	SavePosts(ctx context.Context, posts []*Post) error
	// PostPaths gives every path any post ever had. One that several posts
	// had belongs to the last that came to it; a post that is gone takes none
	// from another.
	PostPaths(ctx context.Context) (map[string]int64, error)
	// Adopt gives posts the GUIDs and dates that they had in another feed, all
	// or none; two may change GUIDs. ErrExists if a post that is not among
	// them has one, ErrNotFound if a post is not there.
	Adopt(ctx context.Context, posts []Adoption) error
	// Adoptions counts the calls of Adopt: a process that finds another
	// number than last time has to load the posts again.
	Adoptions(ctx context.Context) (int64, error)
}

// Adoption is what a post was in another feed.
type Adoption struct {
	PostID    int64
	GUID      string
	Published time.Time // zero: as it is
}

// Post is the pinned state of one post.
type Post struct {
	ID        int64
	GUID      string // feed id, unique
	File      string // present file, slash-separated, below the posts directory
	FileHash  string
	BodyHash  string
	Title     string
	Path      string    // address on the site
	Renamed   bool      // GUID is to replace another one; never loaded
	Dated     time.Time // the date in the last good version of the file
	Published time.Time // of the first publication; zero until it appeared
	FirstSeen time.Time
	Changed   time.Time
	Gone      time.Time // when the file left; zero while it is there
	Departed  time.Time // when readers ceased to see it; zero while they do
	Announce  string    // what its file asks of digests
	Announced time.Time // since when it is to be mailed again to who has it; never goes back
	Size      int64     // of the file, with ModTime: an unchanged file need not be read again
	ModTime   time.Time
	Source    []byte // last good version of the file
}

// Documents remembers when each published document last changed its bytes.
type Documents interface {
	// LoadDocuments gives all documents by path.
	LoadDocuments(ctx context.Context) (map[string]Document, error)
	// SaveDocuments inserts or replaces documents by path.
	SaveDocuments(ctx context.Context, docs []Document) error
}

// Document is one feed document's history.
type Document struct {
	Path     string
	Hash     string // hex SHA-256 of the bytes
	Modified time.Time
}

// Subscription states.
const (
	StatusPending      = "pending"      // signed up, not confirmed
	StatusActive       = "active"       // confirmed
	StatusUnsubscribed = "unsubscribed" // left; stays left until the person signs up again
)

// Formats in which a person may want their mails.
const (
	FormatHTML = "html" // both parts, HTML and text
	FormatText = "text" // the text alone
)

// Subscriber is one person.
type Subscriber struct {
	ID            int64
	Email         string // as given, domain in lower case; compared without regard to ASCII case
	Key           string // keyed hash of the normalised address, as in Suppression; unique
	Name          string
	Language      string
	Timezone      string    // IANA name; "" means the newsletter's
	Format        string    // FormatHTML or FormatText; given as "" it becomes FormatHTML
	QuietHours    string    // "22-7": no mail from 22:00 until 7:00 local time; "": at any hour
	NextEmail     string    // to which they want to change, until that is confirmed; written by AskAddress alone
	LinksSince    time.Time // links that were mailed before are void; zero: none. Written by KeepAddress alone
	Feed          int64     // number of the address of their private feed; 0: they have none. Written by RenewFeed and RevokeFeed alone
	CreatedAt     time.Time
	Subscriptions []Subscription // by newsletter name
}

// Subscription is one person's subscription to one newsletter.
type Subscription struct {
	Newsletter  string
	Status      string
	Categories  []string // term keys, sorted; with Tags empty too: everything
	Tags        []string
	Frequency   string    // each daily weekly monthly schedule; given as "" it becomes CadenceSchedule
	Hour        string    // local hour of a daily, weekly or monthly mail, "0" to "23"; "": the newsletter's
	PausedUntil time.Time // no mail before; zero: not paused
	CreatedAt   time.Time
	AskedAt     time.Time // when a pending one was last asked for by a form; zero: it was imported
	ConfirmedAt time.Time
	EndedAt     time.Time // set on a pending one: the person left, and has not confirmed since
	WasActive   bool      // when its owner ended it: they may Return. Written by leaving alone, and so is LeftBecause
	LeftBecause string    // "" if they did not say
	JoinedAt    time.Time // when they became a newcomer, see Welcomes; zero: they are none. Written by the store alone
}

// Subscribers keeps the people.
type Subscribers interface {
	// Confirm makes a person's pending subscriptions to the newsletters active
	// and lifts a suppression that their own leaving or erasure caused
	// (ReasonUnsubscribed, ReasonErased; never the others). One that is active
	// is no error, and one that ended since stays so. ErrNotFound if none of
	// them is pending or active.
	Confirm(ctx context.Context, now time.Time, subscriberID int64, newsletters ...string) error
	// Unsubscribe ends one subscription, or all if newsletter is "". If that
	// leaves the person none that is active, Key is suppressed too
	// (ReasonUnsubscribed), so that no import subscribes them to something
	// else. Twice is no error. ErrNotFound if there is no
	// such subscriber.
	Unsubscribe(ctx context.Context, now time.Time, subscriberID int64, newsletter string) error

	// RenewFeed gives a person's private feed a new number, and thereby ends
	// the one before; RevokeFeed ends it. No number is ever given again to
	// the same person. ErrNotFound.
	RenewFeed(ctx context.Context, id int64) (number int64, err error)
	RevokeFeed(ctx context.Context, id int64) error

	Subscriber(ctx context.Context, id int64) (Subscriber, error) // ErrNotFound
	// SubscriberByEmail ignores ASCII case. ErrNotFound.
	SubscriberByEmail(ctx context.Context, email string) (Subscriber, error)
	// EachSubscriber calls fn for everyone with a subscription that matches,
	// with all their subscriptions, by email.
	EachSubscriber(ctx context.Context, f SubscriberFilter, fn func(Subscriber) error) error
	// EraseSubscriber deletes the person and every trace but the deliveries'
	// states, and suppresses Key with ReasonErased and no Email. A bounce or
	// complaint on record keeps its reason and loses Email and Note. The ID is
	// never given to another person.
	EraseSubscriber(ctx context.Context, now time.Time, id int64) error
	// CountSubscribers gives newsletter → status → number.
	CountSubscribers(ctx context.Context) (map[string]map[string]int, error)
	// ImportSubscribers applies a few rows in one transaction (see Imports for
	// many); nobody who left or is suppressed is brought back. A pending
	// subscription that the row wants active is confirmed by it, an active one
	// never becomes pending, and one wanted unsubscribed ends. A person on
	// record who is suppressed stays as they are. dryRun reports and keeps
	// nothing, and holds nobody up.
	ImportSubscribers(ctx context.Context, now time.Time, rows []ImportRow, dryRun bool) (ImportReport, error)
}

// SubscriberFilter narrows EachSubscriber; the zero value matches all.
type SubscriberFilter struct {
	Newsletter string
	Status     string
}

// Suppression reasons.
const (
	ReasonManual       = "manual"
	ReasonBounce       = "bounce"
	ReasonComplaint    = "complaint"
	ReasonErased       = "erased"
	ReasonUnsubscribed = "unsubscribed"
)

// ReasonPaused is why a delivery is suppressed whose reader wants no mail for
// now; no address is suppressed for it.
const ReasonPaused = "paused"

// Suppression is an address that is never mailed. Key is a keyed hash of the
// normalised address; Email is "" once erased.
type Suppression struct {
	Key    string
	Email  string
	Reason string
	Note   string
	At     time.Time
}

// Suppressions keeps the addresses that are never mailed.
type Suppressions interface {
	// Suppress adds addresses and gives how many are new. A known one keeps
	// its reason, except that one which a confirmation would lift (see
	// Confirm) gives way to one which it would not.
	Suppress(ctx context.Context, s []Suppression) (added int, err error)
	// Unsuppress lifts a suppression; soft bounces before it count no more.
	// ErrNotFound.
	Unsuppress(ctx context.Context, key string) error
	Suppressed(ctx context.Context, key string) (Suppression, error) // ErrNotFound
	// EachSuppression calls fn for every suppression, oldest first.
	EachSuppression(ctx context.Context, fn func(Suppression) error) error
}
