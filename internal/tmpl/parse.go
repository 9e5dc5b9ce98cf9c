package tmpl

import (
	"strings"
	"text/template/parse"
)

// A File is a template file that was parsed, though not yet checked.
type File struct {
	Name, Source string
	Trees        []*parse.Tree // the file itself, and what it defines
}

// Parse reads one file. The error is a Fault.
func Parse(name, source string) (File, error) {
	trees, err := parseTrees(name, source)
	if err != nil {
		return File{}, syntaxFault(name, source, err)
	}
	f := File{Name: name, Source: source}
	for _, t := range trees {
		f.Trees = append(f.Trees, t)
	}
	return f, nil
}

// Fault tells what is wrong at an offset in bytes.
func (f File) Fault(offset int, message string) error {
	line, column := place(f.Source, offset)
	return Fault{File: f.Name, Line: line, Column: column, Message: message}
}

func parseTrees(name, source string) (map[string]*parse.Tree, error) {
	t := parse.New(name)
	t.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := t.Parse(source, "", "", trees); err != nil {
		return nil, err
	}
	return trees, nil
}

// syntaxFault places a syntax error. The parser knows its line alone; of the
// actions that begin in it, the faulty one is the last that takes the error
// along when it is moved to the next line.
func syntaxFault(name, source string, err error) error {
	located := Locate(err)
	f, ok := located.(Fault)
	if !ok || f.Line == 0 {
		return located
	}
	begin := 0
	for range f.Line - 1 {
		begin += strings.IndexByte(source[begin:], '\n') + 1
	}
	line, _, _ := strings.Cut(source[begin:], "\n")
	for end := len(line); ; {
		at := strings.LastIndex(line[:end], "{{")
		if at < 0 {
			return f
		}
		moved := source[:begin+at] + "\n" + source[begin+at:]
		_, err := parseTrees(name, moved)
		if g, ok := Locate(err).(Fault); ok && g.Line > f.Line {
			_, f.Column = place(source, begin+at)
			return f
		}
		end = at
	}
}
