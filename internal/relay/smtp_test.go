package relay_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	envelope = relay.Envelope{From: "news@example.org", To: "ann@example.com"}
	message  = []byte("To: ann@example.com\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n.\r\n")
)

func dial(t testing.TB, s *relaytest.Server, cfg relay.SMTPConfig) (relay.Conn, error) {
	t.Helper()
	cfg.Host, cfg.Port = "127.0.0.1", s.Port()
	if cfg.TLS == "" {
		cfg.TLS = relay.NoTLS
	}
	r, err := relay.NewSMTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r.Connect(t.Context())
}

func connect(t testing.TB, s *relaytest.Server, cfg relay.SMTPConfig) relay.Conn {
	t.Helper()
	c, err := dial(t, s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// want is what a failure must be.
type want struct {
	phase  string
	kind   relay.Kind
	code   int
	usable bool
}

func (w want) check(t *testing.T, err error, usable bool) {
	t.Helper()
	var e *relay.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %v", err, w)
	}
	if got := (want{e.Phase, e.Kind, e.Code, usable}); got != w {
		t.Errorf("got %v, want %v (%v)", got, w, err)
	}
}

// bothWays runs a test with and without pipelining.
func bothWays(t *testing.T, test func(t *testing.T, lockstep bool)) {
	for _, lockstep := range []bool{false, true} {
		t.Run(fmt.Sprintf("lockstep=%t", lockstep), func(t *testing.T) {
			t.Parallel()
			test(t, lockstep)
		})
	}
}

func TestSend(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep})
		c := connect(t, s, relay.SMTPConfig{HELO: "mail.example.org"})
		for n := range 3 {
			dots := 0
			reply, err := c.Send(t.Context(), envelope, message, func() error {
				if dots++; s.Count() != n {
					t.Error("taken before the final dot")
				}
				return nil
			})
			if err != nil || dots != 1 || reply != (relay.Reply{Code: 250, Enhanced: "2.0.0", Text: "taken"}) {
				t.Fatalf("message %d: %+v, %v, %d calls at the dot", n, reply, err, dots)
			}
		}
		for _, m := range s.Messages() {
			if m.From != envelope.From || !slices.Equal(m.To, []string{envelope.To}) || !bytes.Equal(m.Data, message) || m.MessageID != "<1@example.org>" || m.HELO != "mail.example.org" {
				t.Errorf("arrived as %+v", m)
			}
		}
		if err := c.Close(); err != nil || c.Usable() {
			t.Errorf("close: %v, usable %t", err, c.Usable())
		}
		if got := s.Commands(); s.Connections() != 1 || !slices.Contains(got, "1 QUIT") || slices.Contains(got, "1 RSET") {
			t.Errorf("%d connections: %v", s.Connections(), got)
		}
	})
}

// TestRefusals holds every answer and every loss against what it means.
func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name  string
		rules []relaytest.Rule
		want  want
	}{
		{"MAIL 5xx", at(relaytest.Mail, "550 5.7.1 not you"), want{"mail", relay.Unavailable, 550, true}},
		{"MAIL 4xx", at(relaytest.Mail, "451 4.3.0 later"), want{"mail", relay.Unavailable, 451, true}},
		{"MAIL 421", at(relaytest.Mail, "421 4.3.2 closing"), want{"mail", relay.Unavailable, 421, false}},
		{"MAIL closed", []relaytest.Rule{{At: relaytest.Mail, Close: true}}, want{"mail", relay.Unavailable, 0, false}},
		{"MAIL reset", []relaytest.Rule{{At: relaytest.Mail, RST: true}}, want{"mail", relay.Unavailable, 0, false}},
		{"MAIL nonsense", at(relaytest.Mail, "hello"), want{"mail", relay.Unavailable, 0, false}},
		{"MAIL 354", at(relaytest.Mail, "354 go"), want{"mail", relay.Unavailable, 354, false}},

		{"RCPT 5xx", at(relaytest.Rcpt, "550 5.1.1 unknown"), want{"rcpt", relay.Permanent, 550, true}},
		{"RCPT 4xx", at(relaytest.Rcpt, "450 4.2.1 busy"), want{"rcpt", relay.Temporary, 450, true}},
		{"RCPT 421", at(relaytest.Rcpt, "421 4.3.2 closing"), want{"rcpt", relay.Unavailable, 421, false}},
		{"RCPT closed", []relaytest.Rule{{At: relaytest.Rcpt, Close: true}}, want{"rcpt", relay.Unavailable, 0, false}},
		{"RCPT endless", at(relaytest.Rcpt, "250 "+long), want{"rcpt", relay.Unavailable, 0, false}},
		{"RCPT 354", at(relaytest.Rcpt, "354 go"), want{"rcpt", relay.Unavailable, 354, false}},

		{"DATA 5xx", at(relaytest.Data, "554 5.7.0 no"), want{"data", relay.Permanent, 554, true}},
		{"DATA 4xx", at(relaytest.Data, "451 4.3.0 later"), want{"data", relay.Temporary, 451, true}},
		{"DATA 421", at(relaytest.Data, "421 4.3.2 closing"), want{"data", relay.Unavailable, 421, false}},
		{"DATA closed", []relaytest.Rule{{At: relaytest.Data, Close: true}}, want{"data", relay.Unavailable, 0, false}},
		{"DATA 250", at(relaytest.Data, "250 go"), want{"data", relay.Unavailable, 250, false}},

		{"DATA, and more than was asked", []relaytest.Rule{{At: relaytest.Data, Raw: "354 go\r\n250 2.0.0 taken\r\n", Times: 1}}, want{"body", relay.Unavailable, 0, false}},

		{"dot 5xx", at(relaytest.Dot, "552 5.3.4 too big"), want{"dot", relay.Permanent, 552, true}},
		{"dot 4xx", at(relaytest.Dot, "451 4.7.1 greylisted"), want{"dot", relay.Temporary, 451, true}},
		{"dot 421", []relaytest.Rule{{At: relaytest.Dot, Reply: "421 4.3.2 closing", Close: true}}, want{"dot", relay.Temporary, 421, false}},
		{"dot, several lines", at(relaytest.Dot, "554 5.7.1 first\n554 5.7.1 second"), want{"dot", relay.Permanent, 554, true}},
		{"dot closed", []relaytest.Rule{{At: relaytest.Dot, Close: true}}, want{"dot", relay.InDoubt, 0, false}},
		{"dot taken, closed", []relaytest.Rule{{At: relaytest.Dot, Keep: true, Close: true}}, want{"dot", relay.InDoubt, 0, false}},
		{"dot taken, reset", []relaytest.Rule{{At: relaytest.Dot, Keep: true, RST: true}}, want{"dot", relay.InDoubt, 0, false}},
		{"dot nonsense", at(relaytest.Dot, "hello"), want{"dot", relay.InDoubt, 0, false}},
		{"dot 354", at(relaytest.Dot, "354 more"), want{"dot", relay.InDoubt, 0, false}},
		{"dot endless", at(relaytest.Dot, "550 "+long), want{"dot", relay.InDoubt, 0, false}},
		{"dot codes differ", at(relaytest.Dot, "250 taken\n550 not taken"), want{"dot", relay.InDoubt, 0, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, lockstep bool) {
				s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: c.rules})
				conn := connect(t, s, relay.SMTPConfig{})
				_, err := conn.Send(t.Context(), envelope, message, nil)
				c.want.check(t, err, conn.Usable())
				checkNextMessage(t, s, conn)
			})
		})
	}
}

// at gives the rule that one point is answered once with reply.
func at(point, reply string) []relaytest.Rule {
	return []relaytest.Rule{{At: point, Reply: reply, Times: 1}}
}

// checkNextMessage sends once more over a connection that had a failure: it
// must arrive whole, or nothing of it.
func checkNextMessage(t *testing.T, s *relaytest.Server, conn relay.Conn) {
	t.Helper()
	before, usable := s.Count(), conn.Usable()
	reply, err := conn.Send(t.Context(), envelope, message, nil)
	if !usable {
		want{"mail", relay.Unavailable, 0, false}.check(t, err, conn.Usable())
	} else if err != nil || reply.Code != 250 || s.Count() != before+1 {
		t.Fatalf("after a refusal: %+v, %v, %d more accepted", reply, err, s.Count()-before)
	}
	for _, m := range s.Messages() {
		if !bytes.Equal(m.Data, message) {
			t.Errorf("the server took %q", m.Data)
		}
	}
}

func TestRefusedRecipientsAreTheirOwn(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: []relaytest.Rule{
			{At: relaytest.Rcpt, Recipient: "bad@example.com", Reply: "550 5.1.1 unknown"},
			{At: relaytest.Dot, Recipient: "full@example.com", Reply: "452 4.2.2 full"},
		}})
		conn := connect(t, s, relay.SMTPConfig{})
		for _, to := range []string{"bad@example.com", "ann@example.com", "full@example.com", "bad@example.com", "bob@example.com"} {
			_, err := conn.Send(t.Context(), relay.Envelope{From: "", To: to}, message, nil)
			if wantErr := strings.HasPrefix(to, "bad") || strings.HasPrefix(to, "full"); (err != nil) != wantErr {
				t.Errorf("%s: %v", to, err)
			}
		}
		if s.Count() != 2 || s.Connections() != 1 {
			t.Errorf("%d accepted over %d connections, want 2 over 1", s.Count(), s.Connections())
		}
	})
}

// TestRefusedAndClosed loses the connection after an answer that counts.
func TestRefusedAndClosed(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Rcpt, Reply: "550 5.1.1 unknown", Close: true}}})
	conn := connect(t, s, relay.SMTPConfig{})
	_, err := conn.Send(t.Context(), envelope, message, nil)
	want{"rcpt", relay.Permanent, 550, false}.check(t, err, conn.Usable())
}

func TestLoneDot(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{
		{At: relaytest.Rcpt, Reply: "550 5.1.1 unknown", Times: 1},
		{At: relaytest.Data, Reply: "354 go ahead all the same", Times: 1},
	}})
	conn := connect(t, s, relay.SMTPConfig{})
	_, err := conn.Send(t.Context(), envelope, message, func() error {
		t.Error("the message went out without a recipient")
		return nil
	})
	want{"rcpt", relay.Permanent, 550, true}.check(t, err, conn.Usable())
	if s.Count() != 0 || s.Truncated() != 0 {
		t.Errorf("%d accepted, %d truncated, want none", s.Count(), s.Truncated())
	}
	checkNextMessage(t, s, conn)
}

// big is more than what the system buffers, so that a loss is noticed while
// writing.
func big() []byte {
	return append([]byte("Subject: big\r\n\r\n"), bytes.Repeat([]byte(strings.Repeat("x", 76)+"\r\n"), 400_000)...)
}

func TestBrokenBody(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: []relaytest.Rule{{At: relaytest.Body, After: 100_000, RST: true}}})
		conn := connect(t, s, relay.SMTPConfig{})
		_, err := conn.Send(t.Context(), envelope, big(), func() error {
			t.Error("came to the dot")
			return nil
		})
		want{"body", relay.Unavailable, 0, false}.check(t, err, conn.Usable())
		conn.Close()
		if s.Count() != 0 || slices.Contains(s.Commands(), "1 QUIT") {
			t.Errorf("%d accepted; %v", s.Count(), s.Commands())
		}
	})
}

func TestAbandonedAtTheDot(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep})
		conn := connect(t, s, relay.SMTPConfig{})
		stop := errors.New("the journal is full")
		_, err := conn.Send(t.Context(), envelope, message, func() error { return stop })
		want{"dot", relay.Unavailable, 0, false}.check(t, err, conn.Usable())
		if !errors.Is(err, stop) {
			t.Errorf("%v does not wrap its cause", err)
		}
		conn.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.Count() != 0 || slices.Contains(s.Commands(), "1 QUIT") {
			t.Errorf("%d accepted; %v", s.Count(), s.Commands())
		}
	})
}

func TestSlowAnswersAreAwaited(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: []relaytest.Rule{
			{At: relaytest.Rcpt, Reply: "250 2.1.5 one\n250 2.1.5 two", Drip: time.Millisecond},
			{At: relaytest.Dot, Delay: 20 * time.Millisecond},
		}})
		if _, err := connect(t, s, relay.SMTPConfig{}).Send(t.Context(), envelope, message, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestRelayGoneBetweenMessages(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	conn := connect(t, s, relay.SMTPConfig{})
	if _, err := conn.Send(t.Context(), envelope, message, nil); err != nil {
		t.Fatal(err)
	}
	s.Disconnect()
	_, err := conn.Send(t.Context(), envelope, message, nil)
	want{"mail", relay.Unavailable, 0, false}.check(t, err, conn.Usable())
}

func TestUnsendable(t *testing.T) {
	for _, c := range []struct {
		name string
		env  relay.Envelope
		msg  string
		want want
	}{
		{"line break in the recipient", relay.Envelope{From: "a@b.org", To: "c@d.org>\r\nDATA"}, "x\r\n", want{"rcpt", relay.Permanent, 0, true}},
		{"no recipient", relay.Envelope{From: "a@b.org"}, "x\r\n", want{"rcpt", relay.Permanent, 0, true}},
		{"bracket in the sender", relay.Envelope{From: "a@b.org> SIZE=1", To: "c@d.org"}, "x\r\n", want{"mail", relay.Unavailable, 0, true}},
		{"bare LF", envelope, "x\ny\r\n", want{"body", relay.Permanent, 0, true}},
		{"bare CR", envelope, "x\ry\r\n", want{"body", relay.Permanent, 0, true}},
		{"bare LF before a dot", envelope, "x\n.\r\ny\r\n", want{"body", relay.Permanent, 0, true}},
		{"LF CR", envelope, "x\n\ry\r\n", want{"body", relay.Permanent, 0, true}},
		{"recipient not ASCII", relay.Envelope{From: "a@b.org", To: "jörg@d.org"}, "x\r\n", want{"rcpt", relay.Permanent, 0, true}},
		{"header not ASCII", envelope, "To: jörg@d.org\r\n\r\nx\r\n", want{"rcpt", relay.Permanent, 0, true}},
		{"too big", envelope, strings.Repeat("x\r\n", 400), want{"body", relay.Permanent, 0, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := relaytest.Start(t, relaytest.Options{Size: 1000})
			conn := connect(t, s, relay.SMTPConfig{})
			_, err := conn.Send(t.Context(), c.env, []byte(c.msg), nil)
			c.want.check(t, err, conn.Usable())
			checkNextMessage(t, s, conn)
		})
	}
}

func TestInternationalAddress(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{SMTPUTF8: true})
	conn := connect(t, s, relay.SMTPConfig{})
	env := relay.Envelope{From: "news@example.org", To: "jörg@example.com"}
	if _, err := conn.Send(t.Context(), env, []byte("To: jörg@example.com\r\n\r\nx\r\n"), nil); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(); len(got) != 1 || got[0].To[0] != env.To {
		t.Errorf("arrived as %v", got)
	}
}
