package relaytest_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
)

func TestWhenARuleActs(t *testing.T) {
	busy := func(r relaytest.Rule) relaytest.Rule {
		r.At, r.Reply = relaytest.Rcpt, "450 busy"
		return r
	}
	for _, c := range []struct {
		name string
		rule relaytest.Rule
		want string
	}{
		{"always", relaytest.Rule{}, "450 450 450 450 450 450"},
		{"recipient", relaytest.Rule{Recipient: "2@b.net"}, "250 450 250 250 450 250"},
		{"domain", relaytest.Rule{Domain: "B.net"}, "250 450 450 250 450 450"},
		{"skip and times", relaytest.Rule{Skip: 1, Times: 2}, "250 450 450 250 250 250"},
		{"every other", relaytest.Rule{Every: 2}, "450 250 450 250 450 250"},
		{"every other, twice, from the second on", relaytest.Rule{Skip: 1, Every: 2, Times: 2}, "250 450 250 450 250 250"},
		{"every other of a domain", relaytest.Rule{Domain: "b.net", Every: 2}, "250 450 250 250 450 250"},
		{"second connection", relaytest.Rule{Conn: 2}, "250 250 250 450 450 450"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{busy(c.rule)}})
			var got []string
			for range 2 {
				got = append(got, talk(t, s, "MAIL FROM:<a@b>", "RCPT TO:<1@a.net>", "RCPT TO:<2@b.net>", "RCPT TO:<3@b.net>")[2:]...)
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestChance expects of one seed always the same, and of another something
// else.
func TestChance(t *testing.T) {
	answers := func(seed uint64) string {
		s := relaytest.Start(t, relaytest.Options{Seed: seed, Rules: []relaytest.Rule{{At: relaytest.Noop, Reply: "450 busy", Chance: 0.5}}})
		return strings.Join(talk(t, s, slices.Repeat([]string{"NOOP"}, 40)...), " ")
	}
	if one, again, other := answers(1), answers(1), answers(2); one != again || one == other || !strings.Contains(one, "250") || !strings.Contains(one, "450") {
		t.Errorf("seed 1: %s\nagain:  %s\nseed 2: %s", one, again, other)
	}
}

// raw sends what is given and gives all that comes until the end, and how it
// ended.
func raw(t *testing.T, s *relaytest.Server, send string) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, send)
	conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	b, err := io.ReadAll(conn)
	return string(b), err
}

func TestWhatARuleDoes(t *testing.T) {
	const mail = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
	const greeting = "220 relaytest ESMTP\r\n"
	for _, c := range []struct {
		name  string
		rule  relaytest.Rule
		send  string
		ends  string // of what comes
		err   error  // nil: closed
		taken int
	}{
		{"lines", relaytest.Rule{At: relaytest.Mail, Reply: "550 5.7.1 one\n550 5.7.1 two", Close: true}, mail, "550-5.7.1 one\r\n550 5.7.1 two\r\n", nil, 0},
		{"bytes", relaytest.Rule{At: relaytest.Mail, Raw: "\x00\xff250", Close: true}, mail, "\x00\xff250", nil, 0},
		{"fill", relaytest.Rule{At: relaytest.Mail, Reply: "550 ", Fill: 9, Close: true}, mail, "550 xxxxxxxxx\r\n", nil, 0},
		{"early answers", relaytest.Rule{At: relaytest.Connect, Raw: greeting + "250 relaytest\r\n", Close: true}, "", greeting + "250 relaytest\r\n", nil, 0},
		{"no greeting", relaytest.Rule{At: relaytest.Connect, Close: true}, "", "", nil, 0},
		{"hang", relaytest.Rule{At: relaytest.Data, Hang: true}, mail, "250 2.1.5 ok\r\n", errTimeout, 0},
		{"reset", relaytest.Rule{At: relaytest.Data, Delay: 20 * time.Millisecond, RST: true}, mail, "250 2.1.5 ok\r\n", syscall.ECONNRESET, 0},
		{"amid the message", relaytest.Rule{At: relaytest.Body, After: 3, Reply: "421 4.3.2 closing", Close: true}, mail + "12345", "421 4.3.2 closing\r\n", nil, 0},
		{"amid the message, reset", relaytest.Rule{At: relaytest.Body, After: 3, Delay: 20 * time.Millisecond, RST: true}, mail + "12345", "354 go ahead\r\n", syscall.ECONNRESET, 0},
		{"amid the message, slow", relaytest.Rule{At: relaytest.Body, After: 3, Drip: time.Millisecond}, mail + strings.Repeat("12345678\r\n", 2000) + ".\r\nQUIT\r\n", "221 2.0.0 bye\r\n", nil, 1},
		{"beyond the message", relaytest.Rule{At: relaytest.Body, After: 1000, Close: true}, mail + "1\r\n.\r\nQUIT\r\n", "221 2.0.0 bye\r\n", nil, 1},
		{"refused and kept", relaytest.Rule{At: relaytest.Dot, Reply: "451 4.3.0 later", Keep: true, Close: true}, mail + "1\r\n.\r\n", "451 4.3.0 later\r\n", nil, 1},
		{"half an answer, kept", relaytest.Rule{At: relaytest.Dot, Raw: "25", Keep: true, Close: true}, mail + "1\r\n.\r\n", "354 go ahead\r\n25", nil, 1},
		{"drip", relaytest.Rule{At: relaytest.Mail, Reply: "550 no", Drip: time.Millisecond, Close: true}, mail, "550 no\r\n", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{c.rule}})
			got, err := raw(t, s, c.send)
			var timeout net.Error
			if c.err == errTimeout && errors.As(err, &timeout) && timeout.Timeout() {
				err = errTimeout
			}
			if !strings.HasSuffix(got, c.ends) || c.ends == "" && got != "" || !errors.Is(err, c.err) || s.Count() != c.taken {
				t.Errorf("got %q, %v, %d taken; want %q at the end, %v, %d", got, err, s.Count(), c.ends, c.err, c.taken)
			}
		})
	}
}

var errTimeout = errors.New("nothing more came")

func TestSpoiltHandshake(t *testing.T) {
	cert, err := relaytest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	s := relaytest.Start(t, relaytest.Options{TLS: cert.Server, Rules: []relaytest.Rule{{At: relaytest.Handshake, Delay: 20 * time.Millisecond, Raw: "no handshake\r\n", Times: 1}}})
	for _, spoilt := range []bool{true, false} {
		client, err := smtp.Dial(s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		config := cert.Client.Clone()
		config.ServerName = "127.0.0.1"
		if err = client.StartTLS(config); (err != nil) != spoilt {
			t.Errorf("spoilt %t: %v", spoilt, err)
		}
		var record tls.RecordHeaderError
		if spoilt && !errors.As(err, &record) {
			t.Errorf("%v, want what is no TLS record", err)
		}
		client.Close()
	}
}

// TestChaos holds the server's record against what a client was told, under
// every fault there is.
func TestChaos(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Seed: 7, Rules: relaytest.Chaos(0.03)})
	told, failures := map[string]bool{}, 0
	for i := range 300 {
		to := fmt.Sprintf("r%d@x", i)
		err := smtp.SendMail(s.Addr(), nil, "a@b", []string{to}, []byte(message))
		if told[to] = err == nil; err != nil {
			failures++
		}
	}
	taken := map[string]int{}
	for _, m := range s.Messages() {
		taken[m.To[0]]++
		if string(m.Data) != message {
			t.Errorf("the server took %q", m.Data)
		}
	}
	untold := 0
	for to, ok := range told {
		if ok && taken[to] != 1 {
			t.Errorf("%s: %d on record, but the client was told it was taken", to, taken[to])
		}
		if !ok && taken[to] > 0 {
			untold++
		}
	}
	if failures < 20 || failures > 280 || untold == 0 {
		t.Errorf("%d of 300 failed, of which %d were taken: not what chaos is", failures, untold)
	}
}

// FuzzBody sends a message in two pieces and expects it whole.
func FuzzBody(f *testing.F) {
	for _, m := range []string{"", ".", ".\r\n", "..\r\n.", "\r\n.\r\n", "a\n.\r\nb", "a\r.\r\n", "\r\n..", "x\r\n.\r\n.\r\n..y", strings.Repeat(".\r\n", 50)} {
		for _, cut := range []int{0, 1, 2, 3, 4, 5} {
			f.Add(m, cut, false)
			f.Add(m, cut, true)
		}
	}
	s := relaytest.Start(f, relaytest.Options{})
	discarding := relaytest.Start(f, relaytest.Options{Discard: true})
	f.Fuzz(func(t *testing.T, m string, cut int, discard bool) {
		m += "\r\n"
		stuffed := strings.ReplaceAll(m, "\r\n.", "\r\n..")
		if strings.HasPrefix(m, ".") {
			stuffed = "." + stuffed
		}
		sent := stuffed + ".\r\n"
		cut = min(max(cut, 0), len(sent))
		to := s
		if discard {
			to = discarding
		}
		before := to.Count()
		conn, err := net.Dial("tcp", to.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		fmt.Fprint(conn, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
		for range 4 {
			answer(t, r)
		}
		fmt.Fprint(conn, sent[:cut])
		fmt.Fprint(conn, sent[cut:]+"NOOP\r\n")
		if got := answer(t, r) + answer(t, r); got != "250250" {
			t.Errorf("answers %s", got)
		}
		if to.Count() != before+1 {
			t.Errorf("%d messages", to.Count()-before)
		}
		if got := s.Messages(); !discard && string(got[len(got)-1].Data) != m {
			t.Errorf("%q arrived as %q", m, got[len(got)-1].Data)
		}
	})
}
