package mail_test

import (
	"bytes"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"tidings/internal/mail"
)

// FuzzMessage holds every message that is made at all against what went in:
// the lines are legal, the header has the fields it should have and no more,
// and the bodies arrive as written, with the slots filled.
func FuzzMessage(f *testing.F) {
	f.Add("Field Notes <news@example.org>", "Grüße", "List-Id", `"W" <weekly.example.org>`, "ann@example.com", "1.7@example.org", "AAAA-bbbb", "Hello\n.\nFrom x =", "<p>é</p>")
	f.Add("news@example.org", "a\r\nBcc: all@example.net", "X-A\r\nBcc", "b\r\nBcc: c@d", "ann@example.com\r\nBcc: x@y", "1@b>\r\nBcc: x", "a\r\nb", "\r\n.\r\n", "\x00\xff")
	f.Add("\"a\r\nBcc: x\" <a@b.org>", strings.Repeat("é", 300), "X", strings.Repeat("word ", 300), "jörg@example.com", "1@b", ".", strings.Repeat("x", 80)+"\t\r\r\n", "")
	f.Add("a@b.org", "=?utf-8?q?x?=", "Subject", "twice", "b@c", "@", "=", " \n \n", "=\r\n")
	f.Add("a@b.org", " \t ", "X-Y", "\u2028\u202e\x7f", "b@c", "1@b", "https://x/?a=b%20c", "\u2028", "<\x0b>")
	f.Fuzz(func(t *testing.T, from, subject, name, value, to, id, slot, text, html string) {
		m := mail.Message{From: from, Subject: subject, Date: date, Headers: []mail.Header{{Name: name, Value: value}}, Nonce: nonce}
		m.Text = text + mail.Mark(nonce, "s") + text
		if html != "" {
			m.HTML = html + mail.Mark(nonce, "s")
		}
		tpl, err := mail.Compile(m)
		if err != nil {
			return
		}
		raw, err := tpl.Render(nil, mail.Recipient{To: to, MessageID: id, Headers: []mail.Header{{Name: "List-Unsubscribe", Value: "<" + value + ">"}}, Slots: map[string]string{"s": slot}})
		if err != nil {
			return
		}
		checkLegal(t, raw)
		checkFields(t, raw, m, to, id)
		checkBodies(t, raw, m, slot)
	})
}

func checkLegal(t *testing.T, raw []byte) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") || bytes.HasPrefix(line, []byte(".")) {
			t.Errorf("line %q", line)
		}
	}
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		t.Error("the last line has no end")
	}
}

// checkFields expects one field of each name that was asked for.
func checkFields(t *testing.T, raw []byte, m mail.Message, to, id string) {
	t.Helper()
	got, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v:\n%q", err, raw)
	}
	known := []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", m.Headers[0].Name}
	for name, values := range got.Header {
		asked := false
		for _, k := range known {
			asked = asked || strings.EqualFold(k, name)
		}
		if !asked || len(values) != 1 {
			t.Errorf("field %s: %q", name, values)
		}
	}
	if got.Header.Get("To") != to || got.Header.Get("Message-Id") != "<"+id+">" {
		t.Errorf("To %q, want %q; Message-ID %q, want %q", got.Header.Get("To"), to, got.Header.Get("Message-Id"), id)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if want := strings.ToValidUTF8(m.Subject, "\uFFFD"); err != nil || utf8.ValidString(m.Subject) && strings.TrimSpace(subject) != strings.TrimSpace(want) {
		t.Errorf("subject %q, want %q (%v)", subject, want, err)
	}
}

func checkBodies(t *testing.T, raw []byte, m mail.Message, slot string) {
	t.Helper()
	got, _ := parts(t, raw)
	for kind, source := range map[string]string{"text/plain": m.Text, "text/html": m.HTML} {
		if source == "" {
			continue
		}
		want := strings.ReplaceAll(source, mail.Mark(nonce, "s"), slot)
		if !strings.HasSuffix(source, "\n") {
			want += "\n"
		}
		want = strings.ReplaceAll(strings.ReplaceAll(want, "\r\n", "\n"), "\n", "\r\n")
		if got[kind] != want {
			t.Errorf("%s arrives as %q, want %q", kind, got[kind], want)
		}
	}
}
