package post

import (
	"regexp"
	"slices"
	"strings"
)

// tag expands one {% tag %} of Liquid, Nunjucks or Tera at the start of s.
func (e *expander) tag(s string) (text string, length int) {
	inner, length := delimited(s, "{%", "%}")
	if length == 0 {
		return "{", 1
	}
	name, rest, _ := strings.Cut(inner, " ")
	if i := strings.IndexByte(name, '('); i > 0 { // Tera: {% quote(author="x") %}
		name, rest = name[:i], inner[i:]
	}
	switch name = strings.ToLower(name); name {
	case "raw", "verbatim":
		e.raw = true
		return "", length
	case "comment", "for", "tablerow", "capture", "schema", "javascript", "stylesheet", "css", "js", "macro":
		return "", length + e.blockLength(s[length:], name, name)
	case "else", "elsif", "elif", "when":
		// which branch holds is not known: the first is shown
		return "", length + e.blockLength(s[length:], name, "if", "unless", "case")
	case "link", "post_url", "post_link", "post_path", "asset_path":
		return unknown, length
	case "assign", "set", "if", "unless", "case", "cycle", "increment", "decrement", "layout", "extends", "block", "import", "from", "with", "break", "continue":
		return "", length
	}
	return media(name, fromRoot(parseArgs(rest))), length
}

// fromRoot makes paths such as assets/x.png start at the root of the site,
// where Liquid and Nunjucks look for them; Hugo looks beside the post.
func fromRoot(a args) args {
	rooted := func(path string) string {
		if pictureName.MatchString(path) && strings.Contains(path, "/") && !strings.ContainsAny(path[:1], "./") && !webAddress.MatchString(path) {
			return "/" + path
		}
		return path
	}
	for name, value := range a.named {
		a.named[name] = rooted(value)
	}
	for i, value := range a.bare {
		a.bare[i] = rooted(value)
	}
	return a
}

var tagName = regexp.MustCompile(`\{%-?\s*(\w+)[^}]*%\}`)

// blockLength gives the length of the text up to and with the tag that ends
// a block of one of the kinds; 0 if there is none.
func (e *expander) blockLength(s, tag string, kinds ...string) int {
	if e.endless[tag] {
		return 0
	}
	depth := 1
	for at := 0; ; {
		m := tagName.FindStringSubmatchIndex(s[at:])
		if m == nil {
			break
		}
		name := s[at+m[2] : at+m[3]]
		at += m[1]
		if slices.Contains(kinds, name) {
			depth++
		} else if end, closes := strings.CutPrefix(name, "end"); closes && slices.Contains(kinds, end) {
			depth--
		}
		if depth == 0 {
			return at
		}
	}
	if e.endless == nil {
		e.endless = map[string]bool{}
	}
	e.endless[tag] = true
	return 0
}

// expression expands one {{ expression }}: a string that filters make an
// address of stands for itself, the address of the site is the empty start
// of a path, and what nobody but the generator knows is unknown.
func (e *expander) expression(at int) (text string, length int) {
	s := e.src[at:]
	inner, length := delimited(s, "{{", "}}")
	if length == 0 {
		return "{{", 2
	}
	for strings.HasPrefix(s[length:], "}") { // {{{ x }}}
		length++
	}
	inner = strings.Trim(inner, "{} \t\n")
	value, filters, _ := strings.Cut(inner, "|")
	value = strings.TrimSpace(value)
	switch value {
	case "site.baseurl", "site.url", "site.github.url", "base_url", "config.base_url", "site.base_url":
		return "", length
	}
	if name, args, call := strings.Cut(value, "("); call && shortcodeName.MatchString(name) {
		return media(name, parseArgs(args)), length
	}
	literal, quoted := unquote(value)
	switch {
	case !quoted:
		return unknown, length
	case webAddress.MatchString(literal) && !keepsText(filters): // an embedded page
		return link(literal), length
	case keepsText(filters), !e.alone(at, length):
		return literal, length
	}
	return unknown, length // a portrait, a card
}

var shortcodeName = regexp.MustCompile(`^[A-Za-z]\w*$`)

func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' && s[0] != '\'' || s[len(s)-1] != s[0] {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// keepsText tells whether all filters leave a text or an address what it is.
func keepsText(filters string) bool {
	for filter := range strings.SplitSeq(filters, "|") {
		name, _, _ := strings.Cut(strings.TrimSpace(filter), ":")
		name, _, _ = strings.Cut(name, "(")
		switch strings.TrimSpace(name) {
		case "", "url", "relative_url", "absolute_url", "prepend", "append", "escape", "uri_escape", "cgi_escape", "safe",
			"strip", "trim", "asset_url", "asset_path", "absolute", "htmlBaseUrl", "slug", "slugify", "markdownify", "get_url":
		default:
			return false
		}
	}
	return true
}

// alone tells whether nothing else stands on the line.
func (e *expander) alone(at, length int) bool {
	before := e.src[strings.LastIndexByte(e.src[:at], '\n')+1 : at]
	after, _, _ := strings.Cut(e.src[at+length:], "\n")
	return strings.TrimSpace(before) == "" && strings.TrimSpace(after) == ""
}
