package store

// ReasonChanged is why a delivery is suppressed whose reader chose other topics
// or another frequency before its turn. It is of no suppression of an address.
const ReasonChanged = "changed"

// An UnderWay is a mail that is planned for a reader and not sent yet.
type UnderWay struct {
	Cadence string // of its edition
	Manual  bool
	PostIDs []int64
}

// Wants says whether a reader whose subscription is now as in s wants what is
// under way to them. It is called within a transaction: it must be quick. What
// is not wanted any more is suppressed (ReasonChanged), so that its posts are
// due again; a claimed delivery is, unless its message is sent by then. A nil
// Wants keeps everything.
type Wants func(s Subscription, m UnderWay) bool
