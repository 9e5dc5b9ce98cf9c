package post

import (
	"cmp"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxSummary is the greatest length of a summary in characters.
const maxSummary = 160

// summary gives the declared summary, else the text before the "more" mark,
// else the first paragraph, or what the first picture shows; as one line of
// plain text.
func (f *fields) summary(body string) string {
	n := f.first("description", "summary", "excerpt", "deck", "dek", "intro", "subtitle", "lead", "abstract")
	if declared := plain(n.scalar()); declared != "" {
		return cutAtWord(declared, maxSummary)
	}
	separator := f.get("excerptseparator").scalar()
	if before, ok := beforeMore(body, separator, isHTML(f.file)); ok {
		if s := excerpt(bodyHTML(f.file, before), true); s != "" {
			return cutAtWord(s, maxSummary)
		}
	}
	if head := headOf(body); head != body {
		if s := excerpt(bodyHTML(f.file, head), false); s != "" {
			return cutAtWord(s, maxSummary)
		}
	}
	return cutAtWord(excerpt(bodyHTML(f.file, body), false), maxSummary)
}

var more = regexp.MustCompile(`(?i)<!--\s*(?:more|truncate|excerpt|end[ _-]?excerpt)\s*-->|\{/\*\s*truncate\s*\*/\}`)

// beforeMore cuts a body at the "more" mark, or at the post's own separator.
func beforeMore(body, separator string, html bool) (string, bool) {
	if separator != "" && !more.MatchString(separator) {
		if before, _, ok := strings.Cut(body, separator); ok {
			return before, true
		}
	}
	marks := more.FindAllStringIndex(body, -1)
	if marks == nil {
		return "", false
	}
	code := codeSpans(body, html)
	for _, m := range marks {
		if spanEnd(code, m[0]) == 0 {
			return body[:m[0]], true
		}
	}
	return "", false
}

// headSize is how much of a body is read for its first paragraph before all
// of it is.
const headSize = 4 << 10

var definition = regexp.MustCompile(`(?m)^ {0,3}\[[^\]\n]+\]:[^\n]*$`)

// headOf gives the beginning of a body up to a blank line, with the link
// definitions of the rest.
func headOf(body string) string {
	if len(body) <= 2*headSize {
		return body
	}
	end := strings.Index(body[headSize:], "\n\n")
	if end < 0 {
		return body
	}
	end += headSize
	return body[:end] + "\n\n" + strings.Join(definition.FindAllString(body[end:], -1), "\n")
}

// excerpt gives the text of the first paragraph that has any, or of all
// paragraphs. Where there is no paragraph, as in a list, all text counts; and
// where there is no text, what the first picture is said to show.
func excerpt(source string, all bool) string {
	x := &excerpter{all: all}
	z := html.NewTokenizer(strings.NewReader(source))
	for !x.done() {
		if z.Next() == html.ErrorToken {
			break
		}
		x.token(z.Token())
	}
	if s := clean(x.paragraphs.String() + " " + x.current.String()); s != "" {
		return s
	}
	return cmp.Or(clean(x.loose.String()), x.shown)
}

// An excerpter collects text while the tokens of a document pass by.
type excerpter struct {
	all        bool
	skipping   []atom.Atom // open elements whose text is no prose
	inside     bool        // of a paragraph
	current    strings.Builder
	paragraphs strings.Builder
	loose      strings.Builder // text outside of paragraphs
	shown      string          // by the first picture that says so
}

func (x *excerpter) done() bool {
	enough := x.paragraphs.Len() > 0 && !x.all
	return enough || x.paragraphs.Len() > 8*maxSummary || x.loose.Len() > 64*maxSummary
}

func (x *excerpter) token(t html.Token) {
	if t.DataAtom == atom.Img && x.shown == "" {
		x.shown = alternative(t)
	}
	switch t.Type {
	case html.StartTagToken:
		x.start(t)
	case html.EndTagToken:
		x.end(t.DataAtom)
	case html.TextToken:
		switch {
		case len(x.skipping) > 0:
		case x.inside:
			x.current.WriteString(t.Data)
		default:
			x.loose.WriteString(t.Data)
		}
	}
}

func (x *excerpter) start(t html.Token) {
	switch {
	case len(x.skipping) > 0 && skipped(t):
		x.skipping = append(x.skipping, t.DataAtom)
	case len(x.skipping) > 0:
	case skipped(t):
		x.skipping = append(x.skipping, t.DataAtom)
	case t.DataAtom == atom.P:
		x.flush()
		x.inside = true
	case t.DataAtom == atom.Br:
		x.current.WriteByte(' ')
	}
}

func (x *excerpter) end(name atom.Atom) {
	if last := len(x.skipping) - 1; last >= 0 {
		if x.skipping[last] == name {
			x.skipping = x.skipping[:last]
		}
		return
	}
	if name == atom.P {
		x.flush()
		x.inside = false
	}
}

// flush ends a paragraph. One that holds nothing to read does not count.
func (x *excerpter) flush() {
	s := clean(x.current.String())
	x.current.Reset()
	if s == "" || !strings.ContainsFunc(s, readable) {
		return
	}
	x.paragraphs.WriteString(s + " ")
}

// alternative gives the text that stands for a picture, "" without one.
func alternative(img html.Token) string {
	for _, a := range img.Attr {
		if s := clean(a.Val); a.Key == "alt" && strings.ContainsFunc(s, readable) {
			return s
		}
	}
	return ""
}

func readable(c rune) bool {
	return c > utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// skipped tells whether the text of an element is no prose.
func skipped(t html.Token) bool {
	switch t.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Pre, atom.Script, atom.Style, atom.Table, atom.Figure,
		atom.Iframe, atom.Noscript, atom.Template, atom.Svg, atom.Nav, atom.Aside, atom.Form, atom.Video, atom.Audio:
		return true
	case atom.Sup: // the number of a footnote
		for _, a := range t.Attr {
			if a.Key == "id" && strings.HasPrefix(a.Val, "fnref") {
				return true
			}
		}
	}
	return false
}
