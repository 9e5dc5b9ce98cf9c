package mail

import "strings"

const (
	upperHex   = "0123456789ABCDEF"
	qpWidth    = 75 // RFC 2045 §6.7 (5) allows 76, the "=" of a soft break included
	softBreak  = "=\r\n"
	mboxHazard = "From " // some mail stores write ">" before it, which breaks signatures
)

// appendQP appends text in quoted-printable (RFC 2045 §6.7). It is not the
// standard library's encoder because pieces of one body are encoded apart, at
// different times: each begins at the start of a line, and column says where
// it ended. No line begins with ".", so that nothing depends on dot-stuffing
// along the way. Both LF and CRLF in text become CRLF; a lone CR is encoded.
func appendQP(dst []byte, text string) (_ []byte, column int) {
	for i := 0; i < len(text); i++ {
		if n := lineBreak(text[i:]); n > 0 {
			dst, column = append(dst, "\r\n"...), 0
			i += n - 1
			continue
		}
		if column+qpSize(text, i, column) > qpWidth {
			dst, column = append(dst, softBreak...), 0
		}
		size := qpSize(text, i, column)
		if size == 1 {
			dst = append(dst, text[i])
		} else {
			dst = append(dst, '=', upperHex[text[i]>>4], upperHex[text[i]&15])
		}
		column += size
	}
	return dst, column
}

// lineBreak gives the length of the line break that s begins with, or 0.
func lineBreak(s string) int {
	switch {
	case s[0] == '\n':
		return 1
	case strings.HasPrefix(s, "\r\n"):
		return 2
	}
	return 0
}

// qpSize gives how many characters stand for text[i] at column: 1 or 3.
func qpSize(text string, i, column int) int {
	switch c := text[i]; {
	case c == ' ' || c == '\t':
		if i+1 == len(text) || lineBreak(text[i+1:]) > 0 {
			return 3 // blanks at the end of a line get lost on the way
		}
	case c < ' ' || c > '~' || c == '=':
		return 3
	case column == 0 && (c == '.' || strings.HasPrefix(text[i:], mboxHazard)):
		return 3
	}
	return 1
}
