package postgres

import (
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter ends a connection whose peer does not acknowledge what it is sent.
// Without it a connection is merely given up later.
func giveUpAfter(fd int, d time.Duration) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
}
