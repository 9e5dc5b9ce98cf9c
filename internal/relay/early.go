package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

// early is what this process knows of a relay's PIPELINING: some offer it, or
// something between here and them does, and then forget or resent commands that
// come before the answers to those before.
type early struct {
	off    atomic.Bool  // it is not used any more
	proven atomic.Bool  // it worked once
	breaks atomic.Int32 // of connections amid commands sent together, while it is not proven
}

// known holds an early for each host and port.
var known sync.Map

func earlyOf(address string) *early {
	e, _ := known.LoadOrStore(address, &early{})
	return e.(*early)
}

const (
	mostBreaks = 3 // until they are put down to it
	// aliveWithin is how long a relay has to answer that has nothing to do.
	aliveWithin = 10 * time.Second
)

var (
	errForgets = errors.New("the relay offers PIPELINING, but it does not answer commands that are sent together; from now on it gets one at a time")
	// resents are the words of relays that want no commands ahead of answers.
	resents = regexp.MustCompile(`(?i)pipelin|synchroni[sz]ation|out of sync|too early|early talk`)
)

// pipelines reports whether commands may be sent together.
func (c *conn) pipelines() bool { return c.pipelining && !c.early.off.Load() }

// judgeEarly learns from commands that were sent together: those of replies
// were answered, err ended the rest. It gives the error to go on with.
func (c *conn) judgeEarly(ctx context.Context, steps []step, replies []Reply, err error) error {
	switch {
	case err == nil:
		if refusal := judge(steps, replies); refusal == nil {
			c.early.proven.Store(true)
		} else if resents.MatchString(refusal.Text) {
			c.early.off.Store(true)
		}
	case ctx.Err() != nil:
	case isTimeout(err):
		if c.idles(min(aliveWithin, steps[len(replies)].timeout)) {
			c.early.off.Store(true)
			return fmt.Errorf("%w (%w)", errForgets, err)
		}
	case len(replies) > 0 && !c.early.proven.Load():
		if c.early.breaks.Add(1) >= mostBreaks {
			c.early.off.Store(true)
		}
	}
	return err
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// idles asks a relay that leaves commands without an answer whether it waits
// for one.
func (c *conn) idles(within time.Duration) bool {
	c.sock.allow(within)
	if _, err := c.text.W.WriteString("NOOP\r\n"); err != nil || c.text.W.Flush() != nil {
		return false
	}
	reply, err := c.read(within)
	return err == nil && reply.Code/100 == 2
}
