package postgres

import (
	"context"
	"net"
	"syscall"
	"time"
)

// dial gives connections that end when the server's machine is silent for a
// while, whether something was sent to it or not.
func dial(within time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{
		Timeout:         within,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 4, Count: 2},
		Control: func(network, _ string, c syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			return c.Control(func(fd uintptr) {
				giveUpAfter(int(fd), silence)
			})
		},
	}
	return d.DialContext
}
