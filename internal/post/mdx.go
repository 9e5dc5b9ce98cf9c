package post

import (
	"path"
	"regexp"
	"strings"
)

func isMDX(file string) bool { return strings.EqualFold(path.Ext(file), ".mdx") }

// importLine is a statement that Docusaurus allows in .md files as well.
var importLine = regexp.MustCompile(`(?m)^import\s[^\n]*\bfrom\s+["'][^"'\n]+["'];?[ \t]*$|^import\s+["'][^"'\n]+["'];?[ \t]*$`)

// withoutImports drops import statements outside of code.
func withoutImports(src string) string {
	if !strings.HasPrefix(src, "import ") && !strings.Contains(src, "\nimport ") || !importLine.MatchString(src) {
		return src
	}
	return replaceOutsideCode(src, importLine, func(string) string { return "" })
}

// replaceOutsideCode replaces what a pattern matches, except in code.
func replaceOutsideCode(src string, pattern *regexp.Regexp, replacement func(string) string) string {
	code := codeSpans(src, false)
	var b strings.Builder
	at := 0
	for _, m := range pattern.FindAllStringIndex(src, -1) {
		if spanEnd(code, m[0]) > 0 {
			continue
		}
		b.WriteString(src[at:m[0]])
		b.WriteString(replacement(src[m[0]:m[1]]))
		at = m[1]
	}
	b.WriteString(src[at:])
	return b.String()
}

// statement is a declaration up to the next blank line.
var statement = regexp.MustCompile(`(?m)^(?:import|export)\s(?:[^\n]+\n?)*`)

// plainMDX makes Markdown of MDX: declarations, components and expressions
// go, text within components and what they embed stay.
func plainMDX(src string) string {
	src = replaceOutsideCode(src, statement, func(string) string { return "\n" })
	m := &mdx{src: src, code: codeSpans(src, false)}
	for at := 0; at < len(src); {
		next := strings.IndexAny(src[at:], "<{")
		if next < 0 {
			m.out.WriteString(src[at:])
			break
		}
		m.out.WriteString(src[at : at+next])
		at += next
		at += m.step(at)
	}
	return m.out.String()
}

type mdx struct {
	src  string
	code []span
	out  strings.Builder
}

var component = regexp.MustCompile(`^</?(?:([A-Z][\w.]*)[\s/>]|>)`)

// step handles the bracket at an offset and gives its length.
func (m *mdx) step(at int) int {
	rest := m.src[at:]
	if end := spanEnd(m.code, at); end > 0 {
		m.out.WriteString(m.src[at:end])
		return end - at
	}
	if rest[0] == '{' {
		if n := balanced(rest); n > 0 {
			if strings.TrimSpace(rest[1:n-1]) == `" "` {
				m.out.WriteByte(' ')
			}
			return n
		}
	} else if c := component.FindStringSubmatch(rest[:min(len(rest), 100)]); c != nil {
		if n := tagLength(rest); n > 0 {
			m.out.WriteString(media(c[1], parseArgs(strings.Trim(rest[len(c[0]):n], "/>"))))
			return n
		}
	} else if n := tagLength(rest); n > 0 && strings.Contains(rest[:n], "={") {
		m.out.WriteString(bracedAttribute.ReplaceAllString(rest[:n], ""))
		return n
	}
	m.out.WriteByte(rest[0])
	return 1
}

// bracedAttribute is an attribute whose value is an expression.
var bracedAttribute = regexp.MustCompile(`\s[\w:-]+=\{(?:[^{}]|\{[^{}]*\})*\}`)

// balanced gives the length up to the brace that closes the first one; 0 if
// none does soon.
func balanced(s string) int {
	depth := 0
	for i, c := range []byte(s[:min(len(s), maxTag)]) {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// tagLength gives the length of the tag at the start of s, whose attributes
// may hold quotes and braces; 0 if it does not end soon.
func tagLength(s string) int {
	var quote byte
	depth := 0
	for i, c := range []byte(s[:min(len(s), maxTag)]) {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == '>' && depth == 0:
			return i + 1
		}
	}
	return 0
}
