package relay

import (
	"bufio"
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
	body     *bufio.Writer // for the message, after which the final dot follows
	timeouts Timeouts

	pipelining bool // RFC 2920
	early      *early
	utf8       bool // RFC 6531
	maxSize    int  // RFC 1870; 0: not said

	broken bool // closed, or no longer at a known point of the dialogue
	reset  bool // a transaction may be open: begin the next with RSET

	announced *letter // whose commands go out with the next final dot
	ahead     *letter // whose commands went out with the last one
}

// A letter is a message that can be transmitted.
type letter struct {
	env    Envelope
	msg    []byte
	utf8   bool // an address, in the envelope or in a header, is not ASCII
	dotted bool // a line begins with a dot

	opening []step // its commands, once they are written
}

func newConn(sock *socket, client *smtp.Client, encrypted bool, t Timeouts, e *early) *conn {
	c := &conn{sock: sock, text: client.Text, body: client.Text.W, timeouts: t, early: e}
	if !encrypted {
		c.body = bufio.NewWriter(writerFunc(sock.writeMore))
	}
	c.pipelining, _ = client.Extension("PIPELINING")
	c.utf8, _ = client.Extension("SMTPUTF8")
	if _, size := client.Extension("SIZE"); size != "" {
		c.maxSize, _ = strconv.Atoi(size) // no number: no limit
	}
	return c
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Usable implements Conn.
func (c *conn) Usable() bool { return !c.broken }

// Close implements Conn. It says QUIT only where the relay expects a command.
func (c *conn) Close() error {
	if !c.broken && c.ahead == nil { // else the relay waits for a message: QUIT would be its text
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
	l, err := c.letter(env, msg)
	if err != nil {
		return Reply{}, err
	}
	stop := context.AfterFunc(ctx, c.sock.abort)
	reply, err := c.transmit(ctx, l, atDot)
	if !stop() {
		c.broken = true
	}
	return reply, err
}

// letter gives what is to be sent, which must be what was announced.
func (c *conn) letter(env Envelope, msg []byte) (*letter, error) {
	if c.ahead == nil {
		return c.check(env, msg)
	}
	if c.ahead.env != env || !bytes.Equal(c.ahead.msg, msg) {
		c.abandon()
		return nil, &Error{Phase: PhaseMail, Kind: Unavailable, Err: errors.New("another message was announced")}
	}
	return c.ahead, nil
}

// Announce implements Conn. What could not be sent is not announced: its Send
// says why.
func (c *conn) Announce(env Envelope, msg []byte) {
	if c.pipelines() {
		c.announced, _ = c.check(env, msg)
	}
}

// check refuses what must not or cannot be transmitted, before anything is.
func (c *conn) check(env Envelope, msg []byte) (*letter, error) {
	if err := checkEnvelope(env); err != nil {
		return nil, err
	}
	l := &letter{env: env, msg: msg, utf8: needsUTF8(env, msg)}
	if l.utf8 && !c.utf8 {
		return nil, &Error{Phase: PhaseRcpt, Kind: Permanent, Err: errors.New("the relay does not take addresses that are not ASCII (no SMTPUTF8)")}
	}
	if !l.checkLines() {
		return nil, &Error{Phase: PhaseBody, Kind: Permanent, Err: errors.New("the message has line ends other than CRLF")}
	}
	if c.maxSize > 0 && len(msg) > c.maxSize {
		return nil, &Error{Phase: PhaseBody, Kind: Permanent, Err: fmt.Errorf("the message has %d bytes, the relay takes %d", len(msg), c.maxSize)}
	}
	return l, nil
}

// checkLines reports whether every CR and LF is one of a CRLF, and notes
// whether dots are to be stuffed.
func (l *letter) checkLines() bool {
	ends := 0
	for rest := l.msg; len(rest) > 0; ends++ {
		l.dotted = l.dotted || rest[0] == '.'
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if i == 0 || rest[i-1] != '\r' {
			return false
		}
		rest = rest[i+1:]
	}
	return bytes.Count(l.msg, []byte("\r")) == ends
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

func needsUTF8(env Envelope, msg []byte) bool {
	header, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	return !isASCII(env.From) || !isASCII(env.To) || !isASCII(header)
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
