// Package relay hands finished messages to the next hop: an SMTP relay, or
// the capture box, a Maildir from which nothing leaves the machine. It
// classifies every refusal by what it means for the recipient. It does not
// compose, retry or record.
package relay

import (
	"context"
	"fmt"
	"strings"
)

// Envelope is the SMTP envelope of one message (RFC 5321 §2.3.1).
type Envelope struct {
	From string // bare address
	To   string
}

// A Relay makes connections.
type Relay interface {
	// Connect dials and authenticates. Its error is an *Error of kind
	// Unavailable.
	Connect(ctx context.Context) (Conn, error)
}

// A Conn carries one message after another. It belongs to one goroutine.
type Conn interface {
	// Send transmits msg (CRLF line ends, not dot-stuffed). atDot, if not nil, is
	// called when all but the final dot is written; if it fails, the message
	// is abandoned by closing the connection. A nil error means the relay took
	// the message; else it is an *Error. After an error with Usable false the
	// connection must be closed. When ctx ends, Send stops at once and fails
	// as if the connection had broken at that point.
	Send(ctx context.Context, env Envelope, msg []byte, atDot func() error) (Reply, error)
	// Announce names the message that follows the one sent next. Where the
	// relay takes commands ahead of its answers (RFC 2920) this one's go out
	// with the other's final dot, which spares a round trip. The second Send
	// from here must then be of this envelope; if it is not to be sent after
	// all, the connection must be closed.
	Announce(env Envelope, msg []byte)
	// Usable reports whether another message can be sent.
	Usable() bool
	Close() error
}

// Reply is the relay's answer to a whole message.
type Reply struct {
	Code     int
	Enhanced string // RFC 3463 "2.1.5"; "" if none
	Text     string
}

// String gives the reply as the relay wrote it, on one line.
func (r Reply) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(r.Code, " ", r.Enhanced, " ", r.Text)), " ")
}

// Kind is what a failure means for the recipient.
type Kind int

// The kinds of failure.
const (
	Temporary   Kind = iota // 4xx for this recipient or message: try later, it counts
	Permanent               // 5xx for this recipient or message
	InDoubt                 // the answer after the final dot was lost
	Unavailable             // the relay's trouble, not the recipient's: try later, it does not count
)

func (k Kind) String() string {
	switch k {
	case Temporary:
		return "temporary"
	case Permanent:
		return "permanent"
	case InDoubt:
		return "in doubt"
	case Unavailable:
		return "unavailable"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Phases of a transmission, in their order.
const (
	PhaseDial     = "dial"
	PhaseGreeting = "greeting" // until the relay has named its extensions
	PhaseTLS      = "tls"
	PhaseAuth     = "auth"
	PhaseMail     = "mail"
	PhaseRcpt     = "rcpt"
	PhaseData     = "data"
	PhaseBody     = "body"
	PhaseDot      = "dot" // the final dot and the answer to it
)

// Error is a failed transmission.
type Error struct {
	Phase string // PhaseDial …
	Kind  Kind
	Reply       // zero if there was none
	Err   error // cause, with the reply in its text if there was one; nil if the reply says it all
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "relay, " + e.Phase + ": " + clean(e.Err.Error())
	}
	return "relay, " + e.Phase + ": " + e.Reply.String()
}

func (e *Error) Unwrap() error { return e.Err }
