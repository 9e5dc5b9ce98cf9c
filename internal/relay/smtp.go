package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// How a connection is encrypted.
const (
	StartTLS    = "starttls" // RFC 3207; required, not merely tried
	ImplicitTLS = "tls"      // RFC 8314 §3
	NoTLS       = "none"
)

// SMTPConfig says how to reach an SMTP relay.
type SMTPConfig struct {
	Host     string
	Port     int
	TLS      string // StartTLS, ImplicitTLS or NoTLS
	Username string // "": no authentication
	Password string
	HELO     string // name to greet with; "": the machine's
	Lockstep bool   // one command at a time, even if PIPELINING is offered
	Timeouts Timeouts

	// TLSConfig replaces the default, which verifies the relay's certificate
	// for Host and wants TLS 1.2. Its ServerName defaults to Host.
	TLSConfig *tls.Config
}

// Timeouts bound the waiting of each phase; zero means the default. Shorter
// ones than the defaults of RFC 5321 §4.5.3.2 make duplicates: the relay may
// have taken a message whose answer was not waited for.
type Timeouts struct {
	Dial    time.Duration // 30 s
	Command time.Duration // greeting, EHLO, TLS, AUTH, MAIL, RCPT: 5 min each
	Data    time.Duration // answer to DATA: 2 min
	Block   time.Duration // writing 64 KiB of the message: 3 min
	Dot     time.Duration // answer to the final dot: 10 min
	Quit    time.Duration // answer to QUIT: 5 s
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.Dial, 30 * time.Second},
		{&t.Command, 5 * time.Minute},
		{&t.Data, 2 * time.Minute},
		{&t.Block, 3 * time.Minute},
		{&t.Dot, 10 * time.Minute},
		{&t.Quit, 5 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return t
}

type smtpRelay struct {
	SMTPConfig
	tls *tls.Config
}

// NewSMTP gives a Relay that speaks SMTP. It does not connect yet.
func NewSMTP(cfg SMTPConfig) (Relay, error) {
	if cfg.HELO == "" {
		cfg.HELO = machineName()
	}
	cfg.Timeouts = cfg.Timeouts.withDefaults()
	switch {
	case cfg.Host == "" || strings.ContainsFunc(cfg.Host, notInHostName):
		return nil, fmt.Errorf("SMTP relay: host %q is not a host name; set mail.smtp.host", cfg.Host)
	case cfg.Port < 1 || cfg.Port > 65535:
		return nil, fmt.Errorf("SMTP relay: port %d is not between 1 and 65535", cfg.Port)
	case cfg.TLS != StartTLS && cfg.TLS != ImplicitTLS && cfg.TLS != NoTLS:
		return nil, fmt.Errorf("SMTP relay: tls %q is none of starttls, tls, none", cfg.TLS)
	case strings.ContainsFunc(cfg.HELO, notInHostName):
		return nil, fmt.Errorf("SMTP relay: %q is not a name to greet with", cfg.HELO)
	case cfg.Username == "" && cfg.Password != "":
		return nil, errors.New("SMTP relay: a password without a username")
	}
	return &smtpRelay{SMTPConfig: cfg, tls: tlsConfig(cfg)}, nil
}

func notInHostName(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>@/", r) }

func machineName() string {
	if name, err := os.Hostname(); err == nil && name != "" && !strings.ContainsFunc(name, notInHostName) {
		return name
	}
	return "localhost"
}

func tlsConfig(cfg SMTPConfig) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLSConfig != nil {
		c = cfg.TLSConfig.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = cfg.Host
	}
	return c
}

// Connect implements Relay.
func (r *smtpRelay) Connect(ctx context.Context) (Conn, error) {
	address := net.JoinHostPort(r.Host, strconv.Itoa(r.Port))
	dialer := net.Dialer{Timeout: r.Timeouts.Dial}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, unavailable(ctx, PhaseDial, err)
	}
	sock := &socket{Conn: raw, address: address, left: maxHandshake}
	stop := context.AfterFunc(ctx, sock.abort)
	c, err := r.handshake(ctx, sock)
	if !stop() && err == nil {
		err = unavailable(ctx, PhaseGreeting, ctx.Err())
	}
	if err != nil {
		sock.abort()
		return nil, err
	}
	return c, nil
}

// handshake brings a new connection to where mail can be sent. go-mail's SMTP
// client does this part.
func (r *smtpRelay) handshake(ctx context.Context, sock *socket) (*conn, error) {
	stream := net.Conn(sock)
	if r.TLS == ImplicitTLS {
		encrypted := tls.Client(sock, r.tls)
		sock.allow(r.Timeouts.Command)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, unavailable(ctx, PhaseTLS, fmt.Errorf("%w; is port %d the one for tls: tls?", err, r.Port))
		}
		stream = encrypted
	}
	sock.allow(r.Timeouts.Command)
	client, err := smtp.NewClient(stream, r.Host)
	if err != nil {
		return nil, unavailable(ctx, PhaseGreeting, err)
	}
	sock.allow(r.Timeouts.Command)
	if err := client.Hello(r.HELO); err != nil {
		return nil, unavailable(ctx, PhaseGreeting, err)
	}
	if err := r.startTLS(sock, client); err != nil {
		return nil, unavailable(ctx, PhaseTLS, err)
	}
	if err := r.authenticate(sock, client); err != nil {
		return nil, unavailable(ctx, PhaseAuth, fmt.Errorf("log in as %q: %w", r.Username, err))
	}
	sock.left = unbounded
	c := newConn(sock, client, r.TLS != NoTLS, r.Timeouts, earlyOf(sock.address))
	c.pipelining = c.pipelining && !r.Lockstep
	return c, nil
}

func (r *smtpRelay) startTLS(sock *socket, client *smtp.Client) error {
	if r.TLS != StartTLS {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return fmt.Errorf("%s does not offer STARTTLS on port %d; use its port for tls: tls (often 465), or tls: none if the network between is trusted", r.Host, r.Port)
	}
	sock.allow(r.Timeouts.Command)
	return client.StartTLS(r.tls)
}

func unavailable(ctx context.Context, phase string, err error) error {
	return failure(ctx, phase, Unavailable, err)
}

// failure makes the error of a broken connection or handshake. A cause that
// is only the consequence of ctx's end gives way to it.
func failure(ctx context.Context, phase string, kind Kind, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &Error{Phase: phase, Kind: kind, Reply: replyIn(err), Err: err}
}
