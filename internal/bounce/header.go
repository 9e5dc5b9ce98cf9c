package bounce

import (
	"bytes"
	"regexp"
	"strings"
)

// fieldsOnly gives a message without the lines of its header, and of those of
// its parts, that are no fields: one such line does not make the rest of a
// report untrue. The line "From …" that mail servers put before what they pipe
// into a program is one too.
func fieldsOnly(message []byte) []byte {
	s := sieve{header: true, boundaries: map[string]bool{}}
	for line := range bytes.Lines(message) {
		s.line(line)
	}
	return s.out
}

// A sieve is the state of fieldsOnly.
type sieve struct {
	out        []byte
	header     bool // the next line belongs to a header,
	kept       bool // whose field before it was kept
	boundaries map[string]bool
}

func (s *sieve) line(line []byte) {
	text := strings.TrimRight(string(line), " \t\r\n")
	switch {
	case s.boundaries[text]:
		s.header, s.kept = true, false
	case !s.header:
	case len(bytes.TrimRight(line, "\r\n")) == 0:
		s.header = false
	default:
		if !isBlank(line[0]) {
			s.kept = isField(line)
		}
		if !s.kept {
			return
		}
		s.boundary(text)
	}
	s.out = append(s.out, line...)
}

// boundary takes note of the line that is to begin each part.
func (s *sieve) boundary(text string) {
	if m := boundaryParam.FindStringSubmatch(text); m != nil && len(s.boundaries) < maxParts {
		s.boundaries["--"+strings.TrimRight(m[1]+m[2], " \t")] = true
	}
}

var boundaryParam = regexp.MustCompile(`(?i)\bboundary *= *(?:"([^"]+)"|([^\s";]+))`)

func isBlank(b byte) bool { return b == ' ' || b == '\t' }

// isField reports whether a line begins with the name of a field (RFC 5322
// §2.2); blanks before the colon are in use.
func isField(line []byte) bool {
	name, _, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	return found && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' })
}
