package feed

import (
	"strings"
	"time"
	"unicode/utf8"
)

// clean makes s fit for XML 1.0: encoding/xml passes control characters and
// broken UTF-8 through unseen, and one of them makes the whole document
// unreadable. Invalid UTF-8 becomes U+FFFD, line ends become LF, everything
// that is no Char (XML 1.0 §2.2) is dropped, and so are byte order marks.
func clean(s string) string {
	if plain(s) {
		return s
	}
	if utf8.ValidString(s) && strings.IndexFunc(s, unfit) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case unfit(r):
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// plain reports whether s is ASCII without any control character, as most
// strings are.
func plain(s string) bool {
	for i := 0; i < len(s); {
		switch {
		case len(s)-i >= 8 && eightPlain(s[i:i+8]):
			i += 8
		case s[i] < ' ' && s[i] != '\n' && s[i] != '\t' || s[i] >= 0x7f:
			return false
		default:
			i++
		}
	}
	return true
}

// eightPlain reports whether the first eight bytes of s are plain, and none is a
// line end or a tab: whatever it says no to is to be looked at one by one.
func eightPlain(s string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (v|(v-ones*' ')|(v+ones))&tops == 0 // beyond ASCII, below a blank, or DEL
}

func unfit(r rune) bool {
	switch {
	case r < ' ':
		return r != '\t' && r != '\n'
	case r == '\uFEFF', r == '\uFFFE', r == '\uFFFF':
		return true
	}
	return false
}

// line is clean text on one line, without blanks at its ends. A no-break
// space is not a blank: French punctuation needs it.
func line(s string) string {
	if s == "" || plain(s) && s[0] != ' ' && s[len(s)-1] != ' ' && !strings.ContainsAny(s, "\n\t") && !strings.Contains(s, "  ") {
		return s
	}
	return strings.Join(strings.FieldsFunc(clean(s), func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\n'
	}), " ")
}

// escapeHTML makes plain text into HTML. Quotes stay as they are: the result
// never stands in an attribute.
func escapeHTML(s string) string { return replacement(markup.Replace(s)) }

// replacement writes the character that stands for broken text in the way of
// HTML: validators take the character itself for a fault of the encoding.
func replacement(html string) string { return strings.ReplaceAll(html, "\uFFFD", "&#xFFFD;") }

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// address makes s fit where a URI is asked for (RFC 3986): everything else,
// blanks and letters beyond ASCII among them, is percent-encoded.
func address(s string) string {
	if isURI(s) {
		return s
	}
	s = strings.TrimSpace(clean(s))
	if strings.IndexFunc(s, notInURI) < 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; notInURI(rune(c)) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isURI reports whether address has nothing to do, as with nearly every one.
func isURI(s string) bool {
	for i := range len(s) {
		if !inURI[s[i]] {
			return false
		}
	}
	return true
}

var inURI = func() (in [256]bool) {
	for c := range in {
		in[c] = !notInURI(rune(c))
	}
	return in
}()

func notInURI(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r)
}

// excerpt is the beginning of s up to a word's end, at most limit characters
// and an ellipsis.
func excerpt(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	head := string(runes[:limit+1])
	if i := strings.LastIndexByte(head, ' '); i > 0 {
		return head[:i] + "…"
	}
	return string(runes[:limit]) + "…"
}

// date makes t fit for every format, in whole seconds; false if it cannot be:
// one year beyond 9999 makes encoding/json give up the whole feed.
func date(t time.Time) (time.Time, bool) {
	const hour = 60 * 60
	if _, offset := t.Zone(); offset%60 != 0 || offset < -12*hour || offset > 14*hour {
		t = t.UTC() // no reader knows such a zone
	}
	return t.Truncate(time.Second), t.Year() >= 1970 && t.Year() <= 9999
}

// formatDate is "" for a date that no format can carry.
func formatDate(t time.Time, layout string) string {
	t, ok := date(t)
	if !ok {
		return ""
	}
	return t.Format(layout)
}
