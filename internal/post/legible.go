package post

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// legible gives a text that every document can carry: what is no UTF-8 becomes
// U+FFFD, and what printable drops is gone.
func legible(text string) string {
	if isLegible(text) {
		return text
	}
	return strings.Map(printable, strings.ToValidUTF8(text, "\uFFFD"))
}

// isLegible reports whether legible has nothing to do, as with nearly every
// text.
func isLegible(text string) bool {
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		} else if c < utf8.RuneSelf {
			return false
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || r < 0xa0 || r >= 0xFDD0 && noncharacter(r) {
			return false
		}
		i += size
	}
	return true
}

// printable drops the characters that XML cannot carry or nobody can see,
// and turns the vertical blanks among them into spaces.
func printable(c rune) rune {
	switch {
	case c == '\n' || c == '\t':
		return c
	case c == '\v' || c == '\f' || c == '\u0085':
		return ' '
	case unicode.IsControl(c), noncharacter(c):
		return -1
	}
	return c
}

func noncharacter(c rune) bool { return c >= 0xFDD0 && c <= 0xFDEF || c&0xFFFE == 0xFFFE }
