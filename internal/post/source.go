package post

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A reader is the state of understanding one file.
type reader struct {
	file     string
	name     fileName
	opt      Options
	warnings []Problem

	room   *nodeRoom
	fields *fields // front matter; empty if the file has none
	body   string
}

func (r *reader) warn(line int, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{File: r.file, Line: line, Message: fmt.Sprintf(format, args...), Warning: true})
}

func (r *reader) fail(line int, format string, args ...any) error {
	return Problem{File: r.file, Line: line, Message: fmt.Sprintf(format, args...)}
}

// decode turns the bytes of a file into text: valid UTF-8 without a byte
// order mark, lines ending in "\n", no control characters but the tab. The
// number of every line stays what it is in the file.
func (r *reader) decode(src []byte) (string, error) {
	if text := asText(src); len(src) <= r.opt.MaxBytes && isLegible(text) && !strings.HasPrefix(text, byteOrderMark) {
		return text, nil
	}
	if len(src) > r.opt.MaxBytes {
		return "", r.fail(0, "the file has %d bytes, more than the %d a post may have; move pictures and data into files of their own", len(src), r.opt.MaxBytes)
	}
	if bytes.HasPrefix(src, []byte{0xff, 0xfe}) || bytes.HasPrefix(src, []byte{0xfe, 0xff}) {
		return "", r.fail(1, "the file is UTF-16 text; save it as UTF-8")
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return "", r.fail(lineAt(src, i), "the file is not text (it holds NUL bytes); save it as UTF-8, or move it out of the posts directory")
	}
	if err := r.checkUTF8(src); err != nil {
		return "", err
	}
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	text := strings.ToValidUTF8(string(src), "\uFFFD")
	if strings.Contains(text, "\r") {
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	}
	return strings.Map(printable, text), nil
}

const byteOrderMark = "\ufeff"

// checkUTF8 warns of a few wrong bytes, and refuses a file of which more
// than a tenth is no UTF-8.
func (r *reader) checkUTF8(src []byte) error {
	wrong, first := 0, 0
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && n == 1 {
			if wrong++; wrong == 1 {
				first = i
			}
		}
		i += n
	}
	line := lineAt(src, first)
	switch {
	case wrong*10 > len(src):
		return r.fail(line, "the file is not UTF-8 text; save it as UTF-8, or move it out of the posts directory")
	case wrong > 0:
		r.warn(line, "%d bytes are not UTF-8 and are shown as \uFFFD, the first on this line; save the file as UTF-8", wrong)
	}
	return nil
}

// lineAt gives the number of the line that holds the byte at offset, counted
// as editors do: "\r\n" and a lone "\r" end a line as well.
func lineAt(src []byte, offset int) int {
	before := src[:offset]
	return 1 + bytes.Count(before, []byte("\n")) + bytes.Count(before, []byte("\r")) - bytes.Count(before, []byte("\r\n"))
}
