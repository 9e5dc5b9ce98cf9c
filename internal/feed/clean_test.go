package feed

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The short ways of clean and line must give what the long ones do.
func TestShortWaysAreLongWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab  \t\n\r\x00\x7f\u00a0é\ufeff\ufffe"))).Draw(t, "s")
		// a letter that is not ASCII takes the long way, and stays as it is
		if got, want := clean(s), strings.TrimSuffix(clean(s+"é"), "é"); got != want {
			t.Fatalf("clean(%q) = %q, want %q", s, got, want)
		}
		if got, want := line(s), strings.TrimSuffix(line(s+" é"), "é"); got != strings.TrimSuffix(want, " ") {
			t.Fatalf("line(%q) = %q, want %q", s, got, want)
		}
	})
}
