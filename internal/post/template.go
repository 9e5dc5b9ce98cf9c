package post

import (
	"bytes"
	"regexp"
	"strings"
)

// unknown stands where a template would have put something that only its
// site generator knows. It is no character of any text: links that hold it
// are dropped later, and it vanishes from texts.
const unknown = "\uFDD0"

// An expander copies a body and runs or drops the template code in it.
// What the reader is meant to see as code stays as it is.
type expander struct {
	src  string
	code []span
	out  []byte
	raw  bool // between {% raw %} and {% endraw %}

	endless map[string]bool // blocks whose end is missing: not looked for again
}

var templateCode = regexp.MustCompile(`\{[{%#:]`)

// untemplated expands the template code in one line of front matter.
func untemplated(source string) string { return expandTemplates(source, false) }

// expandTemplates runs what can be run without the generator (links to
// assets, pictures, videos, highlighted code) and drops the rest.
func expandTemplates(src string, isHTML bool) string {
	if !templateCode.MatchString(src) {
		return src
	}
	src = fenceHighlights(src, isHTML)
	e := &expander{src: src, code: codeSpans(src, isHTML)}
	for at := 0; at < len(src); {
		next := strings.IndexByte(src[at:], '{')
		if next < 0 {
			e.out = append(e.out, src[at:]...)
			break
		}
		e.out = append(e.out, src[at:at+next]...)
		at += next
		at += e.step(at)
	}
	return string(e.out)
}

// step handles what starts with the brace at an offset, and gives its length.
func (e *expander) step(at int) int {
	if end := spanEnd(e.code, at); end > 0 {
		return e.copyCode(at, end)
	}
	rest := e.src[at:]
	text, length := "{", 1
	switch {
	case e.raw:
		if tag := endRaw.FindString(rest); tag != "" {
			e.raw = false
			text, length = "", len(tag)
		}
	case strings.HasPrefix(rest, "{{<"), strings.HasPrefix(rest, "{{%"):
		text, length = shortcode(rest)
	case strings.HasPrefix(rest, "{{"):
		text, length = e.expression(at)
	case strings.HasPrefix(rest, "{%"):
		text, length = e.tag(rest)
	case strings.HasPrefix(rest, "{#"), strings.HasPrefix(rest, "{:"):
		if m := silent.FindString(rest); m != "" {
			e.dropContentsList(m)
			text, length = "", len(m)
		}
	}
	e.out = append(e.out, text...)
	return length
}

var (
	rawTags = regexp.MustCompile(`\{%-?\s*(?:end)?raw\s*-?%\}`)
	endRaw  = regexp.MustCompile(`^\{%-?\s*end(?:raw|verbatim)\s*-?%\}`)
	// the shortcodes that Hugo shows instead of running them
	commentedOut = regexp.MustCompile(`\{\{([<%])/\*(.*?)\*/([>%])\}\}`)
	// comments, and the attribute lists of kramdown
	silent = regexp.MustCompile(`^(?s:\{#\s[^}]*?\s#\}|\{::?\s*(?:(?:[.#][\w:-]+|[\w:-]+=(?:"[^"\n]*"|'[^'\n]*')|toc|no_toc|footnotes|comment|options|nomarkdown|/\w*)\s*)+/?\})`)
	// the list item that kramdown replaces with a table of contents
	tocItem = regexp.MustCompile(`(?:^|\n)[ ]{0,3}(?:[-*+]|\d+\.)[^\n]*\n$`)
)

// copyCode copies code as it is, without the marks that keep Jekyll and Hugo
// from running it.
func (e *expander) copyCode(at, end int) int {
	code := e.src[at:end]
	if strings.Contains(code, "raw") {
		if strings.Contains(code, "endraw") {
			e.raw = false
		}
		code = rawTags.ReplaceAllString(code, "")
	}
	if strings.Contains(code, "/*") {
		code = commentedOut.ReplaceAllString(code, "{{$1$2$3}}")
	}
	e.out = append(e.out, code...)
	return end - at
}

// dropContentsList takes back the list item in front of {:toc}.
func (e *expander) dropContentsList(attributes string) {
	if !strings.Contains(attributes, "toc") || strings.Contains(attributes, "no_toc") {
		return
	}
	start := max(0, len(e.out)-200)
	if m := tocItem.FindIndex(e.out[start:]); m != nil {
		e.out = bytes.TrimRight(e.out[:start+m[0]], "\n")
		e.out = append(e.out, "\n\n"...)
	}
}

// maxTag is the greatest length of a tag; it keeps unclosed ones from being
// searched through the whole text.
const maxTag = 4 << 10

// delimited gives what stands between the start of s and the closing mark;
// template code does not reach across a blank line.
func delimited(s, open, closing string) (inner string, length int) {
	s = s[:min(len(s), maxTag)]
	end := strings.Index(s[len(open):], closing)
	if end < 0 {
		return "", 0
	}
	inner = s[len(open) : len(open)+end]
	if strings.Contains(inner, "\n\n") {
		return "", 0
	}
	return strings.Trim(strings.Trim(inner, "-~"), " \t\n"), len(open) + end + len(closing)
}
