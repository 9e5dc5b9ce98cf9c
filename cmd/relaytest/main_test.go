package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
)

const rules = `
- {at: RCPT, domain: example.net, reply: "550 5.1.1 unknown"}
- {at: DOT, recipient: slow@example.com, delay: 1ms, drip: 100us, reply: "451 4.3.0 one\n451 4.3.0 two", fill: 3, keep: true, times: 1}
- {at: NOOP, raw: "250 \x01\r\n", skip: 1, every: 2, chance: 0.5, conn: 3, after: 1, hang: true, close: true, rst: true}
`

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// start runs the command and gives its address, and what it says in the end.
func start(t *testing.T, args ...string) (addr string, end func() string) {
	t.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, w, &errs); w.Close() }()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return strings.TrimSpace(line), func() string {
		stop()
		rest, _ := io.ReadAll(out)
		if c := <-code; c != exitDone {
			t.Errorf("exit code %d: %s", c, errs.String())
		}
		return string(rest)
	}
}

func TestServes(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	addr, end := start(t, "--rules", write(t, rules), "--log", log)
	send := func(to string) error {
		return smtp.SendMail(addr, nil, "a@example.org", []string{to}, []byte("Message-ID: <1@a>\r\n\r\nx\r\n"))
	}
	if err := send("ann@example.com"); err != nil {
		t.Error(err)
	}
	if err := send("ann@example.net"); err == nil || !strings.Contains(err.Error(), "5.1.1") {
		t.Errorf("example.net: %v", err)
	}
	if err := send("slow@example.com"); err == nil || !strings.Contains(err.Error(), "4.3.0 twoxxx") {
		t.Errorf("slow: %v", err)
	}
	if said := end(); !strings.HasPrefix(said, "2 messages accepted, 0 cut short, over 3 connections") {
		t.Errorf("said %q", said)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for line := range strings.Lines(string(text)) {
		var e relaytest.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.MessageID != "<1@a>" {
			t.Errorf("%s: %v", line, err)
		}
		to = append(to, e.To...)
	}
	if got := strings.Join(to, " "); got != "ann@example.com slow@example.com" {
		t.Errorf("logged %s", got)
	}
}

func TestEncryptsAndWantsALogin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cert.pem")
	addr, end := start(t, "--tls", file, "--user", "ann:secret", "--size", "1000", "--smtputf8", "--no-pipelining")
	defer end()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, extension := range []string{"STARTTLS", "AUTH", "SIZE", "SMTPUTF8"} {
		if ok, _ := c.Extension(extension); !ok {
			t.Errorf("no %s", extension)
		}
	}
	if ok, _ := c.Extension("PIPELINING"); ok {
		t.Error("PIPELINING is offered")
	}
	if pem, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(pem, []byte("-----BEGIN CERTIFICATE-----")) {
		t.Errorf("certificate %q, %v", pem, err)
	}
}

func TestRules(t *testing.T) {
	got, err := readRules(write(t, rules))
	if err != nil {
		t.Fatal(err)
	}
	want := relaytest.Rule{At: "NOOP", Raw: "250 \x01\r\n", Skip: 1, Every: 2, Chance: 0.5, Conn: 3, After: 1, Hang: true, Close: true, RST: true}
	if len(got) != 3 || got[2] != want || got[1].Delay != time.Millisecond || got[1].Reply != "451 4.3.0 one\n451 4.3.0 two" {
		t.Errorf("got %+v", got)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		args, words string
	}{
		{"nonsense", `unknown argument "nonsense"`},
		{"--nonsense", "not defined"},
		{"--chaos 2", "between 0 and 1"},
		{"--implicit-tls", "--tls FILE"},
		{"--user ann", "NAME:PASSWORD"},
		{"--rules /nowhere/at/all", "read the rules"},
		{"--rules " + write(t, "- {at: RCPT, repply: x}"), `repply`},
		{"--rules " + write(t, "- {at: RCTP}"), `at "RCTP" is none of CONNECT, EHLO`},
	} {
		var errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), io.Discard, &errs); code != exitUsage || !strings.Contains(errs.String(), c.words) {
			t.Errorf("%s: code %d, %s; want %q", c.args, code, errs.String(), c.words)
		}
	}
	if code := run(t.Context(), []string{"--listen", "256.0.0.1:1"}, io.Discard, io.Discard); code != exitFailed {
		t.Errorf("an address that is none: code %d", code)
	}
}

func TestChaosIsAMatterOfTheSeed(t *testing.T) {
	opts, _, err := parse([]string{"--chaos", "0.5", "--seed", "7"}, io.Discard)
	if err != nil || opts.Seed != 7 || len(opts.Rules) < 20 || opts.Rules[0].Chance != 0.5 {
		t.Errorf("%s, %v", fmt.Sprintf("%+v", opts)[:100], err)
	}
}
