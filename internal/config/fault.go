package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong, or with Warning set merely doubtful, about a
// configuration.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // 1-based; 0 if the fault has no place in the file
	Column  int    `json:"column"` // 1-based, in characters
	Key     string `json:"key"`    // "mail.smtp.port", "newsletters.weekly.tags[0]"; "" for the whole file
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"`
}

// String gives "file:line:column: key: message".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

func (f Fault) Error() string { return f.String() }

// Faults is every fault of a configuration, in the order of the file. As an
// error it is one line for each.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// sorted puts faults in the order of the file. What is wrong in a mapping
// that is merged into several places is wrong once.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(fs, func(a, b Fault) bool {
		return a.Line > 0 && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}

// position is a place in the file, both numbers counting from 1.
type position struct{ line, column int }

// origin remembers where each key of a Config was written.
type origin struct {
	file string
	at   map[string]position
}

// written says whether the file gives the key a value.
func (o origin) written(key string) bool {
	_, ok := o.at[key]
	return ok
}

// fault places a message at a key or, if the file does not have it, at the
// nearest key around it that it has.
func (o origin) fault(key, format string, args ...any) Fault {
	f := Fault{File: o.file, Key: key, Message: fmt.Sprintf(format, args...)}
	for k := key; k != ""; {
		if at, ok := o.at[k]; ok {
			f.Line, f.Column = at.line, at.column
			break
		}
		k = k[:max(0, strings.LastIndexByte(k, '.'))]
	}
	return f
}
