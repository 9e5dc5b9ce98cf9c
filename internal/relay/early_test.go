package relay_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

// TestARelayThatForgetsWhatCameEarly offers PIPELINING and means nothing by it:
// that is found out once, for all connections to it.
func TestARelayThatForgetsWhatCameEarly(t *testing.T) {
	brief := relay.SMTPConfig{Timeouts: relay.Timeouts{Command: 300 * time.Millisecond, Data: 300 * time.Millisecond}}
	s := relaytest.Start(t, relaytest.Options{DropEarly: true})
	_, err := connect(t, s, brief).Send(t.Context(), envelope, message, nil)
	if err == nil || !strings.Contains(err.Error(), "one at a time") {
		t.Fatalf("error %v, want one that tells what follows", err)
	}
	c := connect(t, s, brief)
	for range 3 {
		c.Announce(envelope, message)
		if _, err := c.Send(t.Context(), envelope, message, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.Count() != 3 {
		t.Errorf("%d messages were taken, want 3", s.Count())
	}
}

// TestPipeliningThatIsNotWanted: what the relay says of it, and connections
// that break again and again, but not a relay with which it has worked before.
func TestPipeliningThatIsNotWanted(t *testing.T) {
	for _, c := range []struct {
		name   string
		worked bool
		rule   relaytest.Rule
		tries  int
		off    bool
	}{
		{"refused in words", false, relaytest.Rule{At: relaytest.Data, Reply: "503 5.5.0 Improper use of SMTP command pipelining"}, 1, true},
		{"refused otherwise", false, relaytest.Rule{At: relaytest.Rcpt, Reply: "550 5.1.1 unknown"}, 5, false},
		{"broken thrice", false, relaytest.Rule{At: relaytest.Rcpt, Close: true}, 3, true},
		{"broken twice", false, relaytest.Rule{At: relaytest.Rcpt, Close: true}, 2, false},
		{"broken after it worked", true, relaytest.Rule{At: relaytest.Rcpt, Close: true}, 5, false},
		{"hanging", false, relaytest.Rule{At: relaytest.Rcpt, Hang: true}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := relaytest.Start(t, relaytest.Options{})
			brief := relay.SMTPConfig{Timeouts: relay.Timeouts{Command: 200 * time.Millisecond}}
			if c.worked {
				if _, err := connect(t, s, brief).Send(t.Context(), envelope, message, nil); err != nil {
					t.Fatal(err)
				}
			}
			s.Script(c.rule)
			for range c.tries {
				if _, err := connect(t, s, brief).Send(t.Context(), envelope, message, nil); err == nil {
					t.Fatal("it was taken")
				}
			}
			s.Script(relaytest.Rule{At: relaytest.Mail, Delay: 50 * time.Millisecond, Reply: "450 4.3.0 later"})
			before := len(s.Commands())
			conn := connect(t, s, brief)
			if _, err := conn.Send(t.Context(), envelope, message, nil); err == nil {
				t.Fatal("it was taken")
			}
			conn.Close()
			together := strings.Contains(strings.Join(s.Commands()[before:], "\n"), "RCPT")
			if together == c.off {
				t.Errorf("commands were sent together: %t, want %t: %v", together, !c.off, s.Commands()[before:])
			}
		})
	}
}

// TestLockstep asks for no pipelining, whatever is offered.
func TestLockstep(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{DropEarly: true})
	c := connect(t, s, relay.SMTPConfig{Lockstep: true})
	for range 2 {
		c.Announce(envelope, message)
		if _, err := c.Send(t.Context(), envelope, message, nil); err != nil {
			t.Fatal(err)
		}
	}
}
