package feed

import (
	"slices"
	"sync"

	bcp47 "golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// language is s in its canonical form, "zh-CN" for "zh_cn"; "" if s is no
// language tag (BCP 47).
func language(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := languages.Load(s); ok {
		return known.(string)
	}
	canonical := ""
	if tag, err := bcp47.Parse(s); err == nil && tag != bcp47.Und {
		canonical = tag.String()
	}
	if len(s) < longestTag {
		languages.Store(s, canonical)
	}
	return canonical
}

// languages remembers tags, because the few of a blog are asked for with every
// entry. No post can fill it with nonsense that is longer than any tag.
var languages sync.Map

// longestTag is longer than tags are (BCP 47 §4.4.1).
const longestTag = 36

// rightToLeft reports whether the script that the language tag names, or that
// its language is usually written in, runs from right to left.
func rightToLeft(s string) bool {
	if s == "" {
		return false
	}
	script, _ := bcp47.Make(s).Script()
	return slices.Contains([]string{"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Mand", "Samr", "Rohg"}, script.String())
}

// startsRightToLeft reports whether the first letter of s that has a direction
// runs from right to left.
func startsRightToLeft(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i] | 0x20; c >= 'a' && c <= 'z' {
			return false
		}
		p, size := bidi.LookupString(s[i:])
		switch p.Class() {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
		i += max(1, size)
	}
	return false
}
