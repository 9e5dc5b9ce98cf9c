package relay

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"
)

func read(s string) (Reply, error) { return readReply(bufio.NewReaderSize(strings.NewReader(s), 64)) }

func TestReadReply(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Reply
	}{
		{"250 ok\r\n", Reply{250, "", "ok"}},
		{"250\r\n", Reply{250, "", ""}},
		{"250 \n", Reply{250, "", ""}},
		{"250 2.1.5 ok\r\n", Reply{250, "2.1.5", "ok"}},
		{"250 2.1.5\r\n", Reply{250, "2.1.5", ""}},
		{"550-5.1.1 no such\r\n550 5.1.1 user here\r\n", Reply{550, "5.1.1", "no such user here"}},
		{"550-5.1.1 no such user\r\n550-5.1.1 here\r\n550 5.7.1 blocked\r\n", Reply{550, "5.1.1", "5.7.1 no such user here blocked"}},
		{"550-first\r\n550-\r\n550 5.7.1 last\r\n", Reply{550, "5.7.1", "first last"}},
		{"550 4.1.1 other class\r\n", Reply{550, "", "4.1.1 other class"}},
		{"250 2.0 version\r\n", Reply{250, "", "2.0 version"}},
		{"250 2.0.0.1 address\r\n", Reply{250, "", "2.0.0.1 address"}},
		{"550 \x1b[31mred\x00 \u202eevil\xff\r\n", Reply{550, "", "[31mred evil"}},
		{"550 " + strings.Repeat("é", 300) + "\r\n", Reply{550, "", strings.Repeat("é", 30)}}, // the buffer's length
		{"250-" + strings.Repeat("a", 30) + "\r\n" + strings.Repeat("250-"+strings.Repeat("b", 50)+"\r\n", 9) + "250 z\r\n",
			Reply{250, "", strings.Repeat("a", 30) + strings.Repeat(" "+strings.Repeat("b", 50), 3) + " " + strings.Repeat("b", 16)}},
	} {
		if got, err := read(c.in); err != nil || got != c.want {
			t.Errorf("%q = %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}

func TestReadReplyRefuses(t *testing.T) {
	for _, in := range []string{
		"", "\r\n", "250", "250 ok", "25 ok\r\n", "abc ok\r\n", "150 ok\r\n", "650 ok\r\n", "2x0 ok\r\n", "250_ok\r\n",
		"250-ok\r\n", "250-ok\r\n251 ok\r\n", strings.Repeat("250-x\r\n", 20_000) + "250 x\r\n", "250 " + strings.Repeat("x", 100_000) + "\r\n",
	} {
		if got, err := read(in); err == nil {
			t.Errorf("%.40q = %+v, want an error", in, got)
		}
	}
	broken := errors.New("broken")
	if _, err := readReply(bufio.NewReader(iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v, want the cause", err)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "550-5.1.1 a\r\n550 5.1.1 b\r\n", "250", "354 go\n250 taken\n", "999 x\r\n", "421 \xff\xfe\x1b[0m\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := read(s)
		if err != nil {
			return
		}
		if r.Code < 200 || r.Code > 599 || utf8.RuneCountInString(r.Text) > maxReplyText || !utf8.ValidString(r.Text) {
			t.Errorf("%q = %+v", s, r)
		}
		if strings.ContainsFunc(r.String(), unicode.IsControl) {
			t.Errorf("%q keeps control characters: %q", s, r)
		}
	})
}

func TestMechanism(t *testing.T) {
	r := &smtpRelay{SMTPConfig: SMTPConfig{Host: "mail.example.org", Username: "ann", Password: "secret"}}
	for _, c := range []struct {
		offered string
		safe    bool
		ok      bool
	}{
		{"PLAIN LOGIN", true, true},
		{"PLAIN LOGIN", false, false},
		{"LOGIN", true, true},
		{"LOGIN", false, false},
		{"PLAIN SCRAM-SHA-256", false, true},
		{"CRAM-MD5", false, true},
		{"", true, false},
		{"GSSAPI NTLM", true, false},
	} {
		auth, err := r.mechanism(strings.Fields(c.offered), c.safe)
		if (err == nil) != c.ok || (auth != nil) != c.ok {
			t.Errorf("%q, safe %t: %v, want ok %t", c.offered, c.safe, err, c.ok)
		}
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:25": true, "[::1]:25": true, "127.8.8.8:25": true, "192.0.2.1:25": false, "[2001:db8::1]:25": false} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil || isLoopback(a) != want {
			t.Errorf("%s: loopback %t (%v)", address, isLoopback(a), err)
		}
	}
}
