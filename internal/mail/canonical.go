package mail

import (
	"bytes"
	"errors"
	"fmt"
)

// Blanks of a header field: WSP, and the CRLF of a fold.
const blanks = " \t\r\n"

// A field is a header field as it stands in a message.
type field struct {
	name  []byte // printable ASCII
	value []byte // what follows the colon, folds and final CRLF included
}

// splitMessage gives the header, up to the last CRLF in it, and the body. It
// refuses what is changed on its way to the receiver, where a signature would
// no longer hold.
func splitMessage(msg []byte) (header, body []byte, err error) {
	if !hasNetworkLines(msg) {
		return nil, nil, errors.New("the message has line ends other than CRLF")
	}
	header, body, found := bytes.Cut(msg, []byte("\r\n\r\n"))
	if !found {
		return nil, nil, errors.New("the message has no empty line after its header")
	}
	return msg[:len(header)+len("\r\n")], body, nil
}

// hasNetworkLines reports whether every CR and LF is one of a CRLF.
func hasNetworkLines(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return bytes.IndexByte(text, '\r') < 0
		}
		if i == 0 || bytes.IndexByte(text[:i], '\r') != i-1 {
			return false
		}
		text = text[i+1:]
	}
}

// appendFields splits a header.
func appendFields(dst []field, header []byte) ([]field, error) {
	for len(header) > 0 {
		n := fieldLength(header)
		name, value, found := bytes.Cut(header[:n], []byte(":"))
		name = bytes.TrimRight(name, blanks)
		if !found || len(name) == 0 || bytes.ContainsFunc(name, isNotFieldName) {
			return dst, fmt.Errorf("header: %q is not a field", shorten(string(header[:n])))
		}
		dst = append(dst, field{name, value})
		header = header[n:]
	}
	return dst, nil
}

// fieldLength gives the length of the field that a header begins with: up to
// a line that does not begin with a blank.
func fieldLength(header []byte) int {
	for n := 0; ; {
		i := bytes.IndexByte(header[n:], '\n')
		if i < 0 {
			return len(header)
		}
		n += i + 1
		if n == len(header) || header[n] != ' ' && header[n] != '\t' {
			return n
		}
	}
}

// appendRelaxedField appends a field in the canonical form "relaxed" (RFC 6376
// §3.4.2), without its final CRLF.
func appendRelaxedField(dst []byte, f field) []byte {
	for _, c := range f.name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	return appendReduced(dst, bytes.TrimLeft(f.value, blanks))
}

// appendRelaxedBody appends a body in the canonical form "relaxed" (RFC 6376
// §3.4.4): blanks reduced, none at the ends of lines, no empty lines at the
// end. Nearly all lines from Compile have that form as they are.
func appendRelaxedBody(dst, body []byte) []byte {
	end := len(dst) // of the last line that is not empty
	for run := indexRun(body); len(body) > 0; {
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		start := len(dst)
		if run < len(line) || bytes.IndexByte(line, '\t') >= 0 || bytes.HasSuffix(line, []byte(" ")) {
			dst = appendReduced(dst, line)
		} else {
			dst = append(dst, line...)
		}
		empty := len(dst) == start
		dst = append(dst, "\r\n"...)
		if !empty {
			end = len(dst)
		}
		if run -= len(body) - len(rest); run < 0 {
			run = indexRun(rest)
		}
		body = rest
	}
	return dst[:end]
}

// indexRun gives the place of the first two spaces in a row, or the length of
// text. One search over many lines is several times as fast as one in each.
func indexRun(text []byte) int {
	if i := bytes.Index(text, []byte("  ")); i >= 0 {
		return i
	}
	return len(text)
}

// appendReduced appends text with each run of blanks as one space, and
// without those at its end.
func appendReduced(dst, text []byte) []byte {
	blank := false
	for _, c := range text {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			blank = true
			continue
		}
		if blank {
			dst = append(dst, ' ')
			blank = false
		}
		dst = append(dst, c)
	}
	return dst
}
