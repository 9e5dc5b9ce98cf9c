package transfer

import (
	"fmt"
	"strconv"
	"strings"
)

// A Place is where a text stands.
type Place struct {
	Table, Column string
	Key           string // of its row, for people to read
}

func (p Place) String() string { return fmt.Sprintf("%s.%s of row %s", p.Table, p.Column, p.Key) }

// fit makes of a row what the target keeps of it, and says where that is
// another.
func (c *copier) fit(t Table, row []any) (places []Place, err error) {
	var key string
	for i, v := range row {
		text, ok := v.(string)
		if !ok {
			continue
		}
		kept := c.to.Engine.Text(text)
		if kept == text {
			continue
		}
		if key == "" { // before any of it changes
			key = readable(t.key(row))
		}
		place := Place{t.Name, t.Columns[i].Name, key}
		if !c.Replace {
			return nil, fmt.Errorf("%w: %s holds NUL or what is not UTF-8, %.60q; mend it, or have U+FFFD put in the place of such characters: --replace", ErrText, place, text)
		}
		row[i], places = kept, append(places, place)
	}
	return places, nil
}

// readable writes a key for people.
func readable(key []any) string {
	var parts []string
	for _, v := range key {
		if text, ok := v.(string); ok {
			v = strconv.Quote(text)
		}
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, ", ")
}
