package digest

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/language"
)

// clean makes one line of plain text of anything: white space becomes single
// spaces; control characters, and those that turn the direction of the text
// around them (Unicode's Bidi_Control), are dropped; so is what is not UTF-8.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Join(strings.Fields(strings.Map(visible, s)), " ")
}

// visible gives a space for any white space, and -1 for what is to be dropped.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), isNoncharacter(r), r == '\uFEFF':
		return -1
	}
	return r
}

// isClean reports the common case quickly: printable ASCII without needless
// spaces.
func isClean(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && last == ' ' {
			return false
		}
		last = s[i]
	}
	return last != ' ' || s == ""
}

// isNoncharacter reports code points that are never text (Unicode §23.7).
func isNoncharacter(r rune) bool {
	return r&0xFFFE == 0xFFFE || 0xFDD0 <= r && r <= 0xFDEF
}

// cleanAll cleans each string and drops those of which nothing is left. At
// most limit are kept.
func cleanAll(ss []string, limit int) []string {
	var out []string
	for _, s := range ss {
		if s = cut(clean(s), maxTerm); s != "" && len(out) < limit {
			out = append(out, s)
		}
	}
	return out
}

// cut shortens a clean text to at most n characters (code points), with an
// ellipsis, between words if there is a gap in the last third. It cuts inside
// what readers see as one character only where the first alone is too long, as
// a letter under a heap of accents is. n 0 gives "".
func cut(s string, n int) string {
	if n == 0 {
		return ""
	}
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	end, gap, runes, state := 0, 0, 0, -1
	for rest := s; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if runes += utf8.RuneCountInString(cluster); runes > n-1 {
			break
		}
		if cluster == " " && runes > n*2/3 {
			gap = end
		}
		end += len(cluster)
	}
	if end == 0 {
		end = len(string([]rune(s)[:n-1]))
	}
	if gap > 0 {
		end = gap
	}
	return strings.TrimRight(s[:end], " .,;:-–—") + "…"
}

// maxURL is the longest address that is linked, in bytes. Longer ones break
// in mail programs, and a mail has better uses for the room.
const maxURL = 2000

// webURL gives s if it is an absolute http or https address, else "". What
// does not belong into an address is percent-encoded, so that it survives on
// a line of its own in the text part.
func webURL(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	if s = clean(u.String()); len(s) > maxURL || strings.ContainsAny(s, ` <>"`) {
		return ""
	}
	return s
}

// canonical gives a language tag in its usual spelling, "" if it is none.
func canonical(s string) string {
	tag, err := language.Parse(s)
	if err != nil || tag == language.Und {
		return ""
	}
	return tag.String()
}
