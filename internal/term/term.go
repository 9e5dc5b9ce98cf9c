// Package term gives the names of categories and tags their identity: the
// key that every spelling of one term shares, and the slug under which the
// term appears in addresses and file names. It keeps no list of terms and
// does not decide which spelling is shown.
package term

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Key gives the identity of a term: two names with the same key are one
// term. Letter case, the forms of Unicode compatibility, and the choice and
// number of blanks, "-" and "_" between words make no difference; everything
// else does, so that C, C++, C# and .NET stay apart. The key of a name that
// holds nothing visible is "". Key(Key(name)) is Key(name).
func Key(name string) string {
	if printableASCII(name) {
		name = strings.ToLower(name)
	} else {
		name = foldFully(strings.Map(visible, strings.ToValidUTF8(name, "")))
	}
	words := strings.FieldsFunc(name, separates)
	if len(words) == 0 {
		return strings.TrimSpace(name)
	}
	return strings.Join(words, "-")
}

// printableASCII reports whether lower case is all the folding a name needs.
func printableASCII(name string) bool {
	for i := range len(name) {
		if name[i] < ' ' || name[i] >= 0x7f {
			return false
		}
	}
	return true
}

// foldFully folds case and compatibility forms until neither changes the
// other's result any more, which two rounds do for all but a handful of
// letters.
func foldFully(name string) string {
	for range 4 {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
		if folded == name {
			break
		}
		name = folded
	}
	return name
}

// visible drops what nobody sees in a name: control and format characters,
// such as marks of writing direction.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
		return -1
	}
	return r
}

func separates(r rune) bool { return r == '-' || r == '_' || unicode.IsSpace(r) }

// Suffix tells apart two keys that share one slug: six hexadecimal digits
// that depend on the key alone, never on which term was met first.
func Suffix(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:3])
}
