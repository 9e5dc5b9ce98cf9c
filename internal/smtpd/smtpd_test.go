package smtpd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tidings/internal/smtpd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// boxes are mailboxes by address; each takes what it is given unless it fails.
type boxes struct {
	mu    sync.Mutex
	taken map[string][]string
	fails map[string]bool
}

func (b *boxes) find(address string) smtpd.Mailbox {
	if !strings.HasSuffix(address, "@here.example") {
		return nil
	}
	return func(_ context.Context, msg io.Reader) error {
		text, err := io.ReadAll(msg)
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.fails[address] {
			return errors.New("no database")
		}
		b.taken[address] = append(b.taken[address], string(text))
		return err
	}
}

// serve runs a server and gives its address.
func serve(t *testing.T, lmtp bool, fails ...string) (*boxes, string) {
	t.Helper()
	b := &boxes{taken: map[string][]string{}, fails: map[string]bool{}}
	for _, f := range fails {
		b.fails[f] = true
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := smtpd.New(smtpd.Config{Name: "here.example", LMTP: lmtp, Find: b.find, Log: slog.New(slog.DiscardHandler)})
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return b, l.Addr().String()
}

// talk speaks lines and gives the code and text of each answer.
func talk(t *testing.T, address string, lines ...string) []string {
	t.Helper()
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var answers []string
	read := func() {
		code, text, err := c.ReadResponse(0)
		if err != nil {
			text = err.Error()
		}
		first, _, _ := strings.Cut(text, "\n")
		answers = append(answers, fmt.Sprintf("%03d %s", code, first))
	}
	read()
	for _, line := range lines {
		if err := c.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(line, "\r\n.") * recipients(lines); n > 1 {
			for range n - 1 {
				read()
			}
		}
		read()
	}
	return answers
}

// recipients counts those that LMTP answers for; 1 for SMTP.
func recipients(lines []string) int {
	n := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "RCPT") && strings.Contains(l, "@here.example") && strings.HasPrefix(lines[0], "LHLO") {
			n++
		}
	}
	return max(n, 1)
}

func codes(answers []string) string {
	var list []string
	for _, a := range answers {
		list = append(list, a[:3])
	}
	return strings.Join(list, " ")
}

const message = "Subject: x\r\n\r\nhello\r\n."

func TestTakesMailForItsAddresses(t *testing.T) {
	b, address := serve(t, false)
	got := codes(talk(t, address, "EHLO me.example", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "RCPT TO:<A2@here.example>", "DATA", message, "QUIT"))
	if want := "220 250 250 250 250 354 250 221"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	for _, to := range []string{"a@here.example", "A2@here.example"} {
		if len(b.taken[to]) != 1 || b.taken[to][0] != "Return-Path: <>\r\nSubject: x\r\n\r\nhello\r\n" {
			t.Errorf("%s got %q", to, b.taken[to])
		}
	}
}

func TestRelaysNothing(t *testing.T) {
	b, address := serve(t, false)
	got := talk(t, address, "EHLO me.example", "MAIL FROM:<a@here.example>", "RCPT TO:<a@there.example>",
		"RCPT TO:<a%there.example@here.example.there>", "DATA", "RSET", "VRFY a@here.example", "QUIT")
	if want := "220 250 250 550 550 502 250 252 221"; codes(got) != want {
		t.Errorf("answers %v, want %s", got, want)
	}
	if len(b.taken) > 0 {
		t.Errorf("took %v", b.taken)
	}
}

func TestAsksToComeAgain(t *testing.T) {
	b, address := serve(t, false, "broken@here.example")
	got := codes(talk(t, address, "HELO me.example", "MAIL FROM:<>", "RCPT TO:<broken@here.example>", "RCPT TO:<a@here.example>", "DATA", message, "QUIT"))
	if want := "220 250 250 250 250 354 451 221"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if len(b.taken["a@here.example"]) != 1 {
		t.Error("one mailbox's trouble kept the message from the other")
	}
}

func TestLMTPAnswersForEach(t *testing.T) {
	_, address := serve(t, true, "broken@here.example")
	got := codes(talk(t, address, "LHLO me.example", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "RCPT TO:<broken@here.example>",
		"RCPT TO:<no@there.example>", "DATA", message, "QUIT"))
	if want := "220 250 250 250 250 550 354 250 451 221"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if got := codes(talk(t, address, "EHLO me.example")); got != "220 500" {
		t.Errorf("answers to SMTP: %s", got)
	}
}

func TestKeepsTheBeginningOfALargeMessage(t *testing.T) {
	b, address := serve(t, false)
	big := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("y", 70)+"\r\n", 40_000)
	if err := smtp.SendMail(address, nil, "a@there.example", []string{"a@here.example"}, []byte(big)); err != nil {
		t.Fatal(err)
	}
	kept := func(msg string) string { return strings.TrimPrefix(msg, "Return-Path: <a@there.example>\r\n") }
	if got := b.taken["a@here.example"]; len(got) != 1 || len(kept(got[0])) != 1<<20 || !strings.HasPrefix(big, kept(got[0])) {
		t.Errorf("%d messages", len(got))
	}
	got := talk(t, address, "EHLO me.example", "MAIL FROM:<> SIZE=99999999", "QUIT")
	if codes(got) != "220 250 552 221" {
		t.Errorf("answers to a huge one: %v", got)
	}
}

// TestEncrypted takes a message after STARTTLS.
func TestEncrypted(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	b := &boxes{taken: map[string][]string{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := smtpd.New(smtpd.Config{Name: "here.example", TLS: web.TLS, Find: b.find, Log: slog.New(slog.DiscardHandler)})
	go func() { ended <- s.Serve(ctx, l) }()
	c, err := smtp.Dial(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	trust := web.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"
	if err := c.StartTLS(trust); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Mail("ann@example.net"), c.Rcpt("bob@here.example")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "Subject: x\r\n\r\nHello\r\n")
	if err := errors.Join(w.Close(), c.Quit()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := b.taken["bob@here.example"]; len(got) != 1 {
		t.Errorf("taken %q", got)
	}
}
