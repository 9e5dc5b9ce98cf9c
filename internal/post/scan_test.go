package post

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// legibleSlowly and wordsSlowly look at one character after the other.
func legibleSlowly(text string) bool {
	for _, r := range text {
		if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || noncharacter(r)) {
			return false
		}
	}
	return utf8.ValidString(text)
}

func wordsSlowly(text string) (words int) {
	inside := false
	for _, r := range text {
		begins := unicode.IsLetter(r) || unicode.IsDigit(r)
		if begins && !inside {
			words++
		}
		inside = begins || inside && strings.ContainsRune("'-_./", r)
	}
	return words
}

// FuzzScan holds the loops that go through every byte of every post against
// plainer ones.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"", "two words", "12345678", "1234567\x1f", "12345678\x7f", "1234567\t1234567\n", "don't re-read a_b.c/d", "-a -'b' ...", "é\u00a0\u0085", "\xff", "\ufdd0", "a\r\n",
		strings.Repeat("long enough for all of it, ", 40) + "\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := isLegible(text), legibleSlowly(text); got != want {
			t.Errorf("isLegible(%q) is %v", text, got)
		}
		ascii := strings.Map(func(r rune) rune {
			if r >= utf8.RuneSelf {
				return ' '
			}
			return r
		}, text)
		for _, part := range []string{ascii, ascii + ascii} {
			if _, got, _ := asciiWords(part, false); got != wordsSlowly(part) {
				t.Errorf("asciiWords(%q) is %d, want %d", part, got, wordsSlowly(part))
			}
		}
	})
}
