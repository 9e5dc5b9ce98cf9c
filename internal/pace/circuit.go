package pace

import (
	"math/bits"
	"math/rand/v2"
	"time"

	"tidings/internal/store"
)

// A policy says when circuits of a kind open, and for how long.
type policy struct {
	first   time.Duration // pause after the first opening; each further one doubles it
	longest time.Duration
	claims  bool // see Claimable: no mails are claimed that would wait for it
}

var (
	// A relay that is restarted is noticed within seconds.
	ofRelay      = policy{first: time.Second, longest: 5 * time.Minute, claims: true}
	ofNewsletter = policy{first: time.Second, longest: 5 * time.Minute, claims: true}
	// A domain that finds us too many does not change its mind at once.
	ofDomain = policy{first: 30 * time.Second, longest: 30 * time.Minute}
)

const (
	failuresInARow = 5  // open a circuit
	sample         = 20 // so do failures of more than half of so many mails
	// probeFor is when a probe without an outcome counts as lost: its process
	// may have died. A relay may take longer to answer; then there are two.
	probeFor = 20 * time.Second
)

// A circuit is one thing that mails depend on. Closed, everything passes; it
// opens after failures, and nothing passes; after a pause it is half-open: one
// mail, the probe, finds out whether it can close.
type circuit struct {
	policy
	store.Circuit // State "": closed

	row    int    // failures in a row
	recent uint32 // the last outcomes, a bit each; 1: failed
	seen   int    // outcomes in recent
	dirty  bool   // the store does not know yet
}

func newCircuit(name string, p policy) *circuit {
	return &circuit{policy: p, Circuit: store.Circuit{Name: name}}
}

func (c *circuit) closed() bool { return c.State == "" }

// fresh reports whether there is nothing to remember.
func (c *circuit) fresh() bool { return c.closed() && c.row == 0 && c.recent == 0 && !c.dirty }

// due reports whether a probe may be made.
func (c *circuit) due(now time.Time) bool { return !c.closed() && !now.Before(c.Until) }

// succeeded notes a success and reports whether it closed the circuit.
func (c *circuit) succeeded() bool {
	c.remember(0)
	c.row = 0
	if c.closed() {
		return false
	}
	c.Circuit, c.dirty = store.Circuit{Name: c.Name}, true
	return true
}

// failed notes a failure and reports whether it opened the circuit. Failures
// of mails that were under way together when it opened count once.
func (c *circuit) failed(now time.Time, reason string, atOnce, probe bool) bool {
	if !probe && !c.closed() && !c.due(now) {
		return false
	}
	c.remember(1)
	c.row++
	if c.closed() && !atOnce && c.row < failuresInARow && !c.mostlyFailing() {
		return false
	}
	c.open(now, reason)
	return true
}

func (c *circuit) remember(outcome uint32) {
	c.recent = (c.recent<<1 | outcome) & (1<<sample - 1)
	c.seen = min(c.seen+1, sample)
}

func (c *circuit) mostlyFailing() bool {
	return c.seen == sample && bits.OnesCount32(c.recent) > sample/2
}

func (c *circuit) open(now time.Time, reason string) {
	if c.closed() {
		c.Since = now
	}
	c.State, c.Reason, c.dirty = store.CircuitOpen, reason, true
	c.Until = now.Add(jitter(min(c.first<<min(c.Streak, 16), c.longest)))
	c.Streak++
	c.row, c.recent, c.seen = 0, 0, 0
}

// unprobed takes back a probe that was not made after all.
func (c *circuit) unprobed(now time.Time) {
	if c.State == store.CircuitHalfOpen {
		c.State, c.Until, c.dirty = store.CircuitOpen, now, true
	}
}

// jitter gives d ± 25 %, so that not all who wait come back together.
func jitter(d time.Duration) time.Duration { return d - d/4 + rand.N(d/2+1) }
