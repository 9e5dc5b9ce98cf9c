// Package tmpl finds what is wrong with templates before anybody is shown what
// comes of them: fields and functions that are not there, also in branches that
// no sample takes, each with its place and what would be right. It knows
// text/template and html/template; what templates are filled with, and whether
// what comes of them will do, is left to those who fill them.
package tmpl

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Fault is one thing that is wrong.
type Fault struct {
	File    string // as the templates' file system names it
	Line    int    // 1-based; 0 if the fault has no place in the file
	Column  int    // 1-based, in characters; 0 if it is not known
	Message string
}

// Error gives "file:line:column: message".
func (f Fault) Error() string {
	switch {
	case f.File == "":
		return f.Message
	case f.Line == 0:
		return f.File + ": " + f.Message
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Faults gives every fault that an error holds, by file and place, each once.
// An error that is none has no file.
func Faults(err error) []Fault {
	var all []Fault
	collect(err, &all)
	slices.SortStableFunc(all, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

// Join gives the faults of errors as one, each once; nil if there are none.
func Join(errs ...error) error {
	var all []error
	for _, f := range Faults(errors.Join(errs...)) {
		all = append(all, f)
	}
	return errors.Join(all...)
}

func collect(err error, into *[]Fault) {
	var f Fault
	var many interface{ Unwrap() []error }
	switch {
	case err == nil:
	case errors.As(err, &many):
		for _, e := range many.Unwrap() {
			collect(e, into)
		}
	case errors.As(err, &f):
		*into = append(*into, f)
	default:
		*into = append(*into, ofMessages(err.Error()))
	}
}

// messageFile is how errors in the files of messages begin; those of the YAML
// parser go on with a place.
var messageFile = regexp.MustCompile(`^(?:load the messages: )?(locales/[^:\s]+): (?:\[(\d+):(\d+)\] )?(.*)`)

func ofMessages(text string) Fault {
	m := messageFile.FindStringSubmatch(text)
	if m == nil {
		return Fault{Message: text}
	}
	f := Fault{File: m[1], Message: m[4]}
	f.Line, _ = strconv.Atoi(m[2]) // absent: 0
	f.Column, _ = strconv.Atoi(m[3])
	return f
}

// told is how the template packages say where something is wrong. Columns of
// text/template count bytes from 0.
var told = regexp.MustCompile(`(?s)(?:^|: )(?:html/)?template: ?([^\s:]+)(?::(\d+))?(?::(\d+))?: (.*)$`)

// Locate makes a Fault of what text/template or html/template says about a
// file. Another error is given back as it is.
func Locate(err error) error {
	m := told.FindStringSubmatch(errorText(err))
	if m == nil {
		return err
	}
	f := Fault{File: m[1], Message: m[4]}
	f.Line, _ = strconv.Atoi(m[2]) // absent: 0
	if m[3] != "" {
		f.Column, _ = strconv.Atoi(m[3])
		f.Column++
	}
	return f
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// place gives line and column of an offset in bytes.
func place(source string, offset int) (line, column int) {
	before := source[:min(max(offset, 0), len(source))]
	last := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[last:])
}
