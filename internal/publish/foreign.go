package publish

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// This file has the slugs that other generators make of names, where their
// feeds' addresses hold them. Where one numbers equal slugs in the order of
// their making, its addresses cannot be known; terms in the configuration has
// the last word.

// hugoSlugs: letters, marks, digits and a few signs stay, in lower case; blanks
// become hyphens and the rest goes (Hugo, common/paths).
func hugoSlugs(name string) []string {
	var b strings.Builder
	gap, hyphen := false, false
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), strings.ContainsRune(`./\_#+~-@`, r):
			if gap && r != '-' {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap, hyphen = false, r == '-'
		case b.Len() > 0 && !hyphen && unicode.IsSpace(r):
			gap = true
		}
	}
	return []string{b.String()}
}

// jekyllSlugs: jekyll-feed takes names as they are written.
func jekyllSlugs(name string) []string {
	return slices.Compact([]string{name, strings.ToLower(name)})
}

var (
	blanks  = regexp.MustCompile(`\s+`)
	hyphens = regexp.MustCompile(`-+`)
)

// wordPressSlugs: Latin letters without their accents, other letters as they
// are, in lower case; blanks, "." and "/" become hyphens and other signs go
// (sanitize_title in wp-includes/formatting.php).
func wordPressSlugs(name string) []string {
	var b strings.Builder
	for _, r := range norm.NFC.String(name) {
		switch {
		case r == 'ß':
			b.WriteByte('s')
		case unicode.Is(unicode.Latin, r):
			b.WriteString(unidecode.Unidecode(string(r)))
		case strings.ContainsRune("./\u00a0–—", r):
			b.WriteByte('-')
		case r == '×':
			b.WriteByte('x')
		case r == '_', r == '-', unicode.IsSpace(r), unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r), r > unicode.MaxLatin1 && unicode.IsSymbol(r):
			b.WriteRune(r)
		}
	}
	slug := blanks.ReplaceAllString(strings.ToLower(b.String()), "-")
	return []string{strings.Trim(hyphens.ReplaceAllString(slug, "-"), "-")}
}

var (
	notGhost  = regexp.MustCompile(`[^\pL\pN\s_-]`)
	reserved  = regexp.MustCompile("[\\s.@:/?#\\[\\]!$&()*+,;=\\\\%<>|^~\"{}`]")
	camel     = regexp.MustCompile(`([a-z])([A-Z])`)
	ghostGaps = regexp.MustCompile(`[\s_-]{2,}`)
	quotes    = strings.NewReplacer("'", "", "‘", "", "’", "", "´", "")
)

// ghostSlugs: everything in ASCII, signs as hyphens (slugify in @tryghost/string).
// Newer versions of Ghost also put a hyphen where small letters meet large
// ones; a name gives both.
func ghostSlugs(name string) []string {
	s := notGhost.ReplaceAllString(quotes.Replace(norm.NFC.String(name)), "-")
	s = quotes.Replace(reserved.ReplaceAllString(unidecode.Unidecode(s), "-"))
	var all []string
	for _, s := range []string{s, camel.ReplaceAllString(s, "$1-$2")} {
		s = ghostGaps.ReplaceAllString(strings.ToLower(s), "-")
		s = strings.Trim(s, "-_ ")
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
