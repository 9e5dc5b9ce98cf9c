package mail

import (
	"bytes"
	"strings"
	"testing"
)

// TestRelaxed has the examples of RFC 6376 §3.4.5 and what they leave out.
func TestRelaxed(t *testing.T) {
	fields, err := appendFields(nil, []byte("A: X\r\nB : Y\t\r\n\tZ  \r\nEmpty:\r\nMuch \t:\r\n \t \r\n  a\tb\t \r\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, string(appendRelaxedField(nil, f)))
	}
	if want := "a:X|b:Y Z|empty:|much:a b"; strings.Join(got, "|") != want {
		t.Errorf("header: %q, want %q", got, want)
	}
	for body, want := range map[string]string{
		" C \r\nD \t E\r\n\r\n\r\n":   " C\r\nD E\r\n",
		"":                            "",
		"\r\n":                        "",
		" \t\r\n\r\n \r\n":            "",
		"no end":                      "no end\r\n",
		"a  \r\n \t\r\n\r\nb\t":       "a\r\n\r\n\r\nb\r\n",
		"\r\n\r\na":                   "\r\n\r\na\r\n",
		"a\tb\r\n\tc\r\n":             "a b\r\n c\r\n",
		"a  b\r\nc\r\nd  e\r\n":       "a b\r\nc\r\nd e\r\n",
		"a\r\n  b  c\r\n  d\r\ne  \t": "a\r\n b c\r\n d\r\ne\r\n",
	} {
		if got := string(appendRelaxedBody(nil, []byte(body))); got != want {
			t.Errorf("body %q: %q, want %q", body, got, want)
		}
	}
}

// FuzzRelaxedBody holds the canonical form to a slow transcription of RFC 6376
// §3.4.4.
func FuzzRelaxedBody(f *testing.F) {
	for _, s := range []string{"", "\r\n", "a  b\r\n\tc \r\n\r\n", "a", strings.Repeat("long line ", 20) + "\r\n x  y\r\n", "  \r\nx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !hasNetworkLines([]byte(body)) {
			return
		}
		var want strings.Builder
		for line := range strings.SplitSeq(body, "\r\n") {
			line = strings.ReplaceAll(line, "\t", " ")
			for strings.Contains(line, "  ") {
				line = strings.ReplaceAll(line, "  ", " ")
			}
			want.WriteString(strings.TrimSuffix(line, " ") + "\r\n")
		}
		expected := want.String()
		for strings.HasSuffix("\r\n"+expected, "\r\n\r\n") {
			expected = strings.TrimSuffix(expected, "\r\n")
		}
		got := appendRelaxedBody([]byte("before"), []byte(body))
		if string(got) != "before"+expected {
			t.Errorf("%q: got %q, want %q", body, got, expected)
		}
		if again := appendRelaxedBody(nil, got); !bytes.Equal(again, got) && expected != "" {
			t.Errorf("%q becomes %q, and that %q", body, got, again)
		}
	})
}

func TestNetworkLines(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a": true, "a\r\n": true, "\r\n\r\n": true, "a\r\nb": true,
		"\n": false, "a\nb\r\n": false, "\r": false, "a\r\nb\r": false, "a\r\r\n": false, "\r\n\n": false, "a\rb\r\n": false,
	} {
		if got := hasNetworkLines([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
