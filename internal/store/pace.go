package store

import (
	"context"
	"time"
)

// States of a circuit that is not closed.
const (
	CircuitOpen     = "open"      // nothing passes before Until
	CircuitHalfOpen = "half_open" // one mail tries; at Until it counts as lost
)

// A Circuit is something that does not work at present, such as the relay, and
// is left alone so that nobody pays for finding that out again and again. One
// that works is closed, and not on record.
type Circuit struct {
	Name   string
	State  string
	Streak int       // how often it was opened since it was last closed
	Since  time.Time // when it was first opened since then
	Until  time.Time
	Reason string
}

// Pace keeps what the senders of all processes must agree on.
type Pace interface {
	// Circuits gives those that are not closed, by name.
	Circuits(ctx context.Context) ([]Circuit, error)
	// OpenCircuit opens a circuit until c.Until and gives what is on record
	// then: another process may have opened it already, until later than now.
	// Circuits whose Until is a month past are forgotten.
	OpenCircuit(ctx context.Context, now time.Time, c Circuit) (Circuit, error)
	// ProbeCircuit makes a circuit half-open whose Until is reached, and gives
	// it a new Until. It is false if that is not reached, since another
	// process tries, or if the circuit is closed.
	ProbeCircuit(ctx context.Context, now time.Time, name string, until time.Time) (bool, error)
	// CloseCircuit closes a circuit; twice is no error.
	CloseCircuit(ctx context.Context, name string) error

	// BorrowTurns gives turns of a limit to the caller, who may use one every
	// interval from first on; nobody else gets them. If first is later than now
	// and Ahead, the caller gets none of them (ok is false). Turns that nobody
	// took are lost, but for those of the last Slack. Where the turns given out
	// reach further ahead than an hour and all that are asked for, the clock was
	// set back, and they begin anew.
	BorrowTurns(ctx context.Context, now time.Time, t Turns) (first time.Time, ok bool, err error)
}

// Turns are turns to borrow: evenly spread instants, each for one mail.
type Turns struct {
	Limit    string // its name
	Interval time.Duration
	N        int
	Slack    time.Duration
	Ahead    time.Duration
}
