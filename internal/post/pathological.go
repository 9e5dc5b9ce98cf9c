package post

import "strings"

// Limits of what is parsed as Markdown: far beyond any text, and far below
// what exhausts a stack or keeps a processor busy for minutes.
const (
	maxMarkdownDepth = 200 // quotes and lists within one another
	maxMarkWork      = 1e9 // marks in a paragraph times its bytes
)

// pathological tells whether a text was made to be hard to parse, or is no
// Markdown at all.
func pathological(src string) bool {
	marks, size := 0, 0
	for line := range strings.Lines(src) {
		if opensBlocks(line) > maxMarkdownDepth {
			return true
		}
		if startsParagraph(line) {
			marks, size = 0, 0
		}
		// each mark may make the parser look through all of the paragraph
		marks += countMarks(line)
		size += len(line)
		if float64(marks)*float64(size) > maxMarkWork {
			return true
		}
	}
	return false
}

// startsParagraph tells whether a line cannot belong to the paragraph above.
func startsParagraph(line string) bool {
	line = strings.TrimLeft(line, " \t")
	if line == "" || line == "\n" {
		return true
	}
	return len(line) > 1 && line[1] == ' ' && strings.IndexByte("-*+", line[0]) >= 0 || line[0] == '|'
}

// opensBlocks counts the quotes and list items that a line opens.
func opensBlocks(line string) int {
	depth := 0
	for i := range len(line) {
		switch line[i] {
		case '>':
			depth++
		case '-', '+', '*', '.', ')':
			if i+1 == len(line) || line[i+1] != ' ' && line[i+1] != '\t' {
				return depth // a rule, or text
			}
			depth++
		case ' ', '\t', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		default:
			return depth
		}
	}
	return depth
}

// countMarks counts what may open a link, an emphasis or a deletion.
func countMarks(line string) int {
	n := 0
	for i := range len(line) {
		switch line[i] {
		case '[', '*', '_', '~':
			n++
		}
	}
	return n
}
