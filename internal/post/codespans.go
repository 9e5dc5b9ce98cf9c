package post

import (
	"bytes"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// A span is a part of a text, from start up to but not including end.
type span struct{ start, end int }

// spanEnd gives the end of the span that holds an offset; 0 if none does.
func spanEnd(spans []span, at int) int {
	i, _ := slices.BinarySearchFunc(spans, at, func(s span, at int) int {
		if s.end <= at {
			return -1
		}
		return 1
	})
	if i < len(spans) && spans[i].start <= at {
		return spans[i].end
	}
	return 0
}

// codeSpans finds what the reader will see as code: fenced and indented
// blocks, code within lines, and the elements pre and code.
func codeSpans(src string, isHTML bool) []span {
	var spans []span
	if !isHTML {
		spans = merged(markdownCode([]byte(src)))
	}
	return merged(append(spans, codeElements(src, spans)...))
}

// merged sorts spans and joins those that overlap.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	var kept []span
	for _, s := range spans {
		if last := len(kept) - 1; last >= 0 && s.start <= kept[last].end {
			kept[last].end = max(kept[last].end, s.end)
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

func markdownCode(src []byte) []span {
	var spans []span
	if !mayHoldCode(src) || pathological(string(src)) {
		return nil
	}
	// the walk ends without an error: none of its steps returns one
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader(src)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindFencedCodeBlock, ast.KindCodeBlock:
			if lines := n.Lines(); lines.Len() > 0 {
				spans = append(spans, span{lines.At(0).Start, lines.At(lines.Len() - 1).Stop})
			}
		case ast.KindCodeSpan:
			if s := childSpan(n); s.end > 0 {
				spans = append(spans, s)
			}
		}
		return ast.WalkContinue, nil
	})
	return spans
}

// mayHoldCode reports whether a text has what all code in Markdown has: fences,
// backticks, or an indent of four columns.
func mayHoldCode(src []byte) bool {
	return bytes.ContainsAny(src, "`\t") || bytes.Contains(src, []byte("~~~")) || bytes.Contains(src, []byte("    "))
}

// childSpan covers the texts in a code span.
func childSpan(n ast.Node) span {
	first, ok := n.FirstChild().(*ast.Text)
	last, ok2 := n.LastChild().(*ast.Text)
	if !ok || !ok2 {
		return span{}
	}
	return span{first.Segment.Start, last.Segment.Stop}
}

var (
	codeOpening = regexp.MustCompile(`(?i)<(pre|code)\b[^>]*>`)
	codeClosing = map[string]*regexp.Regexp{
		"pre":  regexp.MustCompile(`(?i)</pre\s*>`),
		"code": regexp.MustCompile(`(?i)</code\s*>`),
	}
)

// codeElements finds the elements pre and code that are not themselves shown
// as code.
func codeElements(src string, shown []span) []span {
	var spans []span
	endless := map[string]bool{}
	for at := 0; ; {
		m := codeOpening.FindStringSubmatchIndex(src[at:])
		if m == nil {
			return spans
		}
		start, content := at+m[0], at+m[1]
		name := strings.ToLower(src[at+m[2] : at+m[3]])
		at = content
		if endless[name] || spanEnd(shown, start) > 0 {
			continue
		}
		closing := codeClosing[name].FindStringIndex(src[content:])
		if closing == nil {
			endless[name] = true
			continue
		}
		at = content + closing[0]
		spans = append(spans, span{content, at})
	}
}

var highlightPairs = []struct{ opening, closing *regexp.Regexp }{
	{
		regexp.MustCompile(`\{%-?\s*(?:highlight|codeblock|code)\b\s*(?:lang:)?([\w+#-]*)[^%\n]*%\}`),
		regexp.MustCompile(`\{%-?\s*end(?:highlight|codeblock|code)\s*-?%\}`),
	},
	{
		regexp.MustCompile(`\{\{[<%]\s*highlight\s+"?([\w+#-]*)[^}\n]*[>%]\}\}`),
		regexp.MustCompile(`\{\{[<%]\s*/\s*highlight\s*[>%]\}\}`),
	},
}

// maxHighlights bounds the work: each makes the text be parsed once.
const maxHighlights = 100

// fenceHighlights makes code blocks of the blocks that a generator would
// highlight.
func fenceHighlights(src string, isHTML bool) string {
	for _, pair := range highlightPairs {
		from := 0
		for range maxHighlights {
			m := pair.opening.FindStringSubmatchIndex(src[from:])
			if m == nil {
				break
			}
			start, content := from+m[0], from+m[1]
			language := src[from+m[2] : from+m[3]]
			end := pair.closing.FindStringIndex(src[content:])
			if end == nil {
				break
			}
			if spanEnd(codeSpans(src, isHTML), start) > 0 {
				from = content
				continue
			}
			block := codeBlock(strings.Trim(rawTags.ReplaceAllString(src[content:content+end[0]], ""), "\n"), language, isHTML)
			src = src[:start] + block + src[content+end[1]:]
			from = start + len(block)
		}
	}
	return src
}

// codeBlock writes code in the language of the body.
func codeBlock(code, language string, isHTML bool) string {
	if isHTML {
		return `<pre><code class="language-` + language + `">` + html.EscapeString(code) + "</code></pre>"
	}
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	return "\n" + fence + language + "\n" + code + "\n" + fence + "\n"
}
