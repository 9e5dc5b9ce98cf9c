package main

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy is the network between one machine and a server. It can be cut, so
// that connections break and no new ones are made, or stalled, so that nothing
// arrives any more and nobody is told.
type proxy struct {
	listener net.Listener
	target   func() (net.Conn, error)

	mu     sync.Mutex
	turned *sync.Cond
	state  int
	served int // connections, of all times
	conns  map[net.Conn]bool
}

const (
	open = iota
	cut
	stalled
)

func startProxy(t testing.TB, network, address string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: func() (net.Conn, error) { return net.Dial(network, address) }, conns: map[net.Conn]bool{}}
	p.turned = sync.NewCond(&p.mu)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.turn(cut)
		serving.Wait()
	})
	return p
}

// used reports whether anything was ever connected.
func (p *proxy) used() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served > 0
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// turn opens, cuts or stalls the network.
func (p *proxy) turn(state int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	if state == cut {
		for c := range p.conns {
			c.Close()
		}
	}
	p.turned.Broadcast()
}

// keep has a connection closed when the network is cut; false if it is.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == cut {
		c.Close()
		return false
	}
	p.conns[c] = true
	p.served++
	return true
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.forget(client)
	server, err := p.target()
	if err != nil || !p.keep(server) {
		return
	}
	defer p.forget(server)
	var copying sync.WaitGroup
	copying.Go(func() { p.copy(server, client); server.Close(); client.Close() })
	copying.Go(func() { p.copy(client, server); server.Close(); client.Close() })
	copying.Wait()
}

// copy passes on what comes, but not while the network is stalled.
func (p *proxy) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && p.passes() {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			return
		}
	}
}

// passes waits while the network is stalled; false if it is cut.
func (p *proxy) passes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.state == stalled {
		p.turned.Wait()
	}
	return p.state == open
}
