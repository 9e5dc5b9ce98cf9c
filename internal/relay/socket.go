package relay

import (
	"errors"
	"net"
	"time"
)

const (
	maxHandshake = 256 << 10 // bytes read before the first message, certificates included
	unbounded    = -1
)

var errChatter = errors.New("the relay sends too much before the first message")

// socket is the connection below TLS. It bounds what the handshake reads,
// because go-mail's reader takes lines of any length, and it can be closed
// from another goroutine at any time.
type socket struct {
	net.Conn
	address string // that was asked for, as host:port
	left    int    // bytes that may still be read, or unbounded
}

// Read implements io.Reader.
func (s *socket) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, errChatter
	}
	if s.left > 0 && len(p) > s.left {
		p = p[:s.left]
	}
	n, err := s.Conn.Read(p)
	if s.left > 0 {
		s.left -= n
	}
	return n, err
}

// allow sets how long reading and writing may take from now on. A failure
// means that the socket is closed, which the next operation reports.
func (s *socket) allow(d time.Duration) { _ = s.SetDeadline(time.Now().Add(d)) }

// abort closes at once, without a word: inside DATA, even QUIT would be taken
// for the end of the message.
func (s *socket) abort() { _ = s.Conn.Close() }
