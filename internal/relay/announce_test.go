package relay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

// fates are the answers that some recipients meet.
var fates = []relaytest.Rule{
	{At: relaytest.Rcpt, Recipient: "unknown@example.com", Reply: "550 5.1.1 unknown"},
	{At: relaytest.Rcpt, Recipient: "busy@example.com", Reply: "450 4.2.1 busy"},
	{At: relaytest.Data, Recipient: "data@example.com", Reply: "451 4.3.0 later"},
	{At: relaytest.Dot, Recipient: "spam@example.com", Reply: "554 5.7.1 spam"},
	{At: relaytest.Dot, Recipient: "grey@example.com", Reply: "451 4.7.1 greylisted"},
	{At: relaytest.Dot, Recipient: "closing@example.com", Reply: "421 4.3.2 closing", Close: true},
	{At: relaytest.Dot, Recipient: "lost@example.com", Close: true},
	{At: relaytest.Rcpt, Recipient: "gone@example.com", RST: true},
}

// letterTo is a message that tells to whom it is.
func letterTo(n int, to string) (relay.Envelope, []byte) {
	msg := fmt.Sprintf("To: %s\r\nMessage-ID: <%d@example.org>\r\n\r\nHello %s\r\n", to, n, to)
	return relay.Envelope{From: "news@example.org", To: to}, []byte(msg)
}

// inTurn sends to each recipient, over new connections as need be, and says
// how each went. Announced, each message is named while the one before it is
// sent.
func inTurn(t testing.TB, s *relaytest.Server, recipients []string, announced bool) []string {
	t.Helper()
	r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: s.Port(), TLS: relay.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	var conn relay.Conn
	var went []string
	for i, to := range recipients {
		if conn == nil {
			if conn, err = r.Connect(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if announced && i+1 < len(recipients) {
			conn.Announce(letterTo(i+1, recipients[i+1]))
		}
		env, msg := letterTo(i, to)
		reply, err := conn.Send(context.Background(), env, msg, nil)
		went = append(went, outcome(reply, err))
		if !conn.Usable() {
			conn.Close()
			conn = nil
		}
	}
	if conn != nil {
		conn.Close()
	}
	return went
}

func outcome(reply relay.Reply, err error) string {
	var e *relay.Error
	if errors.As(err, &e) {
		return fmt.Sprint(e.Kind, " ", e.Code)
	}
	return fmt.Sprint("taken ", reply.Code)
}

// TestAnnouncedMessagesGoAsOthers holds the outcomes of messages that were
// announced to those of the same messages sent one after the other. Only what
// follows a message that broke the connection may differ: it was under way.
func TestAnnouncedMessagesGoAsOthers(t *testing.T) {
	names := []string{"ann@example.com", "bob@example.com", "cleo@example.com"}
	for _, f := range fates {
		names = append(names, f.Recipient)
	}
	breaking := []string{"closing@example.com", "lost@example.com", "gone@example.com"}
	rapid.Check(t, func(rt *rapid.T) {
		recipients := rapid.SliceOfN(rapid.SampledFrom(names), 1, 12).Draw(rt, "recipients")
		plain := relaytest.Start(t, relaytest.Options{Rules: fates})
		ahead := relaytest.Start(t, relaytest.Options{Rules: fates})
		want, got := inTurn(t, plain, recipients, false), inTurn(t, ahead, recipients, true)
		for i := range recipients {
			if got[i] == want[i] {
				continue
			}
			if i == 0 || got[i] != "unavailable 0" || !slices.Contains(breaking, recipients[i-1]) {
				rt.Fatalf("%s after %v: %s, want %s", recipients[i], recipients[:i], got[i], want[i])
			}
		}
		for _, m := range ahead.Messages() {
			if _, msg := letterTo(0, m.To[0]); len(m.Data) < len(msg) || len(m.To) != 1 {
				rt.Fatalf("the server took %q for %v", m.Data, m.To)
			}
		}
		plain.Close()
		ahead.Close()
	})
}

// TestAnnouncedCommandsGoWithTheDot answers to the first message only once the
// commands of the second are here.
func TestAnnouncedCommandsGoWithTheDot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
			err = answerAhead(c)
		}
		served <- err
	}()
	r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: relay.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Announce(letterTo(1, "b@example.com"))
	for i, to := range []string{"a@example.com", "b@example.com"} {
		env, msg := letterTo(i, to)
		if _, err := c.Send(t.Context(), env, msg, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// answerAhead takes two messages, and reads the commands of the second before
// it answers to the first.
func answerAhead(c net.Conn) error {
	c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	for _, turn := range []struct{ until, answer string }{
		{"", "220 here\r\n"},
		{"EHLO", "250-here\r\n250 PIPELINING\r\n"},
		{"DATA", "250 ok\r\n250 ok\r\n354 go\r\n"},
		{".", ""},
		{"DATA", "250 taken\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
		{".", "250 taken\r\n"},
	} {
		for line := "-"; turn.until != "" && !strings.HasPrefix(line, turn.until); {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				return fmt.Errorf("waiting for %s: %w", turn.until, err)
			}
		}
		if _, err := io.WriteString(c, turn.answer); err != nil {
			return err
		}
	}
	return nil
}

// TestAnnouncedAndNotSent: what was announced and does not follow must leave
// no trace, least of all an empty message.
func TestAnnouncedAndNotSent(t *testing.T) {
	for name, then := range map[string]func(*testing.T, relay.Conn){
		"closed": func(*testing.T, relay.Conn) {},
		"another one sent": func(t *testing.T, c relay.Conn) {
			env, msg := letterTo(2, "c@example.com")
			_, err := c.Send(t.Context(), env, msg, nil)
			want{"mail", relay.Unavailable, 0, false}.check(t, err, c.Usable())
		},
		"another text sent": func(t *testing.T, c relay.Conn) {
			env, _ := letterTo(1, "b@example.com")
			_, err := c.Send(t.Context(), env, message, nil)
			want{"mail", relay.Unavailable, 0, false}.check(t, err, c.Usable())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := relaytest.Start(t, relaytest.Options{})
			c := connect(t, s, relay.SMTPConfig{})
			c.Announce(letterTo(1, "b@example.com"))
			env, msg := letterTo(0, "a@example.com")
			if _, err := c.Send(t.Context(), env, msg, nil); err != nil {
				t.Fatal(err)
			}
			then(t, c)
			c.Close()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if got := s.Messages(); len(got) != 1 || got[0].To[0] != env.To {
				t.Errorf("the server took %+v", got)
			}
		})
	}
}

// TestAnnouncedButUnsendable: the message ahead goes as ever.
func TestAnnouncedButUnsendable(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep})
		c := connect(t, s, relay.SMTPConfig{})
		c.Announce(envelope, []byte("bare\nline\r\n"))
		if _, err := c.Send(t.Context(), envelope, message, nil); err != nil {
			t.Fatal(err)
		}
		_, err := c.Send(t.Context(), envelope, []byte("bare\nline\r\n"), nil)
		want{"body", relay.Permanent, 0, true}.check(t, err, c.Usable())
		checkNextMessage(t, s, c)
	})
}
