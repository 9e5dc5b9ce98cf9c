package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode/utf8"
)

// Limits of a line: wanted (RFC 5322 §2.1.1, RFC 2047 §2) and hard.
const (
	foldWidth    = 76
	maxLine      = 998
	encodedStart = "=?utf-8?"
	maxWord      = 75 // an encoded-word, delimiters included
)

// rejectControl is the gate that all header text passes before it is written
// or given to go-mail, which does not guard every field itself. A line break
// in a value would let its author write headers of their own.
func rejectControl(what, s string) error {
	if i := strings.IndexFunc(s, isControl); i >= 0 {
		return fmt.Errorf("%s: control character %q at byte %d", what, s[i], i)
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// owned are the fields that Compile and Render write themselves.
var owned = [...]string{
	"From", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version",
	"Content-Type", "Content-Transfer-Encoding", "Content-Language",
}

// checkHeader refuses a field that cannot be written as it is: a name that is
// no field name (RFC 5322 §2.2) or has its own place in the message, a value
// with control characters, or with a word too long for a line.
func checkHeader(h Header) error {
	if h.Name == "" || strings.IndexFunc(h.Name, isNotFieldName) >= 0 {
		return fmt.Errorf("header %q: not a field name", h.Name)
	}
	if holds(owned[:], h.Name) {
		return fmt.Errorf("header %s: has its own place in the message", h.Name)
	}
	if err := checkWidth(h.Name, h.Value); err != nil {
		return err
	}
	if err := rejectControl(h.Name, h.Value); err != nil {
		return fmt.Errorf("header %w", err)
	}
	return nil
}

// checkWidth refuses a value that cannot be folded to lines of legal length.
func checkWidth(name, value string) error {
	for word := range strings.SplitSeq(value, " ") {
		if len(name)+len(": ")+len(word) > maxLine {
			return fmt.Errorf("header %s: more than %d characters without a space", name, maxLine)
		}
	}
	return nil
}

func isNotFieldName(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }

// holds reports whether list has the field name, in any case.
func holds(list []string, name string) bool {
	for _, s := range list {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// appendField appends "name: value CRLF", folded at spaces, and right after
// the colon only where an encoded-word needs the room (RFC 2047 §2). The value
// is printable ASCII, or UTF-8 for an internationalised address (RFC 6532).
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	column := len(name) + 1
	for first := true; ; first = false {
		word, rest, more := strings.Cut(value, " ")
		mayFold := !first && word != "" || strings.HasPrefix(word, "=?")
		if mayFold && column+1+len(word) > foldWidth {
			dst = append(dst, "\r\n"...)
			column = 0
		}
		dst = append(dst, ' ')
		dst = append(dst, word...)
		column += 1 + len(word)
		if !more {
			return append(dst, "\r\n"...)
		}
		value = rest
	}
}

// encodeUnstructured gives text as the value of the unstructured field name:
// as it is if it can stand there, else as encoded-words (RFC 2047). The first
// word leaves room for the name, because a break right after the colon is
// legal but read as a leading space by some.
func encodeUnstructured(name, text string) string {
	if isPlain(text) {
		return text
	}
	return encodeWords(text, foldWidth-len(name)-len(": "))
}

// isPlain reports whether text needs no encoding: ASCII, no space at its ends,
// nothing that looks like an encoded-word, and words that fit a line.
func isPlain(text string) bool {
	if strings.Contains(text, "=?") || strings.HasPrefix(text, " ") || strings.HasSuffix(text, " ") {
		return false
	}
	for word := range strings.SplitSeq(text, " ") {
		if len(word) > maxLine/2 {
			return false
		}
	}
	return isASCII(text)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// encodeWords gives text as encoded-words, separated by single spaces, none
// splitting a character; the first is not longer than room.
func encodeWords(text string, room int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	encode, kind := base64.StdEncoding.EncodeToString, "b?"
	if mostlyASCII(text) {
		encode, kind = qEncode, "q?"
	}
	var words []string
	for limit := min(room, maxWord); text != ""; limit = maxWord {
		n := fit(text, limit-len(encodedStart)-len(kind)-len("?="), encode)
		words = append(words, encodedStart+kind+encode([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

// fit gives how many leading bytes of text, whole characters and at least
// one, encode to at most limit.
func fit(text string, limit int, encode func([]byte) string) int {
	n := 0
	for n < len(text) {
		_, size := utf8.DecodeRuneInString(text[n:])
		if n > 0 && len(encode([]byte(text[:n+size]))) > limit {
			break
		}
		n += size
	}
	return n
}

// mostlyASCII says which of the two encodings is shorter: Q spends three
// characters on a byte that is not ASCII, B always four on three.
func mostlyASCII(s string) bool {
	high := 0
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			high++
		}
	}
	return high*6 < len(s)
}

// qEncode is the Q encoding in its strictest form, fit for phrases too
// (RFC 2047 §5 (3)).
func qEncode(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		switch {
		case c == ' ':
			out.WriteByte('_')
		case isAlphanumeric(c), c == '!', c == '*', c == '+', c == '-', c == '/':
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "=%02X", c)
		}
	}
	return out.String()
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// ListID gives the List-Id field of a newsletter (RFC 2919): a phrase for
// people, encoded as needed, and the identifier, which must stay the same for
// ever, such as "weekly.news.example.org".
func ListID(phrase, id string) (Header, error) {
	if err := errors.Join(rejectControl("List-Id", phrase), checkListID(id)); err != nil {
		return Header{}, err
	}
	value := "<" + id + ">"
	if phrase != "" {
		value = encodePhrase(phrase) + " " + value
	}
	return Header{Name: "List-Id", Value: value}, nil
}

func checkListID(id string) error {
	for label := range strings.SplitSeq(id, ".") {
		if label == "" || strings.IndexFunc(label, isNotAtext) >= 0 {
			return fmt.Errorf("List-Id: %q is not a list identifier: use letters, digits and hyphens, separated by dots", id)
		}
	}
	if !strings.Contains(id, ".") || len(id) > 255 {
		return fmt.Errorf("List-Id: %q is not a list identifier: it needs a dot and at most 255 characters", id)
	}
	return nil
}

func isNotAtext(r rune) bool {
	return r >= utf8.RuneSelf || !isAlphanumeric(byte(r)) && !strings.ContainsRune("-_+", r)
}

// encodePhrase gives a phrase as it may stand before "<" (RFC 5322 §3.2.5).
func encodePhrase(phrase string) string {
	if isASCII(phrase) && !strings.Contains(phrase, "=?") {
		full := (&netmail.Address{Name: phrase, Address: "a@b"}).String()
		return strings.TrimSuffix(full, " <a@b>")
	}
	return encodeWords(phrase, foldWidth-len("List-Id: "))
}
