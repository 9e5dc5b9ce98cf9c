package relay_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

func certificate(t testing.TB, names ...string) relaytest.Certificate {
	t.Helper()
	c, err := relaytest.NewCertificate(names...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEncryptedAndAuthenticated(t *testing.T) {
	cert := certificate(t)
	for _, mode := range []string{relay.StartTLS, relay.ImplicitTLS} {
		for _, mechanism := range []string{"PLAIN", "LOGIN"} {
			t.Run(mode+" "+mechanism, func(t *testing.T) {
				t.Parallel()
				s := relaytest.Start(t, relaytest.Options{
					TLS: cert.Server, ImplicitTLS: mode == relay.ImplicitTLS,
					Users: map[string]string{"ann": "päss word"}, Mechanisms: []string{"GSSAPI", mechanism},
				})
				c := connect(t, s, relay.SMTPConfig{TLS: mode, TLSConfig: cert.Client, Username: "ann", Password: "päss word"})
				for range 2 {
					if _, err := c.Send(t.Context(), envelope, message, nil); err != nil {
						t.Fatal(err)
					}
				}
				for _, m := range s.Messages() {
					if !m.TLS || m.User != "ann" || string(m.Data) != string(message) {
						t.Errorf("arrived as %+v", m)
					}
				}
			})
		}
	}
}

func TestConnectFails(t *testing.T) {
	cert, other := certificate(t), certificate(t)
	named := certificate(t, "mail.example.org")
	users := map[string]string{"ann": "secret"}
	ann := relay.SMTPConfig{Username: "ann", Password: "secret"}
	starttls := relay.SMTPConfig{TLS: relay.StartTLS, TLSConfig: cert.Client}
	implicit := relay.SMTPConfig{TLS: relay.ImplicitTLS, TLSConfig: cert.Client}
	wrongName := relay.SMTPConfig{TLS: relay.StartTLS, TLSConfig: named.Client.Clone()}
	wrongName.TLSConfig.ServerName = "mail.example.com"
	for _, c := range []struct {
		name  string
		opts  relaytest.Options
		cfg   relay.SMTPConfig
		want  want
		words string
	}{
		{"greeting 554", rules(relaytest.Connect, "554 5.3.2 no"), relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 554, false}, "5.3.2 no"},
		{"greeting 421", rules(relaytest.Connect, "421 4.7.0 too many"), relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 421, false}, "too many"},
		{"greeting nonsense", rules(relaytest.Connect, "hello"), relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 0, false}, ""},
		{"greeting endless", rules(relaytest.Connect, "220 "+strings.Repeat("x", 1<<20)), relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 0, false}, "too much"},
		{"greeting closed", relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Connect, Close: true}}}, relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 0, false}, "EOF"},
		{"EHLO closed", relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.EHLO, Close: true}}}, relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 0, false}, ""},
		{"EHLO 550", rules(relaytest.EHLO, "550 5.7.1 bad name"), relay.SMTPConfig{}, want{"greeting", relay.Unavailable, 550, false}, "bad name"},
		{"no STARTTLS", relaytest.Options{}, starttls, want{"tls", relay.Unavailable, 0, false}, "does not offer STARTTLS"},
		{"STARTTLS refused", relaytest.Options{TLS: cert.Server, Rules: []relaytest.Rule{{At: relaytest.StartTLS, Reply: "454 4.7.0 later"}}}, starttls, want{"tls", relay.Unavailable, 454, false}, "later"},
		{"STARTTLS closed", relaytest.Options{TLS: cert.Server, Rules: []relaytest.Rule{{At: relaytest.StartTLS, Close: true}}}, starttls, want{"tls", relay.Unavailable, 0, false}, ""},
		{"another certificate", relaytest.Options{TLS: other.Server}, starttls, want{"tls", relay.Unavailable, 0, false}, "certificate"},
		{"another name", relaytest.Options{TLS: named.Server}, wrongName, want{"tls", relay.Unavailable, 0, false}, "certificate"},
		{"another certificate, implicit", relaytest.Options{TLS: other.Server, ImplicitTLS: true}, implicit, want{"tls", relay.Unavailable, 0, false}, "certificate"},
		{"no TLS where it is implicit", relaytest.Options{}, implicit, want{"tls", relay.Unavailable, 0, false}, "is port"},
		{"no AUTH", relaytest.Options{}, ann, want{"auth", relay.Unavailable, 0, false}, "offers no authentication"},
		{"unknown mechanism", relaytest.Options{Users: users, Mechanisms: []string{"GSSAPI"}}, ann, want{"auth", relay.Unavailable, 0, false}, "GSSAPI"},
		{"wrong password", relaytest.Options{Users: users}, relay.SMTPConfig{Username: "ann", Password: "guess"}, want{"auth", relay.Unavailable, 535, false}, `log in as "ann"`},
		{"AUTH 454", relaytest.Options{Users: users, Rules: []relaytest.Rule{{At: relaytest.Auth, Reply: "454 4.7.0 later"}}}, ann, want{"auth", relay.Unavailable, 454, false}, "later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := relaytest.Start(t, c.opts)
			conn, err := dial(t, s, c.cfg)
			if conn != nil {
				t.Error("a connection with an error")
			}
			c.want.check(t, err, false)
			if !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "guess") {
				t.Errorf("%v, want %q in it and no password", err, c.words)
			}
		})
	}
}

func rules(point, reply string) relaytest.Options {
	return relaytest.Options{Rules: []relaytest.Rule{{At: point, Reply: reply}}}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: port, TLS: relay.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Connect(t.Context())
	want{"dial", relay.Unavailable, 0, false}.check(t, err, false)
}

func TestCancelConnect(t *testing.T) {
	cert := certificate(t)
	for _, point := range []string{relaytest.Connect, relaytest.EHLO, relaytest.StartTLS, relaytest.Auth} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := relaytest.Start(t, relaytest.Options{
				TLS: cert.Server, Users: map[string]string{"ann": "secret"},
				Rules: []relaytest.Rule{{At: point, Hang: true}},
			})
			r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: s.Port(), TLS: relay.StartTLS, TLSConfig: cert.Client, Username: "ann", Password: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for s.Connections() == 0 || point != relaytest.Connect && !slices.Contains(s.Commands(), "1 "+point) {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			_, err = r.Connect(ctx)
			var e *relay.Error
			if !errors.As(err, &e) || e.Kind != relay.Unavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want a cancelled connection", err)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	good := relay.SMTPConfig{Host: "mail.example.org", Port: 587, TLS: relay.StartTLS}
	if _, err := relay.NewSMTP(good); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*relay.SMTPConfig){
		"no host":       func(c *relay.SMTPConfig) { c.Host = "" },
		"host, break":   func(c *relay.SMTPConfig) { c.Host = "a\r\nb" },
		"host is a URL": func(c *relay.SMTPConfig) { c.Host = "smtp://a" },
		"no port":       func(c *relay.SMTPConfig) { c.Port = 0 },
		"port too big":  func(c *relay.SMTPConfig) { c.Port = 70000 },
		"tls":           func(c *relay.SMTPConfig) { c.TLS = "yes" },
		"HELO":          func(c *relay.SMTPConfig) { c.HELO = "a\r\nb" },
		"no username":   func(c *relay.SMTPConfig) { c.Password = "x" },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := relay.NewSMTP(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
