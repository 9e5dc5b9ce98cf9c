package relaytest_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/relay/relaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const message = "Message-Id: <1@example.org>\r\n\r\n.hidden\r\n"

// TestStandardClient talks to the server with a client it was not made for.
func TestStandardClient(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	if err := smtp.SendMail(s.Addr(), nil, "a@example.org", []string{"b@example.com", "c@example.com"}, []byte(message)); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	m := got[0]
	if m.Seq != 1 || m.Conn != 1 || m.From != "a@example.org" || !slices.Equal(m.To, []string{"b@example.com", "c@example.com"}) ||
		string(m.Data) != message || m.MessageID != "<1@example.org>" || m.Size != len(message) || m.TLS {
		t.Errorf("recorded %+v", m)
	}
	want := []string{"1 EHLO", "1 MAIL", "1 RCPT", "1 RCPT", "1 DATA", "1 QUIT"}
	if got := s.Commands(); !slices.Equal(got, want) {
		t.Errorf("commands %v, want %v", got, want)
	}
}

// talk sends lines one by one and gives the first line of each answer, the
// greeting first.
func talk(t *testing.T, s *relaytest.Server, lines ...string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	answers := []string{answer(t, r)}
	for _, line := range lines {
		fmt.Fprint(conn, line+"\r\n")
		answers = append(answers, answer(t, r))
	}
	return answers
}

func answer(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	first := ""
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return "closed"
		}
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = strings.TrimSpace(line)[:3]
		}
		if len(line) < 4 || line[3] != '-' {
			return first
		}
	}
}

func TestOrderOfCommands(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	got := talk(t, s, "HELO x", "RCPT TO:<b@c>", "DATA", "MAIL FROM:<a@b>", "MAIL FROM:<a@b>", "DATA", "RCPT TO:b", "RSET", "MAIL FROM:<>", "RCPT TO:<b@c>", "NOOP", "WHAT", "STARTTLS", "AUTH X", "QUIT")
	want := []string{"220", "250", "503", "554", "250", "503", "554", "503", "250", "250", "250", "250", "500", "502", "504", "221"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestRules(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{
		{At: relaytest.Rcpt, Recipient: "bad@x", Reply: "550 no"},
		{At: relaytest.Rcpt, Skip: 1, Times: 2, Reply: "450 later\n450 please"},
	}})
	got := talk(t, s, "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<bad@x>", "RCPT TO:<1@x>", "RCPT TO:<2@x>", "RCPT TO:<3@x>", "RCPT TO:<bad@x>", "RCPT TO:<4@x>")
	want := []string{"220", "250", "250", "550", "250", "450", "450", "550", "250"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	s.Script(relaytest.Rule{At: relaytest.Connect, Close: true})
	if got := talk(t, s); !slices.Equal(got, []string{"closed"}) {
		t.Errorf("after Script: %v", got)
	}
}

func TestAuthenticationIsRequired(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Users: map[string]string{"ann": "secret"}})
	// \0ann\0secret, and ann, secret one by one
	got := talk(t, s, "EHLO x", "MAIL FROM:<a@b>", "AUTH PLAIN AGFubgBndWVzcw==", "AUTH LOGIN", "YW5u", "c2VjcmV0", "MAIL FROM:<a@b>")
	want := []string{"220", "250", "530", "535", "334", "334", "235", "250"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := talk(t, s, "AUTH PLAIN AGFubgBzZWNyZXQ=", "MAIL FROM:<a@b>"); !slices.Equal(got, []string{"220", "235", "250"}) {
		t.Errorf("PLAIN: %v", got)
	}
}

func TestTruncatedMessageIsNotAccepted(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	talk(t, s, "MAIL FROM:<a@b>", "RCPT TO:<b@c>", "DATA")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s.Count() != 0 || s.Truncated() != 1 {
		t.Errorf("%d accepted, %d truncated", s.Count(), s.Truncated())
	}
}

func TestRecordComesBeforeTheAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	s := relaytest.Start(t, relaytest.Options{LogFile: file, Discard: true, Rules: []relaytest.Rule{
		{At: relaytest.Dot, Recipient: "kept@x", Keep: true, Hang: true},
		{At: relaytest.Dot, Recipient: "lost@x", Close: true},
		{At: relaytest.Dot, Recipient: "refused@x", Reply: "550 no"},
	}})
	send := func(to string) error { return smtp.SendMail(s.Addr(), nil, "a@b", []string{to}, []byte(message)) }
	var wg sync.WaitGroup
	wg.Go(func() {
		if send("kept@x") == nil {
			t.Error("kept@x: an answer came")
		}
	})
	if send("lost@x") == nil || send("refused@x") == nil {
		t.Error("lost@x or refused@x: accepted")
	}
	if err := send("plain@x"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	s.Disconnect()
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	checkLog(t, file, []string{"kept@x", "plain@x"})
	for _, m := range s.Messages() {
		if m.Data != nil {
			t.Error("a body was kept")
		}
	}
}

func checkLog(t *testing.T, file string, want []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		var e relaytest.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(message))
		if e.From != "a@b" || e.MessageID != "<1@example.org>" || e.Size != len(message) || e.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("logged %+v", e)
		}
		got = append(got, e.To...)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}
}

func TestWaitGivesUp(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want a cancelled wait", err)
	}
}
