// Package smtpd takes mail over SMTP (RFC 5321) or LMTP (RFC 2033) for a few
// addresses of our own. It relays nothing, answers nothing, and refuses every
// other address at once, so that nobody can have mail thrown at third parties
// through it. What the mail means is left to whose address it is.
package smtpd

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
)

// Limits of what one client, or all together, may ask for.
const (
	maxConnections = 50
	maxRecipients  = 20
	maxMessage     = 30 << 20
	keepMost       = 1 << 20          // of a message: what follows is read and forgotten
	maxLine        = 1 << 20          // mails that come back have lines of any length
	maxStrangers   = 20               // addresses that are not ours, over one connection
	maxVisit       = 10 * time.Minute // of one connection: idle talk must not keep others out
	commandWithin  = time.Minute      // for each line; RFC 5321 §4.5.3.2.7 would give senders five
	deliverWithin  = 2 * time.Minute  // for the recipients of one message
	endWithin      = time.Second      // for the messages under way at the end
)

// A Mailbox takes a message, which begins with the envelope sender as its
// Return-Path (RFC 5321 §4.4); an error means that it should be sent again
// later.
type Mailbox func(ctx context.Context, msg io.Reader) error

// Config is a Server's settings.
type Config struct {
	Name string      // by which the server introduces itself
	LMTP bool        // instead of SMTP
	TLS  *tls.Config // for STARTTLS; nil: it is not offered
	// Find gives the mailbox of an address; nil if there is none here.
	Find func(address string) Mailbox
	Log  *slog.Logger
}

// A Server takes mail.
type Server struct {
	cfg Config

	deliveries sync.RWMutex // held for reading by each, for writing to end them
	ended      bool
}

// New makes a Server.
func New(c Config) *Server { return &Server{cfg: c} }

// Serve takes mail on l until ctx ends. Then it cuts the connections: a client
// that has no answer yet sends the message again, later.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	last, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, ctx: last, conn: c}, nil
	}))
	srv.Domain, srv.LMTP, srv.TLSConfig = s.cfg.Name, s.cfg.LMTP, s.cfg.TLS
	srv.MaxRecipients, srv.MaxMessageBytes, srv.MaxLineLength = maxRecipients, maxMessage, maxLine
	srv.ReadTimeout, srv.WriteTimeout = commandWithin, commandWithin
	srv.EnableSMTPUTF8 = true
	srv.ErrorLog = slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(netutil.LimitListener(brief{l}, maxConnections)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("take mail on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	_ = srv.Close() // of the listener, which nobody uses any more
	err := <-failed
	defer time.AfterFunc(endWithin, cut).Stop()
	s.deliveries.Lock() // waits for those under way
	defer s.deliveries.Unlock()
	s.ended = true
	return err
}

// Answers to clients.
var (
	errNoMailbox = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox here"}
	errLater     = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not possible at present, try again later"}
)

// A session is one connection.
type session struct {
	server    *Server
	ctx       context.Context
	conn      *smtp.Conn
	from      string
	to        []recipient
	strangers int // recipients that were refused
}

type recipient struct {
	address string
	mailbox Mailbox
}

var _ smtp.LMTPSession = (*session)(nil)

// Mail accepts every sender: reports have none (RFC 5321 §4.5.5).
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = from, nil
	return nil
}

// Rcpt refuses addresses that are not ours.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	mailbox := s.server.cfg.Find(to)
	if mailbox == nil {
		if s.strangers++; s.strangers >= maxStrangers {
			_ = s.conn.Close() // whoever tries so many looks for something else
		}
		return errNoMailbox
	}
	s.to = append(s.to, recipient{to, mailbox})
	return nil
}

// Data delivers a message to all its recipients. If one of them fails, it is
// sent again for all: a report that comes twice counts once.
func (s *session) Data(r io.Reader) error {
	return s.deliver(r, func(string, error) {})
}

// LMTPData delivers a message and answers for each recipient.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	return s.deliver(r, status.SetStatus)
}

func (s *session) deliver(r io.Reader, answer func(address string, err error)) error {
	msg, err := readMessage(r)
	if err != nil {
		return err
	}
	msg = slices.Concat([]byte("Return-Path: <"+s.from+">\r\n"), msg)
	s.server.deliveries.RLock()
	defer s.server.deliveries.RUnlock()
	if s.server.ended {
		return errLater
	}
	ctx, cancel := context.WithTimeout(s.ctx, deliverWithin)
	defer cancel()
	var failed error
	for _, to := range s.to {
		err := to.mailbox(ctx, bytes.NewReader(msg))
		if err != nil {
			s.server.cfg.Log.Warn("a message is to come again, for it could not be dealt with", "error", err)
			err = errLater
		}
		answer(to.address, err)
		failed = cmp.Or(failed, err)
	}
	return failed
}

// readMessage reads all of a message and keeps its beginning.
func readMessage(r io.Reader) ([]byte, error) {
	msg, err := io.ReadAll(io.LimitReader(r, keepMost))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return msg, err
}

// Reset forgets the sender and the recipients.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the session; there is nothing to give back.
func (s *session) Logout() error { return nil }
