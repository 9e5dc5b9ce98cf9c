package post

import (
	"encoding/binary"
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
		if len(text)-i >= 8 && eightPlain(text[i:i+8]) {
			i += 8
			continue
		}
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

// eightPlain reports whether eight bytes are all printable ASCII.
func eightPlain(s string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	v := binary.LittleEndian.Uint64(asBytes(s))
	return (v|(v-ones*' ')|(v+ones))&tops == 0 // beyond ASCII, below a blank, or DEL
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
