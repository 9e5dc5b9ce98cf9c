package mail_test

import (
	"bytes"
	"flag"
	"io"
	"mime"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/mail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const nonce = "m0123456789abcdef"

var date = time.Date(2026, 3, 2, 8, 0, 0, 0, time.FixedZone("", 3600))

func digest() mail.Message {
	return mail.Message{
		From:    "Field Notes <news@example.org>",
		ReplyTo: "Jörg Müller <joerg@bücher.example>",
		Subject: "Spring cleaning and 10 more posts",
		Date:    date,
		Text: "Hello.\nA line  \n.hidden\nFrom here on\n\nLeave: https://news.example.org/unsubscribe/" +
			mail.Mark(nonce, "unsubscribe") + "\nSent to " + mail.Mark(nonce, "to"),
		HTML: `<p>Grüße aus dem Café</p><a href="https://news.example.org/unsubscribe/` +
			mail.Mark(nonce, "unsubscribe") + `">Leave</a>`,
		Language: "en",
		Headers:  []mail.Header{{"List-Id", `"Weekly" <weekly.news.example.org>`}, {"Precedence", "bulk"}, {"X-Topic", "Größe"}},
		Nonce:    nonce,
	}
}

func reader() mail.Recipient {
	return mail.Recipient{
		To:        "ann@example.com",
		MessageID: "1.7@news.example.org",
		Headers: []mail.Header{
			{"List-Unsubscribe", "<https://news.example.org/unsubscribe/AAAA-bbbb_cccc>, <mailto:u+AAAA-bbbb_cccc@bounce.example.org>"},
			{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
		},
		Slots: map[string]string{"unsubscribe": ".AAAA-bbbb_cccc=1", "to": "ann@example.com"},
	}
}

func compile(t testing.TB, m mail.Message) *mail.Template {
	t.Helper()
	tpl, err := mail.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func render(t testing.TB, m mail.Message, r mail.Recipient) []byte {
	t.Helper()
	raw, err := compile(t, m).Render(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// parts gives the decoded leaves of a message by media type, and its header.
func parts(t interface {
	Helper()
	Fatal(...any)
}, raw []byte) (map[string]string, message.Header) {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	err = entity.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, err := e.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		body, err := io.ReadAll(e.Body)
		found[kind] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, entity.Header
}

// golden compares a message with the file that holds it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGolden(t *testing.T) {
	textOnly := digest()
	textOnly.HTML, textOnly.ReplyTo, textOnly.Headers = "", "", nil
	plain := mail.Message{From: "news@localhost", Subject: "Confirm", Date: date, Text: "One line"}
	for name, c := range map[string]struct {
		m mail.Message
		r mail.Recipient
	}{
		"alternative": {digest(), reader()},
		"text":        {textOnly, reader()},
		"plain":       {plain, mail.Recipient{To: "ann@example.com", MessageID: "c1@localhost"}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".eml", render(t, c.m, c.r))
		})
	}
}

func TestBodiesArriveAsWritten(t *testing.T) {
	got, _ := parts(t, render(t, digest(), reader()))
	want := map[string]string{
		"text/plain": "Hello.\r\nA line  \r\n.hidden\r\nFrom here on\r\n\r\nLeave: https://news.example.org/unsubscribe/.AAAA-bbbb_cccc=1\r\nSent to ann@example.com\r\n",
		"text/html":  "<p>Grüße aus dem Café</p><a href=\"https://news.example.org/unsubscribe/.AAAA-bbbb_cccc=1\">Leave</a>\r\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNonceLeavesNoTrace(t *testing.T) {
	a := digest()
	b := digest()
	b.Nonce = mail.NewNonce()
	b.Text = strings.ReplaceAll(a.Text, nonce, b.Nonce)
	b.HTML = strings.ReplaceAll(a.HTML, nonce, b.Nonce)
	storedA, _ := compile(t, a).MarshalBinary()
	storedB, _ := compile(t, b).MarshalBinary()
	if !bytes.Equal(storedA, storedB) {
		t.Error("two nonces gave two templates")
	}
	if bytes.Contains(storedA, []byte(nonce)) {
		t.Error("the nonce is in the template")
	}
	if mail.NewNonce() == b.Nonce {
		t.Error("two nonces are the same")
	}
}

func TestForeignMarkIsText(t *testing.T) {
	m := digest()
	foreign := mail.Mark("mfffffffffffffff0", "unsubscribe")
	m.Text += foreign
	got, _ := parts(t, render(t, m, reader()))
	if !strings.Contains(got["text/plain"], foreign) {
		t.Errorf("a mark with another nonce was changed: %q", got["text/plain"])
	}
}

func TestSubjectsAndNames(t *testing.T) {
	for _, text := range []string{
		"Plain", "Two  blanks", strings.Repeat("long words ", 20) + "end",
		"Grüße aus Köln", "日本語の件名はとても長いので二つの語に分かれます。それでも読めるはずです。", "مرحبا بالعالم",
		"שלום עולם", "🎉 Party 👩‍👩‍👧‍👦 family 🎉 " + strings.Repeat("🦊", 30), "Ελληνικά", "=?utf-8?q?fake?=", " blank at the ends ",
		strings.Repeat("x", 600), "a, b: \"c\" <d> (e) @f", `back\slash`,
	} {
		m := digest()
		m.Subject = text
		m.From = (&netmail.Address{Name: text, Address: "news@example.org"}).String()
		raw := render(t, m, reader())
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > 998 || strings.Contains(line, "=?utf-8?") && len(line) > 76 {
				t.Errorf("%q: line of %d characters: %s", text, len(line), line)
			}
		}
		msg, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || subject != text {
			t.Errorf("subject %q, want %q (%v)", subject, text, err)
		}
		from, err := netmail.ParseAddress(msg.Header.Get("From"))
		if err != nil || from.Name != text || from.Address != "news@example.org" {
			t.Errorf("from %v, want name %q (%v)", from, text, err)
		}
		if strings.Contains(string(raw), "Subject:\r\n") {
			t.Errorf("%q: broken right after the colon", text)
		}
	}
}

func TestHeaderOrder(t *testing.T) {
	raw := string(render(t, digest(), reader()))
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	var got []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, _, found := strings.Cut(line, ":"); found && line[0] != ' ' {
			got = append(got, name)
		}
	}
	want := []string{
		"To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Date", "From", "Reply-To", "Subject",
		"List-Id", "Precedence", "X-Topic", "Content-Language", "MIME-Version", "Content-Type",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*mail.Message){
		"no text":              func(m *mail.Message) { m.Text = "" },
		"no date":              func(m *mail.Message) { m.Date = time.Time{} },
		"no sender":            func(m *mail.Message) { m.From = "" },
		"endless sender name":  func(m *mail.Message) { m.From = strings.Repeat("x", 2000) + " <news@example.org>" },
		"sender not a mailbox": func(m *mail.Message) { m.From = "Field Notes" },
		"line break in From":   func(m *mail.Message) { m.From = "A\r\nBcc: x@y.org <news@example.org>" },
		"line break in reply":  func(m *mail.Message) { m.ReplyTo = "a@b.org\r\nBcc: x@y.org" },
		"line break, subject":  func(m *mail.Message) { m.Subject = "Hi\r\nBcc: x@y.org" },
		"NUL in the subject":   func(m *mail.Message) { m.Subject = "Hi\x00" },
		"line break, language": func(m *mail.Message) { m.Language = "en\nBcc: x@y.org" },
		"line break, value":    func(m *mail.Message) { m.Headers[0].Value = "x\rBcc: x@y.org" },
		"line break, name":     func(m *mail.Message) { m.Headers[0].Name = "X\r\nBcc" },
		"colon in a name":      func(m *mail.Message) { m.Headers[0].Name = "X:Y" },
		"empty name":           func(m *mail.Message) { m.Headers[0].Name = "" },
		"header of ours":       func(m *mail.Message) { m.Headers[0].Name = "content-type" },
		"header twice":         func(m *mail.Message) { m.Headers[0].Name = "PRECEDENCE" },
		"endless header":       func(m *mail.Message) { m.Headers[0].Value = strings.Repeat("x", 2000) },
		"short nonce":          func(m *mail.Message) { m.Nonce = "abc" },
		"nonce not ASCII":      func(m *mail.Message) { m.Nonce = "ääääääääääääääää" },
		"mark in the subject":  func(m *mail.Message) { m.Subject = mail.Mark(nonce, "to") },
		"mark cut short":       func(m *mail.Message) { m.Text = mail.Mark(nonce, "to")[:len(nonce)+4] },
		"mark without length":  func(m *mail.Message) { m.Text = "x" + nonce; m.HTML = "" },
		"mark changed":         func(m *mail.Message) { m.Text = nonce + "02zzzz" },
		"slot without a name":  func(m *mail.Message) { m.Text = mail.Mark(nonce, "") },
		"slot's name too long": func(m *mail.Message) { m.Text = mail.Mark(nonce, strings.Repeat("x", 65)) },
		"slot name with space": func(m *mail.Message) { m.HTML = mail.Mark(nonce, "a b") },
	} {
		m := digest()
		spoil(&m)
		if _, err := mail.Compile(m); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*mail.Recipient){
		"no address":           func(r *mail.Recipient) { r.To = "" },
		"address with name":    func(r *mail.Recipient) { r.To = "Ann <ann@example.com>" },
		"line break, address":  func(r *mail.Recipient) { r.To = "ann@example.com\r\nBcc: x@y.org" },
		"no message ID":        func(r *mail.Recipient) { r.MessageID = "" },
		"brackets":             func(r *mail.Recipient) { r.MessageID = "<1@example.org>" },
		"line break, ID":       func(r *mail.Recipient) { r.MessageID = "1@example.org\r\nBcc: x@y.org" },
		"line break, value":    func(r *mail.Recipient) { r.Headers[0].Value += "\r\nBcc: x@y.org" },
		"NUL, value":           func(r *mail.Recipient) { r.Headers[0].Value += "\x00" },
		"line break, name":     func(r *mail.Recipient) { r.Headers[0].Name = "X\nBcc" },
		"value not ASCII":      func(r *mail.Recipient) { r.Headers[0].Value = "ä" },
		"frozen header again":  func(r *mail.Recipient) { r.Headers[0].Name = "precedence" },
		"own header twice":     func(r *mail.Recipient) { r.Headers[0].Name = "list-unsubscribe-POST" },
		"subject":              func(r *mail.Recipient) { r.Headers[0].Name = "Subject" },
		"no slots":             func(r *mail.Recipient) { r.Slots = nil },
		"slot missing":         func(r *mail.Recipient) { delete(r.Slots, "to") },
		"slot unknown":         func(r *mail.Recipient) { r.Slots["x"] = "y" },
		"slot unknown, not to": func(r *mail.Recipient) { delete(r.Slots, "to"); r.Slots["x"] = "y" },
		"slot empty":           func(r *mail.Recipient) { r.Slots["to"] = "" },
		"slot, line break":     func(r *mail.Recipient) { r.Slots["to"] = "a\r\n.\r\n" },
		"slot, quote":          func(r *mail.Recipient) { r.Slots["to"] = `a" onclick="x` },
		"slot, markup":         func(r *mail.Recipient) { r.Slots["to"] = "<b>" },
		"slot, ampersand":      func(r *mail.Recipient) { r.Slots["to"] = "a&lt;" },
		"slot, not ASCII":      func(r *mail.Recipient) { r.Slots["to"] = "ä" },
	} {
		r := reader()
		spoil(&r)
		got, err := compile(t, digest()).Render([]byte("before"), r)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if string(got) != "before" {
			t.Errorf("%s: left %q in the buffer", name, got)
		}
	}
}

func TestListID(t *testing.T) {
	for _, c := range []struct{ phrase, id, want string }{
		{"", "weekly.news.example.org", "<weekly.news.example.org>"},
		{"Weekly digest", "weekly.example.org", `"Weekly digest" <weekly.example.org>`},
		{`Say "hi"`, "weekly.example.org", `"Say \"hi\"" <weekly.example.org>`},
		{"Café", "weekly.example.org", "=?utf-8?b?Q2Fmw6k=?= <weekly.example.org>"},
	} {
		got, err := mail.ListID(c.phrase, c.id)
		if err != nil || got != (mail.Header{Name: "List-Id", Value: c.want}) {
			t.Errorf("ListID(%q, %q) = %v, %v, want %s", c.phrase, c.id, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"x\r\ny", "a.b"}, {"x", ""}, {"x", "nodot"}, {"x", "a..b"}, {"x", "a b.c"}, {"x", "a.b>"}, {"x", "ä.b"}} {
		if got, err := mail.ListID(c[0], c[1]); err == nil {
			t.Errorf("ListID(%q) = %v, want an error", c, got)
		}
	}
}

func TestListIDKeepsItsIdentifier(t *testing.T) {
	m := digest()
	id, err := mail.ListID("Лучшее за неделю и ещё очень много слов, чтобы не поместилось", "weekly.news.example.org")
	if err != nil {
		t.Fatal(err)
	}
	m.Headers = []mail.Header{id}
	_, header := parts(t, render(t, m, reader()))
	if got := header.Get("List-Id"); !strings.HasSuffix(got, " <weekly.news.example.org>") {
		t.Errorf("List-Id: %s", got)
	}
}

// TestDated holds a mail with another date against one that was made with it.
func TestDated(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 5, 0, 0, time.FixedZone("", 3600))
	m := mail.Message{From: "News <news@example.org>", Subject: "One", Text: "Words", Date: at.Add(8 * time.Hour)}
	render := func(tpl *mail.Template) string {
		t.Helper()
		msg, err := tpl.Render(nil, mail.Recipient{To: "a@example.org", MessageID: "1@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		return string(msg)
	}
	foreseen, err := mail.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	before := render(foreseen)
	early := render(foreseen.Dated(at))
	m.Date = at
	if want, err := mail.Compile(m); err != nil || early != render(want) {
		t.Errorf("%v; got\n%s", err, early)
	}
	if render(foreseen) != before {
		t.Error("the template itself is changed")
	}
}
