package mail

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
)

func FuzzQuotedPrintable(f *testing.F) {
	for _, s := range []string{"", ".", "a\n.\n", "From me\nFrom you", strings.Repeat("x", 75) + ".From ", strings.Repeat("é", 60), " \t\n \r\n\r", "=\r\n=20", strings.Repeat("x", 76) + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded, column := appendQP(nil, s)
		for i, line := range strings.Split(string(encoded), "\r\n") {
			if len(line) > 76 || strings.HasPrefix(line, ".") || strings.HasPrefix(line, "From ") || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line %d: %q", i, line)
			}
		}
		if last := encoded[bytes.LastIndexByte(encoded, '\n')+1:]; len(last) != column {
			t.Errorf("column %d, but the last line is %q", column, last)
		}
		// As in a message: another line follows.
		decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(append(encoded, "=\r\n\r\n"...))))
		want := strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") + "\r\n"
		if err != nil || string(decoded) != want {
			t.Errorf("%q arrives as %q, want %q (%v)", encoded, decoded, want, err)
		}
	})
}
