package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	blockSize = 64 << 10 // bytes of a message under one deadline
	finalDot  = ".\r\n"
)

// A step is one command of a mail transaction.
type step struct {
	phase   string
	command string
	want    int // class of the reply that goes on: 2 or 3
	timeout time.Duration
}

func (c *conn) transmit(ctx context.Context, l *letter, atDot func() error) (Reply, error) {
	steps, replies, err := c.open(ctx, l)
	if refusal := judge(steps, replies); refusal != nil {
		c.announced = nil
		c.leave(refusal, replies[len(replies)-1], err)
		return Reply{}, refusal
	}
	if err != nil {
		return Reply{}, err
	}
	if err := c.writeMessage(l); err != nil {
		return Reply{}, c.lost(ctx, PhaseBody, Unavailable, err)
	}
	if ctx.Err() != nil {
		return Reply{}, c.lost(ctx, PhaseBody, Unavailable, ctx.Err())
	}
	if c.text.R.Buffered() > 0 { // it would be taken for the answer to the message
		return Reply{}, c.lost(ctx, PhaseBody, Unavailable, errOutOfStep)
	}
	if atDot != nil {
		if err := atDot(); err != nil {
			c.abandon()
			return Reply{}, &Error{Phase: PhaseDot, Kind: Unavailable, Err: err}
		}
	}
	return c.finish(ctx)
}

// open takes the transaction to where the message is to be written.
func (c *conn) open(ctx context.Context, l *letter) (steps []step, replies []Reply, err error) {
	written := c.ahead != nil
	if !written {
		l.opening = c.steps(l)
	}
	c.ahead = nil
	replies, err = c.converse(ctx, l.opening, written)
	return l.opening, replies, err
}

func (c *conn) steps(l *letter) []step {
	parameter := ""
	if l.utf8 {
		parameter = " SMTPUTF8" // not without need: it binds every later hop
	}
	steps := make([]step, 0, 4)
	if c.reset {
		steps = append(steps, step{PhaseMail, "RSET\r\n", 2, c.timeouts.Command})
		c.reset = false
	}
	return append(steps,
		step{PhaseMail, "MAIL FROM:<" + l.env.From + ">" + parameter + "\r\n", 2, c.timeouts.Command},
		step{PhaseRcpt, "RCPT TO:<" + l.env.To + ">\r\n", 2, c.timeouts.Command},
		step{PhaseData, "DATA\r\n", 3, c.timeouts.Data},
	)
}

// converse gives the replies in order: to all steps at once where the relay
// allows it or they are written already, else one by one, up to the first that
// does not go on. The error is that of the connection; the replies before it
// count.
func (c *conn) converse(ctx context.Context, steps []step, written bool) ([]Reply, error) {
	if written || c.pipelines() {
		return c.converseAhead(ctx, steps, written)
	}
	replies := make([]Reply, 0, len(steps))
	for i, s := range steps {
		if err := c.write(steps[i : i+1]); err != nil {
			return replies, c.lost(ctx, s.phase, Unavailable, err)
		}
		reply, err := c.read(s.timeout)
		if err != nil {
			return replies, c.lost(ctx, s.phase, Unavailable, err)
		}
		replies = append(replies, reply)
		if reply.Code/100 != s.want {
			return replies, nil
		}
	}
	return replies, nil
}

// converseAhead gives the replies to steps that are sent together.
func (c *conn) converseAhead(ctx context.Context, steps []step, written bool) ([]Reply, error) {
	if !written {
		if err := c.write(steps); err != nil {
			return nil, c.lost(ctx, steps[0].phase, Unavailable, err)
		}
	}
	replies := make([]Reply, 0, len(steps))
	for _, s := range steps {
		reply, err := c.read(s.timeout)
		if err != nil {
			return replies, c.lost(ctx, s.phase, Unavailable, c.judgeEarly(ctx, steps, replies, err))
		}
		replies = append(replies, reply)
		if reply.Code == closing {
			break
		}
	}
	return replies, c.judgeEarly(ctx, steps, replies, nil)
}

// errOutOfStep tells of a relay that answers what it was not asked.
var errOutOfStep = errors.New("an answer came before the end of the message")

// closing is the code with which a relay announces, at any time, that it
// closes the connection (RFC 5321 §3.8).
const closing = 421

func (c *conn) write(steps []step) error {
	c.sock.allow(steps[0].timeout)
	if err := c.put(steps); err != nil {
		return err
	}
	return c.text.W.Flush()
}

// put writes commands to the buffer.
func (c *conn) put(steps []step) error {
	for _, s := range steps {
		if _, err := c.text.W.WriteString(s.command); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) read(timeout time.Duration) (Reply, error) {
	c.sock.allow(timeout)
	return readReply(c.text.R)
}

// judge gives what the first refusal among the replies means; nil if there is
// none.
func judge(steps []step, replies []Reply) *Error {
	for i, reply := range replies {
		if reply.Code/100 == steps[i].want {
			continue
		}
		e := &Error{Phase: steps[i].phase, Kind: kindOf(reply.Code), Reply: reply}
		if steps[i].phase == PhaseMail || reply.Code == closing {
			e.Kind = Unavailable
		}
		return e
	}
	return nil
}

// kindOf classifies the refusal of a recipient or a message. A reply that is
// no refusal there makes no sense: the dialogue is out of step.
func kindOf(code int) Kind {
	switch code / 100 {
	case 4:
		return Temporary
	case 5:
		return Permanent
	}
	return Unavailable
}

// leave brings the session back to where a new transaction can begin after a
// refusal, or closes it. A relay that asks for the message all the same gets
// an empty one (RFC 2920 §3.1).
func (c *conn) leave(refusal *Error, last Reply, err error) {
	c.reset = true
	switch {
	case err != nil || last.Code == closing || refusal.Code/100 < 4 || last.Code/100 == 2:
		c.abandon() // closed, or out of step
	case last.Code/100 == 3:
		if c.writeDot() != nil {
			c.abandon()
		} else if reply, err := c.read(c.timeouts.Command); err != nil || reply.Code == closing {
			c.abandon()
		}
	}
}

// lost closes a connection that failed and classifies the failure.
func (c *conn) lost(ctx context.Context, phase string, kind Kind, err error) error {
	c.abandon()
	return failure(ctx, phase, kind, err)
}

// writeMessage writes a message with dots stuffed (RFC 5321 §4.5.2), ending in
// a line break, and flushes it.
func (c *conn) writeMessage(l *letter) error {
	write := c.writeBlocks
	if l.dotted {
		write = c.writeStuffed
	}
	if err := write(l.msg); err != nil {
		return err
	}
	if !bytes.HasSuffix(l.msg, []byte("\n")) {
		if _, err := c.body.WriteString("\r\n"); err != nil {
			return err
		}
	}
	return c.body.Flush()
}

func (c *conn) writeStuffed(msg []byte) error {
	if bytes.HasPrefix(msg, []byte(".")) {
		if err := c.writeBlocks([]byte(".")); err != nil {
			return err
		}
	}
	for {
		i := bytes.Index(msg, []byte("\n."))
		if i < 0 {
			return c.writeBlocks(msg)
		}
		if err := c.writeBlocks(msg[:i+2]); err != nil { // the dot once here, once below
			return err
		}
		msg = msg[i+1:]
	}
}

// writeBlocks writes p with a new deadline for each block, so that a large
// message may take long as long as it moves.
func (c *conn) writeBlocks(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), blockSize)
		c.sock.allow(c.timeouts.Block)
		if _, err := c.body.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (c *conn) writeDot() error {
	c.sock.allow(c.timeouts.Block)
	if _, err := c.text.W.WriteString(finalDot); err != nil {
		return err
	}
	if c.announced != nil {
		c.ahead, c.announced = c.announced, nil
		c.ahead.opening = c.steps(c.ahead)
		if err := c.put(c.ahead.opening); err != nil {
			return err
		}
	}
	return c.text.W.Flush()
}

// finish ends the message. From the dot's first byte on, nobody but the relay
// knows whether it has the message until its answer is here.
func (c *conn) finish(ctx context.Context) (Reply, error) {
	if err := c.writeDot(); err != nil {
		return Reply{}, c.lost(ctx, PhaseDot, InDoubt, err)
	}
	reply, err := c.read(c.timeouts.Dot)
	if err != nil {
		return Reply{}, c.lost(ctx, PhaseDot, InDoubt, err)
	}
	switch {
	case reply.Code/100 == 2:
		return reply, nil
	case reply.Code/100 == 3:
		return Reply{}, c.lost(ctx, PhaseDot, InDoubt, fmt.Errorf("%w: %s", errMalformed, reply))
	case reply.Code == closing:
		c.abandon()
	}
	return Reply{}, &Error{Phase: PhaseDot, Kind: kindOf(reply.Code), Reply: reply}
}
