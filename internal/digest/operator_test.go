package digest_test

import (
	"testing"

	"tidings/internal/digest"
	"tidings/internal/mail"
)

func TestOperator(t *testing.T) {
	m := digest.Operator("News <news@example.org>", "It\r\nBcc: x@example.org", "The server said: 550\tno\x07 way, and so on until the line is longer than it should be.\n\n    tidings editions show 12 --deliveries failed --json --config /a/path/that/is/long.yaml\n", monday)
	want := "The server said: 550 no way, and so on until the line is longer than it\nshould be.\n\n" +
		"    tidings editions show 12 --deliveries failed --json --config /a/path/that/is/long.yaml\n"
	if m.Text != want || m.Subject != "It Bcc: x@example.org" || m.HTML != "" {
		t.Errorf("subject %q, text\n%s", m.Subject, m.Text)
	}
	if _, err := mail.Compile(m); err != nil {
		t.Error(err)
	}
}
