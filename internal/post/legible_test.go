package post

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestIsLegibleOfEveryCharacter holds the short way against the long one.
func TestIsLegibleOfEveryCharacter(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		s := "a" + string(c) + "é"
		if want := strings.Map(printable, s) == s; utf8.ValidRune(c) && isLegible(s) != want {
			t.Errorf("%U: %v, want %v", c, !want, want)
		}
	}
	for _, s := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
		if isLegible(s) {
			t.Errorf("%q passes", s)
		}
	}
}
