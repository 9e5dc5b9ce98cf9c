package post

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// title gives the plain text of the title. Without one, a file named as
// Jekyll and Hexo name their posts lends its name; other posts stay untitled,
// and so does one that says title: "".
func (f *fields) title() string {
	n := f.get("title")
	if n != nil || !f.name.dated() {
		return plain(n.scalar())
	}
	return humanised(f.name.slug)
}

// humanised makes words of a file name.
func humanised(slug string) string {
	words := strings.FieldsFunc(slug, func(c rune) bool { return c == '-' || c == '_' || unicode.IsSpace(c) })
	for i, word := range words {
		first, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToTitle(first)) + word[size:]
	}
	return clean(strings.Join(words, " "))
}
