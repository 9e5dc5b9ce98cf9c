package digest_test

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"tidings/internal/digest"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain":                  "plain",
		"  a \t b\r\nc  ":        "a b c",
		"a\x00\x07\x7f\u0085b":   "a b", // NEL is white space
		"\u202Ea\u2069\u061Cb":   "ab",
		"a\u200Db\u00ADc\uFEFFd": "a\u200Db\u00ADcd",
		"\xff\uFFFE":             "\uFFFD",
		"漢字 仮名":                  "漢字 仮名",
	} {
		if got := digest.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	cases := []struct {
		in   string
		n    int
		want string
	}{
		{"short", 10, "short"},
		{"short", 0, ""},
		{"ten letter", 10, "ten letter"},
		{"one two three four", 15, "one two three…"},
		{"one two, three", 12, "one two…"},
		{"abcdefghijkl", 6, "abcde…"},
		{"漢字仮名交じり文", 5, "漢字仮名…"},
		{"Z" + strings.Repeat("\u0301", 9), 4, "Z\u0301\u0301…"}, // but some of it is better than nothing
		{"e\u0301e\u0301e\u0301", 4, "e\u0301…"},                 // not between a letter and its accent
		{"\U0001F469\u200D\U0001F469\u200D\U0001F467\U0001F469\u200D\U0001F467", 7, "\U0001F469\u200D\U0001F469\u200D\U0001F467…"}, // nor inside a family
	}
	for _, c := range cases {
		if got := digest.Cut(c.in, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	cases := map[string]struct{ text, first, indent, want string }{
		"empty":   {"", "", "", ""},
		"short":   {"a b", "", "", "a b"},
		"exact":   {strings.Repeat("x", 35) + " " + strings.Repeat("y", 36), "", "", strings.Repeat("x", 35) + " " + strings.Repeat("y", 36)},
		"over":    {strings.Repeat("x", 36) + " " + strings.Repeat("y", 36), "", "", strings.Repeat("x", 36) + "\n" + strings.Repeat("y", 36)},
		"indent":  {strings.Repeat("x", 68) + " y z", "1. ", "   ", "1. " + strings.Repeat("x", 68) + "\n   y z"},
		"lines":   {"a\nb", "* ", "  ", "* a\n  b"},
		"CJK":     {strings.Repeat("漢", 40), "", "", strings.Repeat("漢", 36) + "\n" + strings.Repeat("漢", 4)},
		"mixed":   {strings.Repeat("a", 60) + " 漢字仮名交じり文", "", "", strings.Repeat("a", 60) + " 漢字仮名交\nじり文"},
		"address": {"see https://example.org/a-b-c/" + strings.Repeat("d-", 40) + "é?q=1 now", "", "", "see\nhttps://example.org/a-b-c/" + strings.Repeat("d-", 40) + "é?q=1\nnow"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := digest.Wrap(c.text, c.first, c.indent); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Wrapping loses nothing, and only words that cannot be broken stand out.
func FuzzWrap(f *testing.F) {
	f.Add("plain words that go on and on until the line is full and a bit more than that", "> ")
	f.Add("漢字仮名交じり文 with Latin — and ünïcödé", "")
	f.Add("https://example.org/漢字/a-b c", "  ")
	f.Fuzz(func(t *testing.T, s, indent string) {
		s, indent = digest.Clean(s), strings.Repeat(" ", len(indent)%8)
		got := digest.Wrap(s, indent, indent)
		squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if squeeze(got) != squeeze(s) {
			t.Fatalf("text changed:\n%q\n%q", s, got)
		}
		for line := range strings.SplitSeq(got, "\n") {
			body := strings.TrimPrefix(line, indent)
			if uniseg.StringWidth(line) > digest.LineWidth && strings.Contains(strings.TrimSpace(body), " ") && !strings.Contains(body, "://") && isASCII(body) {
				t.Fatalf("%d columns: %q", uniseg.StringWidth(line), line)
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}
