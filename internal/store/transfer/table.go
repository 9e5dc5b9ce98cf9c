package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Kinds of column. The engines name them in their own ways.
const (
	Integer = "integer"
	Text    = "text"
	Bytes   = "bytes"
)

// A Column of a table.
type Column struct {
	Name string
	Kind string
}

// A Table as a database describes it.
type Table struct {
	Name       string
	Columns    []Column // by name
	Key        []int    // the columns of the primary key, in its order
	References []string // tables that its rows refer to
	Numbered   bool     // the database numbers its rows, never twice with one number
}

// names lists the columns for SQL.
func (t Table) names() string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// key gives the values of a row's primary key.
func (t Table) key(row []any) []any {
	values := make([]any, len(t.Key))
	for i, k := range t.Key {
		values[i] = row[k]
	}
	return values
}

func compareNames(a, b string) int { return cmp.Compare(a, b) }

// alike says in what two databases differ; nil if each has room for all that
// the other holds.
func alike(ours, theirs []Table) error {
	there := map[string]Table{}
	for _, t := range theirs {
		there[t.Name] = t
	}
	for _, t := range ours {
		other, ok := there[t.Name]
		if !ok {
			return fmt.Errorf("the target has no table %s", t.Name)
		}
		if !slices.Equal(t.Columns, other.Columns) || !slices.Equal(t.Key, other.Key) {
			return fmt.Errorf("table %s has the columns %v, key %v, and in the target %v, key %v", t.Name, t.Columns, t.Key, other.Columns, other.Key)
		}
		delete(there, t.Name)
	}
	for name := range there {
		return fmt.Errorf("the source has no table %s", name)
	}
	return nil
}

// inOrder puts tables behind those that they refer to.
func inOrder(tables []Table) ([]Table, error) {
	var sorted []Table
	placed := map[string]bool{}
	for len(sorted) < len(tables) {
		before := len(sorted)
		for _, t := range tables {
			ready := !slices.ContainsFunc(t.References, func(name string) bool { return name != t.Name && !placed[name] })
			if !placed[t.Name] && ready {
				sorted, placed[t.Name] = append(sorted, t), true
			}
		}
		if len(sorted) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle, or to one that is not there: %v are left", len(tables)-before)
		}
	}
	return sorted, nil
}
