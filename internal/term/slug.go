package term

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxSlug is the greatest length of a slug in bytes. It leaves room for a
// "-" and a Suffix within 100 bytes, a length that every file system and
// archive format holds even for several such elements in a path.
const MaxSlug = 100 - 1 - 6

// maxClean is the greatest length of what Clean gives, in bytes: an address
// that a blog has already should not be cut, and no file is named after it
// that could not bear 255 bytes.
const maxClean = 200

// Slug gives the path element for a term. It depends on the Key alone, so
// that all spellings of a term have one address. It is lower-case, NFC, at
// most MaxSlug bytes, and safe as a file name on every system; letters of
// all scripts are kept (percent-encode them in URLs). Different keys may
// share a slug; see Suffix.
//
// A name of which nothing can be kept, a device name of Windows, and a word
// that the feed paths need for themselves get the Suffix of their key.
func Slug(name string) string {
	key := Key(name)
	slug := clean(key, MaxSlug)
	switch {
	case slug == "":
		return "term-" + Suffix(key)
	case reserved(slug):
		return slug + "-" + Suffix(key)
	}
	return slug
}

// Clean turns any text into a slug, or gives "" when nothing of it can be
// kept. Unlike Slug it lets reserved words pass, but not device names, and it
// does not unite spellings.
func Clean(text string) string { return clean(text, maxClean) }

func clean(text string, limit int) string {
	text = norm.NFC.String(strings.ToLower(norm.NFC.String(strings.ToValidUTF8(text, ""))))
	slug := shorten(hyphenate(spell(text)), limit)
	if deviceName(slug) {
		return "x-" + slug
	}
	return slug
}

// spell writes out the signs that tell one term from another.
func spell(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		before, after := at(runes, i-1), at(runes, i+1)
		switch r := runes[i]; {
		case r == '&':
			b.WriteString("-and-")
		case r == '+' && after == '+' && wordRune(before):
			b.WriteString("pp")
			i++
		case r == '+' && (wordRune(before) || wordRune(after)):
			b.WriteString("-plus-")
		case r == '#' && wordRune(before) && !wordRune(after):
			b.WriteString("sharp")
		case r == '.' && !wordRune(before) && startsWith(runes[i+1:], "net"):
			b.WriteString("dot")
		case r == '\'' || r == '’':
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// startsWith tells whether the text starts with the whole word.
func startsWith(text []rune, word string) bool {
	n := len(word)
	return len(text) >= n && string(text[:n]) == word && !wordRune(at(text, n))
}

func at(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return ' '
	}
	return runes[i]
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// hyphenate keeps letters, marks and digits, and puts one hyphen for
// everything between them.
func hyphenate(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range text {
		if !wordRune(r) || unicode.IsMark(r) && (gap || b.Len() == 0) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// shorten cuts at the last hyphen that leaves more than half of the room,
// else between two characters.
func shorten(slug string, limit int) string {
	if len(slug) <= limit {
		return slug
	}
	cut := limit
	for cut > 0 && !(utf8.RuneStart(slug[cut]) && norm.NFC.FirstBoundaryInString(slug[cut:]) == 0) {
		cut--
	}
	if hyphen := strings.LastIndexByte(slug[:cut+1], '-'); hyphen > limit/2 {
		cut = hyphen
	}
	return strings.Trim(slug[:cut], "-")
}

// deviceName tells whether Windows takes the name for a device, whatever
// extension follows.
func deviceName(slug string) bool {
	switch slug {
	case "con", "prn", "aux", "nul":
		return true
	}
	port, digit := strings.CutPrefix(slug, "com")
	if !digit {
		port, digit = strings.CutPrefix(slug, "lpt")
	}
	return digit && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// reserved tells whether a word stands for something else in the paths of
// feeds and their pages.
func reserved(slug string) bool {
	switch slug {
	case "archive", "atom", "feed", "feeds", "index", "page", "rss":
		return true
	}
	return false
}
