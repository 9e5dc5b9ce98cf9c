package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wneessen/go-mail/smtp"
)

// conn is an SMTP session after its handshake. It writes the mail transaction
// itself: go-mail takes seven round trips for a message, this one or two, and
// go-mail's errors do not tell a lost answer from a refusal.
type conn struct {
	sock     *socket
	text     *textproto.Conn
	timeouts Timeouts

	pipelining bool // RFC 2920
	utf8       bool // RFC 6531
	maxSize    int  // RFC 1870; 0: not said

	broken bool // closed, or no longer at a known point of the dialogue
	reset  bool // a transaction may be open: begin the next with RSET
}

func newConn(sock *socket, client *smtp.Client, t Timeouts) *conn {
	c := &conn{sock: sock, text: client.Text, timeouts: t}
	c.pipelining, _ = client.Extension("PIPELINING")
	c.utf8, _ = client.Extension("SMTPUTF8")
	if _, size := client.Extension("SIZE"); size != "" {
		c.maxSize, _ = strconv.Atoi(size) // no number: no limit
	}
	return c
}

// Usable implements Conn.
func (c *conn) Usable() bool { return !c.broken }

// Close implements Conn. It says QUIT only where the relay expects a command.
func (c *conn) Close() error {
	if !c.broken {
		c.sock.allow(c.timeouts.Quit)
		if _, err := c.text.W.WriteString("QUIT\r\n"); err == nil && c.text.W.Flush() == nil {
			_, _ = readReply(c.text.R) // the mails are safe whatever it says
		}
	}
	c.abandon()
	return nil
}

func (c *conn) abandon() {
	c.broken = true
	c.sock.abort()
}

// Send implements Conn.
func (c *conn) Send(ctx context.Context, env Envelope, msg []byte, atDot func() error) (Reply, error) {
	if c.broken {
		return Reply{}, &Error{Phase: PhaseMail, Kind: Unavailable, Err: errors.New("the connection is no longer usable")}
	}
	if err := c.check(env, msg); err != nil {
		return Reply{}, err
	}
	stop := context.AfterFunc(ctx, c.sock.abort)
	reply, err := c.transmit(ctx, env, msg, atDot)
	if !stop() {
		c.broken = true
	}
	return reply, err
}

// check refuses what must not or cannot be transmitted, before anything is.
func (c *conn) check(env Envelope, msg []byte) error {
	if err := checkEnvelope(env); err != nil {
		return err
	}
	if needsUTF8(env, msg) && !c.utf8 {
		return &Error{Phase: PhaseRcpt, Kind: Permanent, Err: errors.New("the relay does not take addresses that are not ASCII (no SMTPUTF8)")}
	}
	if n := bytes.Count(msg, []byte("\r\n")); bytes.Count(msg, []byte("\n")) != n || bytes.Count(msg, []byte("\r")) != n {
		return &Error{Phase: PhaseBody, Kind: Permanent, Err: errors.New("the message has line ends other than CRLF")}
	}
	if c.maxSize > 0 && len(msg) > c.maxSize {
		return &Error{Phase: PhaseBody, Kind: Permanent, Err: fmt.Errorf("the message has %d bytes, the relay takes %d", len(msg), c.maxSize)}
	}
	return nil
}

func checkEnvelope(env Envelope) error {
	if !isPath(env.From) && env.From != "" {
		return &Error{Phase: PhaseMail, Kind: Unavailable, Err: fmt.Errorf("%q is not a sender's address", env.From)}
	}
	if !isPath(env.To) {
		return &Error{Phase: PhaseRcpt, Kind: Permanent, Err: fmt.Errorf("%q is not an address", env.To)}
	}
	return nil
}

// isPath reports whether s may stand between < and > in a command.
func isPath(s string) bool {
	return s != "" && len(s) <= 254 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '<' || r == '>'
	})
}

// needsUTF8 reports whether an address, in the envelope or in a header, is
// not ASCII.
func needsUTF8(env Envelope, msg []byte) bool {
	header, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	return strings.ContainsFunc(env.From+env.To, notASCII) || bytes.ContainsFunc(header, notASCII)
}

func notASCII(r rune) bool { return r >= utf8.RuneSelf }
