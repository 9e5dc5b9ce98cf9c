package roster

import (
	"encoding/json"
	"strings"
)

// commaList splits a cell at its commas; "\," is a comma within an item, "\\" a
// backslash.
func commaList(cell string) []string {
	var items []string
	var item strings.Builder
	end := func() {
		if v := strings.TrimSpace(item.String()); v != "" {
			items = append(items, v)
		}
		item.Reset()
	}
	for i := 0; i < len(cell); i++ {
		switch c := cell[i]; {
		case c == '\\' && i+1 < len(cell) && (cell[i+1] == ',' || cell[i+1] == '\\'):
			i++
			item.WriteByte(cell[i])
		case c == ',':
			end()
		default:
			item.WriteByte(c)
		}
	}
	end()
	return items
}

var escapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`)

// commaCell is the opposite of commaList.
func commaCell(items []string) string {
	escaped := make([]string, len(items))
	for i, v := range items {
		escaped[i] = escapes.Replace(v)
	}
	return strings.Join(escaped, ",")
}

// quotedList reads a list whose items are quoted within their cell.
func quotedList(cell string) []string {
	items := commaList(cell)
	for i, v := range items {
		items[i] = strings.Trim(v, `"`)
	}
	return items
}

// jsonList reads a list that is either JSON, perhaps with single quotes, or
// separated by commas.
func jsonList(cell string) (items []string) {
	if strings.HasPrefix(cell, "[") && json.Unmarshal([]byte(strings.ReplaceAll(cell, "'", `"`)), &items) == nil {
		return items
	}
	return commaList(cell)
}
