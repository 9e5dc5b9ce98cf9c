package digest

import (
	"strings"

	"github.com/rivo/uniseg"
)

// lineWidth is how wide the text part is set, in columns (RFC 3676 §4.2 advises
// 78 at most; 72 leaves room for quoting).
const lineWidth = 72

// wrap breaks a text into lines of at most lineWidth columns, each starting
// with indent (the first with first). Line breaks in the text are kept.
// Words that are longer, such as addresses, stay whole.
func wrap(text, first, indent string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
			first = indent
		}
		wrapLine(&b, line, first, indent)
	}
	return b.String()
}

func wrapLine(b *strings.Builder, line, first, indent string) {
	b.WriteString(first)
	column, pending := len(first), ""
	for rest, state := line, -1; rest != ""; {
		var segment string
		segment, rest, state = nextSegment(rest, state)
		word := strings.TrimRight(segment, " ")
		width := columns(word)
		if column > len(indent) && column+len(pending)+width > lineWidth {
			b.WriteString("\n" + indent)
			column, pending = len(indent), ""
		}
		b.WriteString(pending + word)
		column += len(pending) + width
		pending = segment[len(word):]
	}
}

// nextSegment splits off what must stay on one line: a word with the spaces
// after it where the text starts with ASCII, else what Unicode's line breaking
// rules say (UAX #14), by which Chinese and Japanese break between characters.
func nextSegment(s string, state int) (segment, rest string, next int) {
	for i := range len(s) {
		if s[i] >= 0x80 {
			break
		}
		if s[i] == ' ' && (i+1 == len(s) || s[i+1] != ' ' && s[i+1] < 0x80) {
			return s[:i+1], s[i+1:], -1
		}
		if i+1 == len(s) {
			return s, "", -1
		}
	}
	segment, rest, _, next = uniseg.FirstLineSegmentInString(s, state)
	if strings.Contains(segment, "://") { // an address stays whole
		if i := strings.IndexByte(s, ' '); i >= 0 {
			return s[:i+1], s[i+1:], -1
		}
		return s, "", -1
	}
	return segment, rest, next
}

// columns is the width of a text in a fixed font: East Asian characters take
// two columns, combining marks none.
func columns(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}
