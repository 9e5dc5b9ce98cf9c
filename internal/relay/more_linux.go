package relay

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// writeMore writes p and tells the system that more follows at once: what
// does not fill a segment waits for it. A message and its final dot, which are
// written one after the other, then travel and arrive together.
func (s *socket) writeMore(p []byte) (n int, err error) {
	tcp, ok := s.Conn.(*net.TCPConn)
	if !ok {
		return s.Write(p)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Write(func(fd uintptr) bool {
		for n < len(p) && err == nil {
			var sent int
			sent, err = unix.SendmsgN(int(fd), p[n:], nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
			n += max(sent, 0)
			if errors.Is(err, unix.EINTR) {
				err = nil
			}
			if errors.Is(err, unix.EAGAIN) {
				err = nil
				return false // and come back when there is room
			}
		}
		return true
	})
	return n, errors.Join(waited, err)
}
