package bounce

import (
	_ "embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Class is a sort of failure, by what follows from it.
type Class string

// The classes.
const (
	Hard    Class = "hard"    // there is no such recipient
	Soft    Class = "soft"    // there is, but the mail did not get there
	Block   Class = "block"   // the sender, its address or its reputation was refused
	Content Class = "content" // this message was refused
	Relay   Class = "relay"   // our own mail system is at fault
)

//go:embed classes.txt
var classesFile string

// A rule gives the class of replies with a certain code and words.
type rule struct {
	class Class
	code  string         // pattern of an enhanced status code or an SMTP reply code; "*": any, or none
	text  *regexp.Regexp // nil: any text
}

var rules = parseRules(classesFile)

// parseRules reads the data file of the program: a mistake in it is a mistake
// in the program.
func parseRules(text string) []rule {
	var rules []rule
	for n, line := range strings.Split(text, "\n") {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 2 || !slices.Contains([]Class{Hard, Soft, Block, Content, Relay}, Class(words[0])) {
			panic(fmt.Sprintf("classes.txt:%d: want CLASS CODE [TEXT]", n+1))
		}
		r := rule{class: Class(words[0]), code: words[1]}
		if _, err := path.Match(r.code, ""); err != nil {
			panic(fmt.Sprintf("classes.txt:%d: %v", n+1, err))
		}
		if len(words) > 2 {
			r.text = regexp.MustCompile(strings.Join(words[2:], " "))
		}
		rules = append(rules, r)
	}
	return rules
}

func (r rule) matches(codes []string, text string) bool {
	ofCode := r.code == "*" || slices.ContainsFunc(codes, func(code string) bool {
		ok, _ := path.Match(r.code, code)
		return ok
	})
	return ofCode && (r.text == nil || r.text.MatchString(text))
}

// Classify gives the class of a failure with an enhanced status code (RFC
// 3463; "" if there is none) and the words of the server that refused, which
// may hold codes of their own. Where two readings are possible it takes the one
// that does the recipient less harm.
func Classify(status, diagnostic string) Class {
	plain := names.ReplaceAllString(strings.ToLower(diagnostic), " ")
	codes := append(codesIn(plain), status)
	codes = append(codes, policyCodes(diagnostic)...)
	text := strings.Join(strings.Fields(plain), " ")
	for _, r := range rules {
		if r.matches(codes, text) {
			return r.class
		}
	}
	return Soft
}

var (
	// Looked for in whole numbers: not a part of an IP address or of a version.
	number       = regexp.MustCompile(`\d+(?:\.\d+)*`)
	enhancedCode = regexp.MustCompile(`^[245]\.[0-7]\.\d{1,3}$`)
	policyCode   = regexp.MustCompile(`^[45]\.7\.\d{1,3}$`)
	replyCode    = regexp.MustCompile(`(?:^|[:;>(]\s*|\b(?:said|error|code|status) )([45]\d\d)\b`)
	undottedCode = regexp.MustCompile(`\b([45])(7)(\d)\b`)

	// Addresses, links, names of hosts, and what is done with the mail itself
	// may hold any word.
	names = regexp.MustCompile(`"[^"]*"@[^\s<>:;,)"']+|[^\s<>@:;,("']+@[^\s<>:;,)"']+|https?://\S+|\bhost [a-z0-9.-]+ ?\[|` +
		`\b(return|sen[dt]|bounc)\S*( \S+){0,3} to (the |its )?sender\b`)
)

// codesIn gives the enhanced status codes and the SMTP reply codes in a text.
// Some servers write an enhanced code without dots: 571.
func codesIn(text string) (codes []string) {
	for _, n := range number.FindAllString(text, -1) {
		if enhancedCode.MatchString(n) {
			codes = append(codes, n)
		}
	}
	for _, m := range replyCode.FindAllStringSubmatch(text, -1) {
		codes = append(codes, m[1])
	}
	for _, m := range undottedCode.FindAllStringSubmatch(text, -1) {
		codes = append(codes, strings.Join(m[1:], "."))
	}
	return codes
}

// policyCodes gives the codes of the kind x.7.x in a text, be it in an address:
// they speak for the recipient wherever they stand.
func policyCodes(text string) []string {
	return slices.DeleteFunc(number.FindAllString(text, -1), func(n string) bool { return !policyCode.MatchString(n) })
}

// StatusIn gives the first enhanced status code of a failure in a text; "" if
// there is none.
func StatusIn(text string) string {
	for _, n := range number.FindAllString(text, -1) {
		if enhancedCode.MatchString(n) && n[0] != '2' {
			return n
		}
	}
	return ""
}
