package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name of a newsletter in bytes: it becomes a file name.
const maxName = 100

var slug = regexp.MustCompile(`^[\p{Ll}\p{Lm}\p{Lo}\p{M}\p{Nd}]+(-[\p{Ll}\p{Lm}\p{Lo}\p{M}\p{Nd}]+)*$`)

// checkNewsletterName wants a slug: the name is part of addresses, of file
// names and of the database.
func checkNewsletterName(name string) string {
	switch {
	case len(name) > maxName:
		return fmt.Sprintf("the name is longer than %d bytes", maxName)
	case !slug.MatchString(name) || !norm.NFC.IsNormalString(name):
		return fmt.Sprintf("%q is not a name for a newsletter: only lower-case letters, digits and single hyphens between them%s", name, slugHint(name))
	case isReserved(name):
		return fmt.Sprintf("%q is reserved: choose another name", name)
	}
	return ""
}

// isReserved knows words with a meaning in addresses, and the device names of
// Windows, which no folder can have.
func isReserved(name string) bool {
	switch name {
	case "archive", "feed", "index", "page", "con", "prn", "aux", "nul":
		return true
	}
	device := strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")
	return device && len(name) == 4 && name[3] >= '1' && name[3] <= '9'
}

func slugHint(name string) string {
	words := strings.FieldsFunc(strings.ToLower(norm.NFC.String(name)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	hint := strings.Join(words, "-")
	if hint == name || !slug.MatchString(hint) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", hint)
}

// checkSelector takes what may stand before ._domainkey in DNS.
func checkSelector(name string) string {
	if problem := checkDomain(name); problem != "" {
		return problem + ": the selector of a key is one, or a part of one, such as s2026"
	}
	return ""
}

// checkTermName takes any name that can be read.
func checkTermName(name string) string {
	if strings.TrimSpace(name) == "" {
		return "a term needs a name"
	}
	return ""
}

// checkCombinationName is checkNewsletterName, but for the names that folders
// below /feeds/ have already.
func checkCombinationName(name string) string {
	switch name {
	case "archive", "authors", "categories", "combined", "sections", "tags":
		return "this name is taken; another one is needed"
	}
	return checkNewsletterName(name)
}

// checkRatedDomain wants what stands behind the @ of addresses.
func checkRatedDomain(name string) string {
	if problem := checkDomain(name); problem != "" {
		return problem + ": write what stands behind the @ of addresses, such as example.org"
	}
	return ""
}
