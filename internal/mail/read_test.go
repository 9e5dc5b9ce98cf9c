package mail_test

import (
	"strings"
	"testing"

	"tidings/internal/mail"
)

func TestReadGivesWhatWasWritten(t *testing.T) {
	m := digest()
	m.Subject = "Grüße 🎉"
	c, err := mail.Read(render(t, m, reader()))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"subject": "Grüße 🎉", "Reply-To": "Jörg Müller <joerg@xn--bcher-kva.example>", "X-Topic": "Größe", "None": "",
	} {
		if got := c.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c.Header[0].Name != "To" || !strings.HasPrefix(c.Text, "Hello.\r\n") || !strings.HasPrefix(c.HTML, "<p>Grüße") {
		t.Errorf("read as %+v", c)
	}
}

func TestReadGivesWhatItCan(t *testing.T) {
	for _, c := range []struct {
		raw, subject, text string
		ok                 bool
	}{
		{"no header at all", "", "", false},
		{"", "", "", true},
		{"Subject: x\r\n\r\nbody\r\n", "x", "body\r\n", true},
		{"Subject: =?martian?q?x?=\r\nContent-Type: text/plain; charset=martian\r\n\r\nbody\r\n", "=?martian?q?x?=", "body\r\n", true},
		{"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n", "x", "", false},
		{"Subject: x\r\nContent-Type: multipart/mixed\r\n\r\nbody\r\n", "x", "", false},
	} {
		got, err := mail.Read([]byte(c.raw))
		if got.Header.Get("Subject") != c.subject || got.Text != c.text || (err == nil) != c.ok {
			t.Errorf("%q: %+v, %v", c.raw, got, err)
		}
	}
}
