package smtpd

import (
	"net"
	"time"
)

// brief ends every connection after maxVisit.
type brief struct{ net.Listener }

// Accept implements net.Listener.
func (b brief) Accept() (net.Conn, error) {
	c, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &visit{Conn: c, end: time.AfterFunc(maxVisit, func() { c.Close() })}, nil
}

type visit struct {
	net.Conn
	end *time.Timer
}

// Close implements net.Conn.
func (v *visit) Close() error {
	v.end.Stop()
	return v.Conn.Close()
}
