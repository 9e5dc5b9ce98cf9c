package store

import (
	"context"
	"time"
)

// Edition states.
const (
	EditionPlanned   = "planned"   // waits for a maintainer's resume (approve: true)
	EditionSending   = "sending"   // deliveries may be claimed
	EditionPaused    = "paused"    // a maintainer stopped it
	EditionFinished  = "finished"  // nothing pending
	EditionCancelled = "cancelled" // a maintainer ended it; pending deliveries failed
	EditionSkipped   = "skipped"   // nothing was sent; Reason says why
	EditionFailed    = "failed"    // it could not be planned; Reason says why
)

// What is done with a message whose final answer was lost.
const (
	Resend = "resend"
	Hold   = "hold"
	Skip   = "skip"
)

// An Edition is one (newsletter, cadence, slot).
type Edition struct {
	ID         int64
	Newsletter string
	Cadence    string
	Slot       string // local slot "2006-01-02T15:04" or day "2006-01-02", "post-…", "edition-…" or "manual-…"; unique with newsletter and cadence
	Manual     bool
	DueAt      time.Time // the instant of the slot, or of its first wave; zero for one by hand
	Status     string
	Reason     string    // why nothing was sent
	Late       string    // by how much it was made later than DueAt, and why; "" if it was in time
	Missed     bool      // skipped, because its time went by unattended
	Since      time.Time // zero: since the newsletter was first seen
	InDoubt    string    // Resend, Hold or Skip
	Posts      int       // distinct posts
	CreatedAt  time.Time
	ExpiresAt  time.Time // pending deliveries fail then
	FinishedAt time.Time
	Counts     Counts
	Wave       *Wave // for RecordEditions alone: the part of the edition that is meant
}

// Why gives Reason and Late as one text; "" if there is nothing to say.
func (e Edition) Why() string {
	switch {
	case e.Late == "":
		return e.Reason
	case e.Reason == "":
		return "late by " + e.Late
	}
	return e.Reason + "; late by " + e.Late
}

// Counts is the account of an edition, kept with every change of a delivery:
// Eligible = Sent + Failed + Suppressed + Empty + InDoubt + Pending.
type Counts struct {
	Eligible, Sent, Failed, Suppressed, Empty, InDoubt, Pending int
	ResentInDoubt                                               int // readers whose mail was sent again though an earlier one may have arrived
}

// Balanced reports whether the accounting identity holds.
func (c Counts) Balanced() bool {
	return c.Eligible == c.Sent+c.Failed+c.Suppressed+c.Empty+c.InDoubt+c.Pending
}

// A Group is the readers of an edition who get the same mail at the same time.
// What they get is composed once and frozen.
type Group struct {
	EditionID int64
	Number    int       // 0, 1, …
	PostIDs   []int64   // in the order of the mail; they must be on record
	Zone      string    // IANA name, of the wave; "": the newsletter's
	NotBefore time.Time // deliveries are not claimed earlier; zero: at once
	Date      time.Time // the Date header
	Sender    string    // bare address of the envelope
	Base      string    // where its links begin; "" of groups from before this was kept
	Subject   string
	Template  []byte // a marshalled mail.Template
	Web       bool   // the web shows the edition as it is in this group, which need not have readers
	Contents  []Content
}

// Reader is one active, unsuppressed subscription as planning sees it. Its
// lists are shared with other readers and must not be changed.
type Reader struct {
	SubscriberID int64
	Categories   []string
	Tags         []string
	Frequency    string
	Hour         string
	Timezone     string
	Language     string
	Format       string
	QuietHours   string
	PausedUntil  time.Time // in the past; zero: never paused
	Seen         []int64   // those of the candidate posts that are in the reader's ledger or under way to them
}

// An Audience sorts readers into groups. PlanEdition and PlanWave call Assign
// once for each reader, then Groups once. They call them within their
// transaction: they must be quick.
type Audience interface {
	// Assign gives the reader's group number, or -1 if nothing is left for them.
	Assign(Reader) int
	// Groups composes the groups assigned, in order of their number: one for
	// each number up to the highest, from 0 on, whatever groups the edition
	// has already. More may follow that have no readers, for the web. It is
	// not called when every reader got -1.
	// A *SkipError from it makes the edition a skipped one.
	Groups() ([]Group, error)
}

// ReasonNoReaders is why an edition is skipped that would have posts.
const ReasonNoReaders = "it has no readers at present: nobody is subscribed, or all have paused"

// SkipError says that an edition is not to be sent after all, and why.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return "edition skipped: " + e.Reason }

// Editions plans and keeps editions.
type Editions interface {
	// SeeNewsletter gives when the newsletter was first seen, now if never.
	SeeNewsletter(ctx context.Context, now time.Time, name string) (time.Time, error)
	// NewsletterSeen gives when that was, without seeing it; zero if never.
	NewsletterSeen(ctx context.Context, name string) (time.Time, error)

	// PlanEdition records an edition, and one delivery for each active reader of
	// the newsletter who has not paused, in one
	// transaction; its memory does not grow with the number of readers. Of e
	// it takes Newsletter, Cadence, Slot, Manual, DueAt, Late, Since, InDoubt, ExpiresAt,
	// and Status if that is EditionPlanned; else the edition is sending.
	// candidates are the posts that readers may be due. If no reader is
	// assigned to a group, the edition is recorded as skipped with e.Reason
	// (ReasonNoReaders, if there are candidates but nobody to get them)
	// and no delivery rows (Eligible and Empty count the readers). Whoever is
	// not active or suppressed now is not part of the edition; whoever leaves
	// later is counted as suppressed in their turn. ErrExists if (newsletter,
	// cadence, slot) is taken, ErrNotFound if a group's post is not on record.
	// With dryRun nothing is kept, nor is the database locked; the result is
	// what would have been, with ID 0.
	PlanEdition(ctx context.Context, now time.Time, e Edition, candidates []int64, a Audience, dryRun bool) (Edition, []Group, error)
	// RecordEditions inserts editions that mail nobody (skipped, failed) with
	// their Reason, or a wave of each, where Wave names one. Those that are on
	// record are left alone. ErrConflict if one has another status.
	RecordEditions(ctx context.Context, now time.Time, es []Edition) (inserted int, err error)
	// LastRun gives the edition with the newest scheduled slot that is not
	// after the slot until. ErrNotFound if there is none.
	LastRun(ctx context.Context, newsletter, cadence, until string) (Edition, error)
	// PendingEditions gives those with deliveries pending, oldest first.
	PendingEditions(ctx context.Context) ([]Edition, error)

	Edition(ctx context.Context, id int64) (Edition, error) // ErrNotFound
	// ListEditions gives the newest first; newsletter "" means all, limit 0 no limit.
	ListEditions(ctx context.Context, newsletter string, limit int) ([]Edition, error)
	// EditionGroups gives the groups by number. ErrNotFound if there is no
	// such edition.
	EditionGroups(ctx context.Context, id int64) ([]Group, error)
	Group(ctx context.Context, editionID int64, number int) (Group, error) // ErrNotFound

	// These change the status; they fail with ErrConflict where the present
	// one does not allow it, with ErrNotFound where there is no such edition.
	//
	// PauseEdition stops one that is sending; ResumeEdition starts one that is
	// planned or paused. CancelEdition ends one that is planned, sending or
	// paused: what is pending fails (reason "cancelled"), or is in doubt where
	// an earlier message may have arrived. What is claimed is still recorded,
	// but not tried again; the edition stays cancelled.
	//
	// RetryEdition makes failed and in-doubt deliveries pending again, with
	// fresh attempts, copies and setbacks, moves the expiry if the given one is later, and gives
	// their number. It leaves out failed ones of whose posts another edition
	// has since mailed one to the reader, or is about to, and those that were not
	// wanted any more. A finished or cancelled edition sends again if there is
	// anything to send.
	PauseEdition(ctx context.Context, now time.Time, id int64) error
	ResumeEdition(ctx context.Context, now time.Time, id int64) error
	CancelEdition(ctx context.Context, now time.Time, id int64) error
	RetryEdition(ctx context.Context, now time.Time, id int64, expires time.Time) (int, error)
}

// Delivery states.
const (
	DeliveryPending    = "pending"    // to be sent at NextAt (a deferred one has Attempts > 0)
	DeliveryClaimed    = "claimed"    // a sender holds it
	DeliverySent       = "sent"       // the relay took it
	DeliveryFailed     = "failed"     // refused, expired or cancelled; its posts are due again
	DeliverySuppressed = "suppressed" // left, paused, chose something else, bounced or complained before its turn
	DeliveryEmpty      = "empty"      // nothing was left for the reader
	DeliveryInDoubt    = "in_doubt"   // the relay's answer to the whole message was lost
)

// Delivery is the durable record of one recipient of one edition.
type Delivery struct {
	EditionID    int64
	Seq          int64 // 1 … in planning order; (EditionID, Seq) is the key
	SubscriberID int64
	Email        string // present address; "" once erased
	Group        int    // -1 for an empty one
	State        string
	Attempts     int
	NextAt       time.Time
	Resent       bool   // sent, or to be sent, again although the first may have arrived
	Code         int    // last SMTP reply code; 0 if none
	Reason       string // last reply text or other reason
	UpdatedAt    time.Time
}

// DeliveryRef names a delivery.
type DeliveryRef struct {
	EditionID int64
	Seq       int64
}

// A Job is a claimed delivery with what sending it needs.
type Job struct {
	DeliveryRef
	Newsletter   string
	SubscriberID int64
	Email        string
	Group        int
	Attempts     int       // before this one, since it was last retried; so are
	Copies       int       // messages that may have arrived without an answer, and
	Setbacks     int       // attempts that failed for what was not the reader's fault
	ClaimedAt    time.Time // tells this claim from any other of the delivery
	ExpiresAt    time.Time
	InDoubt      string // the edition's policy
	AtHour       bool   // of an edition that comes at an hour, neither by hand nor of CadenceEach or CadenceWelcome; of a Claim alone, as what follows
	Timezone     string // the subscriber's, and so is QuietHours
	QuietHours   string
}

// A Result is what became of a claimed delivery. State is pending (try again
// at NextAt), sent, failed, in_doubt or suppressed. Counted says that the attempt counts
// against the recipient, Setback that it failed for what was not their fault.
// Resent marks a pending one whose message may already have arrived. Such a
// delivery counts in ResentInDoubt, once, when its next message is sent, or may
// have arrived too, whatever becomes of the edition; so does one in doubt after
// RetryEdition.
// One that has failed after a message that may have arrived is in doubt too:
// its posts must not be mailed again in another edition.
type Result struct {
	DeliveryRef
	State   string
	Counted bool
	Setback bool
	Resent  bool
	NextAt  time.Time
	Code    int
	Reason  string
}

// Deliveries is the queue of the senders.
type Deliveries interface {
	// Claim gives up to limit deliveries of sending editions whose NextAt and
	// group's NotBefore are reached, marked claimed by holder, shared evenly
	// among the editions that have some, without those of the newsletters
	// named. Those whose subscription ended or is paused, or
	// whose address is suppressed, become suppressed instead, those past
	// ExpiresAt failed with reason "expired" (either in doubt instead, where
	// an earlier message may have arrived); none of them is given out. Expired
	// ones that were put off for their reader's sake are soft bounces. An
	// edition left without anything pending is finished. An empty result does
	// not mean that nothing is due: ask NextDue.
	Claim(ctx context.Context, now time.Time, holder string, limit int, except ...string) ([]Job, error)
	// Unwanted says whether a claimed delivery is not to be made any more: its
	// state is then DeliverySuppressed, if the person left, paused, chose something
	// else (see Wants) or is suppressed, or
	// DeliveryPending, if the edition is paused or cancelled; else "".
	Unwanted(ctx context.Context, now time.Time, ref DeliveryRef) (state, reason string, err error)
	// Record applies results of deliveries that holder has claimed (others
	// are ignored), keeps the counters and finishes editions. In a cancelled
	// edition, pending becomes failed, or in doubt if Resent; so does what is not
	// wanted any more, but suppressed instead of failed. A zero NextAt
	// is now. Of a long Reason the beginning is kept.
	Record(ctx context.Context, now time.Time, holder string, rs []Result) error
	// Claimed gives what holder holds, with Email ("" once erased), and
	// Holders who hold any.
	Claimed(ctx context.Context, holder string) ([]Job, error)
	Holders(ctx context.Context) ([]string, error)
	// EditionDue gives when the next pending delivery of an edition falls due
	// (zero: none is pending) and how many are claimed.
	EditionDue(ctx context.Context, id int64) (next time.Time, claimed int, err error)
	// NextDue gives when Claim has something to do: a delivery falls due, or
	// an edition with pending ones expires; ok is false if none is pending in
	// a sending edition.
	NextDue(ctx context.Context) (at time.Time, ok bool, err error)
	// EachDelivery calls fn for every delivery of an edition by Seq; state ""
	// means all. ErrNotFound if there is no such edition.
	EachDelivery(ctx context.Context, editionID int64, state string, fn func(Delivery) error) error
}

// Notice kinds.
const (
	NoticeConfirm = "confirm" // asks whether it was they who signed up
	NoticeLink    = "link"    // leads to their own page
	NoticeAddress = "address" // to an address that is to take the place of the present one
	NoticeMoving  = "moving"  // tells the present address of that
)

// Notice is one low-volume mail to one person, queued with what caused it.
type Notice struct {
	ID           int64
	Kind         string
	SubscriberID int64
	Email        string
	Newsletter   string
	CreatedAt    time.Time
	Attempts     int
	SignUpID     int64 // whose wishes a NoticeConfirm asks to confirm; 0: those subscriptions that are pending
}

// NoticeResult is what became of a notice: sent, failed, or (both false) to
// be tried again at NextAt. Held says that it was not begun, which does not
// count as an attempt.
type NoticeResult struct {
	ID     int64
	Sent   bool
	Failed bool
	Held   bool
	NextAt time.Time
	Reason string
}

// Notices is the queue of low-volume mails.
type Notices interface {
	// ClaimNotices gives due notices and makes them due again at until, so
	// that a sender that dies does not lose them. It gives up those that are
	// not to be mailed any more: to confirm what is no longer pending, or to
	// an address suppressed for more than its owner's leaving.
	ClaimNotices(ctx context.Context, now, until time.Time, limit int) ([]Notice, error)
	// RecordNotice records what became of a claimed notice; one that is gone
	// meanwhile is no error. A zero NextAt is now.
	RecordNotice(ctx context.Context, now time.Time, r NoticeResult) error
}
