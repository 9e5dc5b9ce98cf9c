package relay_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

func TestEveryMessageArrivesByteForByte(t *testing.T) {
	bothWays(t, func(t *testing.T, lockstep bool) {
		s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep})
		conn := connect(t, s, relay.SMTPConfig{})
		line := rapid.OneOf(
			rapid.SampledFrom([]string{"", ".", "..", "...", ".x", "QUIT", "x.", " .", strings.Repeat(".", 5000), strings.Repeat("x", 100_000)}),
			rapid.StringMatching(`[.a-z]{0,80}`),
		)
		rapid.Check(t, func(t *rapid.T) {
			lines := rapid.SliceOfN(line, 0, 40).Draw(t, "lines")
			msg := []byte(strings.Join(lines, "\r\n"))
			sent := bytes.Clone(msg)
			if _, err := conn.Send(t.Context(), envelope, msg, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(msg, sent) {
				t.Fatal("the caller's message was changed")
			}
			if !bytes.HasSuffix(msg, []byte("\r\n")) {
				msg = append(msg, "\r\n"...)
			}
			all := s.Messages()
			if got := all[len(all)-1].Data; !bytes.Equal(got, msg) {
				t.Fatalf("%q arrived as %q", msg, got)
			}
		})
	})
}
