package mail_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tidings/internal/mail"
)

// body draws text full of what breaks encoders, with marks strewn in, and
// gives it as written and as it must arrive.
func body(t *rapid.T) (written, arrived string) {
	chunk := rapid.OneOf(
		rapid.SampledFrom([]string{".", "..", "\n", "\r\n", "\n.\n", " ", "\t", "=", "From ", "--", "é", "日本", "🦊", "=\n", " \n", "\x00", "\xff", "a"}),
		rapid.StringMatching(`[a-z .=]{60,160}`),
	)
	slot := rapid.SampledFrom([]string{"one", "two"})
	var w, a strings.Builder
	for range rapid.IntRange(1, 30).Draw(t, "chunks") {
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			name := slot.Draw(t, "slot")
			w.WriteString(mail.Mark(nonce, name))
			a.WriteString(slots[name])
			continue
		}
		text := chunk.Draw(t, "text")
		w.WriteString(text)
		a.WriteString(text)
	}
	arrived = a.String()
	if !strings.HasSuffix(arrived, "\n") {
		arrived += "\n"
	}
	return w.String(), strings.ReplaceAll(strings.ReplaceAll(arrived, "\r\n", "\n"), "\n", "\r\n")
}

var slots = map[string]string{"one": "." + strings.Repeat("=.a", 50), "two": "From"}

func TestEveryBodyArrives(t *testing.T) {
	s := signer(t, "example.org", made(t, "s1", mail.Ed25519))
	rapid.Check(t, func(t *rapid.T) {
		text, wantText := body(t)
		html, wantHTML := body(t)
		// Both slots, so that the values given are always wanted.
		both := mail.Mark(nonce, "one") + mail.Mark(nonce, "two")
		m := mail.Message{From: "a@example.org", Subject: "s", Date: date, Text: both + text, HTML: html, Nonce: nonce}
		tpl, err := mail.Compile(m)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := tpl.Render(nil, mail.Recipient{To: "b@example.org", MessageID: "1@example.org", Slots: slots})
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, raw)
		found, _ := parts(t, raw)
		if got, want := found["text/plain"], slots["one"]+slots["two"]+wantText; got != want {
			t.Errorf("text: got %q, want %q", got, want)
		}
		if got := found["text/html"]; got != wantHTML {
			t.Errorf("HTML: got %q, want %q", got, wantHTML)
		}
		signed, err := s.Sign(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := verdicts(t, s, signed)[0]; err != nil {
			t.Errorf("%v: %q", err, signed)
		}
	})
}

func checkLines(t *rapid.T, raw []byte) {
	if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) || bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
		t.Error("line ends other than CRLF")
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 76 || strings.HasPrefix(line, ".") || strings.HasPrefix(line, "From ") || strings.HasSuffix(line, " ") {
			t.Errorf("line of %d characters: %q", len(line), line)
		}
	}
}
