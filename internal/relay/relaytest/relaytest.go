// Package relaytest gives an SMTP server for tests and benchmarks. It listens
// on loopback, so that a program under test in another process can use it,
// takes mail without passing it on, and misbehaves as its rules say. What it
// accepted is recorded before it answers: its record is the truth about what
// a client may believe was delivered.
//
// It speaks the protocol itself rather than through an SMTP library, because
// libraries keep a server correct, and here each wrong or missing byte must
// be possible.
package relaytest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Options describe a well-behaved server; Rules spoil it.
type Options struct {
	Addr         string      // "": a free port on 127.0.0.1
	NoPipelining bool        // do not offer PIPELINING
	DropEarly    bool        // offer it, but forget commands that came before the answer to the one before
	Connections  int         // at a time: others are told 421 and closed, unless 0
	SMTPUTF8     bool        // offer SMTPUTF8
	Size         int         // offer SIZE with this limit, unless 0
	TLS          *tls.Config // offer STARTTLS, unless nil
	ImplicitTLS  bool        // speak TLS from the first byte instead
	Users        map[string]string
	Mechanisms   []string // for Users; nil: PLAIN and LOGIN
	Rules        []Rule
	Seed         uint64 // of the rules' Chance
	Discard      bool   // keep no messages and no commands, only count them: for benchmarks
	LogFile      string // append a line of JSON per accepted message, unless ""
}

// Message is one accepted message.
type Message struct {
	Seq       int // 1, 2, …
	Conn      int // number of the connection it came over
	From      string
	To        []string
	Data      []byte // dots unstuffed
	MessageID string // with angle brackets
	Size      int
	Time      time.Time
	HELO      string // the name the client gave
	TLS       bool
	User      string // authenticated as
}

// Server is a running server.
type Server struct {
	opts     Options
	listener net.Listener
	log      *os.File
	done     chan struct{}
	stop     sync.Once
	wg       sync.WaitGroup

	script atomic.Pointer[script] // nil: no rules
	number atomic.Int64           // of connections
	// truncated counts messages whose connection ended before their final dot.
	truncated atomic.Int64

	mu       sync.Mutex
	sessions map[net.Conn]struct{}
	taken    int // messages
	accepted []Message
	arrived  chan struct{} // closed with the next message, if somebody waits
	commands []string
	logErr   error
}

// Start runs a server until the test ends.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New runs a server until Close.
func New(opts Options) (*Server, error) {
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Mechanisms == nil {
		opts.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	s := &Server{opts: opts, done: make(chan struct{}), sessions: map[net.Conn]struct{}{}}
	s.Script(opts.Rules...)
	var err error
	if opts.LogFile != "" {
		if s.log, err = os.OpenFile(opts.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return nil, fmt.Errorf("test relay: %w", err)
		}
	}
	if s.listener, err = net.Listen("tcp", opts.Addr); err != nil {
		return nil, errors.Join(fmt.Errorf("test relay: %w", err), s.closeLog())
	}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		number, most, ok := s.enter(conn)
		if !ok {
			conn.Close()
			return
		}
		s.wg.Go(func() {
			x := newSession(s, conn.(*net.TCPConn), number)
			if most {
				x.refuse()
			} else {
				x.serve()
			}
			conn.Close()
			s.mu.Lock()
			delete(s.sessions, conn)
			s.mu.Unlock()
		})
	}
}

// enter numbers a connection, unless the server is closing; most says that
// there are as many already as may be.
func (s *Server) enter(conn net.Conn) (number int, most, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return 0, false, false
	default:
	}
	most = s.opts.Connections > 0 && len(s.sessions) >= s.opts.Connections
	s.sessions[conn] = struct{}{}
	return int(s.number.Add(1)), most, true
}

// Close stops the server and breaks its connections; what it recorded stays.
// The error is that of the log file. Only the first call does anything.
func (s *Server) Close() error {
	var err error
	s.stop.Do(func() {
		close(s.done)
		s.listener.Close()
		s.Disconnect()
		s.wg.Wait()
		err = errors.Join(s.logErr, s.closeLog())
	})
	return err
}

func (s *Server) closeLog() error {
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

// Disconnect breaks all present connections.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.sessions {
		conn.Close()
	}
}

// Addr gives the address to connect to, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port gives the port of Addr.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Script replaces the rules, with their counts, while the server runs.
func (s *Server) Script(rules ...Rule) { s.script.Store(newScript(rules, s.opts.Seed)) }

// keeps reports whether the text of messages is needed.
func (s *Server) keeps() bool { return !s.opts.Discard || s.log != nil }

// Messages gives what was accepted, in order; nothing with Options.Discard.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accepted)
}

// Count gives the number of accepted messages.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// Wait returns when n messages have been accepted.
func (s *Server) Wait(ctx context.Context, n int) error {
	for {
		arrived := s.next()
		if s.Count() >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("test relay: %d of %d messages: %w", s.Count(), n, ctx.Err())
		}
	}
}

// next gives a channel that is closed with the next message.
func (s *Server) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrived == nil {
		s.arrived = make(chan struct{})
	}
	return s.arrived
}

// Connections gives the number of connections that were made.
func (s *Server) Connections() int { return int(s.number.Load()) }

// Truncated gives the number of messages whose connection ended before their
// final dot. They are not accepted.
func (s *Server) Truncated() int { return int(s.truncated.Load()) }

// Commands gives the verbs received, in order of arrival, each with the
// number of its connection: "1 EHLO". With Options.Discard there are none.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}
