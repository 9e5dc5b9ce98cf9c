package post

import (
	"encoding/json"
	"regexp"
	"strings"
)

// A block is front matter as it stands in the file.
type block struct {
	format string // "yaml", "toml" or "json"
	text   string
	line   int    // of the file, where text begins
	body   string // what follows
	sure   bool   // a fence opened it; without one, only known keys make it front matter
}

// frontMatter finds and decodes the front matter, sets r.fields and r.body,
// and tells whether the file has any.
func (r *reader) frontMatter(text string) (bool, error) {
	r.body, r.fields = text, r.newFields(nil)
	b, err := r.split(text)
	if b == nil || err != nil {
		return false, err
	}
	root, err := r.parseBlock(b)
	switch {
	case err != nil && !b.sure && !startsKnown(b.text):
		return false, nil
	case err != nil:
		return false, err
	case root.kind == tableKind && (b.sure || hasKnownKey(root)):
	case root.kind == nullKind && b.sure:
	default:
		return false, nil // a rule at the top of the text, not a fence
	}
	r.warnDuplicates(root)
	r.fields = r.newFields(root.entries)
	r.body = b.body
	return true, nil
}

func (r *reader) parseBlock(b *block) (*node, error) {
	if len(b.text) > maxFrontMatter {
		return nil, r.fail(b.line, "the front matter has %d bytes, more than the %d it may have; is its end missing?", len(b.text), maxFrontMatter)
	}
	switch b.format {
	case "toml":
		return r.parseTOML(b)
	case "json":
		return r.parseJSON(b)
	}
	return r.parseYAML(b)
}

// maxFrontMatter bounds what the parsers have to nest and to hold.
const maxFrontMatter = 256 << 10

// split cuts the front matter off a text; nil if there is none.
func (r *reader) split(text string) (*block, error) {
	start := text
	line := 1
	for {
		first, rest, more := strings.Cut(start, "\n")
		if strings.TrimSpace(first) != "" {
			return r.splitAt(strings.TrimRight(first, " \t"), start, rest, line)
		}
		if !more {
			return nil, nil
		}
		start = rest
		line++
	}
}

var (
	fence      = regexp.MustCompile(`^(---|\+\+\+|;;;)[ \t]*(\w*)$`)
	bareKey    = regexp.MustCompile(`^["']?([A-Za-z][\w-]*)["']?[ \t]*:([ \t]|$)`)
	openerLike = regexp.MustCompile(`^\s*(["']?[A-Za-z][\w.-]*["']?\s*[:=](\s|$)|\[)`)
)

// splitAt looks at the first line that is not blank; start begins with it
// and rest follows it.
func (r *reader) splitAt(first, start, rest string, line int) (*block, error) {
	if first == "---" {
		return r.splitFenced(first, "", rest, line)
	}
	if m := fence.FindStringSubmatch(first); m != nil {
		return r.splitFenced(m[1], strings.ToLower(m[2]), rest, line)
	}
	if first[0] == '{' && !strings.HasPrefix(first, "{{") && !strings.HasPrefix(first, "{%") {
		return r.splitJSON(start, line)
	}
	if !bareKey.MatchString(first) {
		return nil, nil
	}
	// Hexo lets the opening fence be left out.
	if text, body, ok := cutAtFence(start, ";;;"); ok {
		return &block{format: "json", text: braced(text), line: line, body: body}, nil
	}
	if text, body, ok := cutAtFence(start, "---"); ok {
		return &block{format: "yaml", text: text, line: line, body: body}, nil
	}
	return nil, nil
}

func (r *reader) splitFenced(mark, format, rest string, line int) (*block, error) {
	b := &block{line: line + 1, sure: true}
	switch {
	case mark == "+++" || format == "toml":
		b.format = "toml"
	case mark == ";;;" || format == "json":
		b.format = "json"
	case format == "" || format == "yaml" || format == "yml":
		b.format = "yaml"
	case format == "js" || format == "javascript" || format == "coffee" || format == "cson":
		return nil, r.fail(line, "front matter written as a program (---%s) is not run; write it as YAML, TOML or JSON", format)
	default:
		return nil, nil // a text that starts with a rule
	}
	ends := []string{mark}
	if b.format == "yaml" {
		ends = append(ends, "...")
	}
	var ok bool
	if b.text, b.body, ok = cutAtFence(rest, ends...); !ok {
		if openerLike.MatchString(strings.TrimLeft(rest, "\n")) {
			return nil, r.fail(line, "the front matter that opens here is never closed; end it with a line %q", mark)
		}
		return nil, nil
	}
	if b.format == "json" {
		b.text = braced(b.text)
	}
	return b, nil
}

// cutAtFence cuts a text at the first line that is one of the fences, blanks
// after it aside.
func cutAtFence(text string, fences ...string) (before, after string, ok bool) {
	for at := 0; at < len(text); {
		line, _, more := strings.Cut(text[at:], "\n")
		end := at + len(line)
		if more {
			end++
		}
		trimmed := strings.TrimRight(line, " \t")
		for _, f := range fences {
			if trimmed == f {
				return text[:at], text[end:], true
			}
		}
		at = end
	}
	return "", "", false
}

// splitJSON takes the JSON object at the start of a text for front matter.
func (r *reader) splitJSON(start string, line int) (*block, error) {
	dec := json.NewDecoder(strings.NewReader(start))
	var object json.RawMessage
	if err := dec.Decode(&object); err != nil {
		if !openerLike.MatchString(start[1:]) {
			return nil, nil // a text that starts with a brace
		}
		return nil, r.jsonError(err, start, line)
	}
	end := int(dec.InputOffset())
	body := start[end:]
	if first, rest, _ := strings.Cut(body, "\n"); strings.Trim(first, " \t;") == "" {
		body = rest
	}
	return &block{format: "json", text: start[:end], line: line, body: body, sure: true}, nil
}

// braced adds the braces that Hexo lets a writer leave out; no line moves.
func braced(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text
	}
	return "{" + text + "}"
}

// knownKeys make a text without an opening fence start with front matter.
const knownKeys = " title date layout tags categories category permalink updated description excerpt author comments published "

func startsKnown(text string) bool {
	m := bareKey.FindStringSubmatch(strings.TrimLeft(text, "{ \n"))
	return m != nil && strings.Contains(knownKeys, " "+strings.ToLower(m[1])+" ")
}

func hasKnownKey(root *node) bool {
	for _, e := range root.entries {
		if strings.Contains(knownKeys, " "+strings.ToLower(e.key)+" ") {
			return true
		}
	}
	return false
}
