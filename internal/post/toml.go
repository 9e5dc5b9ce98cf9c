package post

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// parseTOML reads a block of TOML, whose types keep everything a date says.
func (r *reader) parseTOML(b *block) (*node, error) {
	var values map[string]any
	if err := toml.Unmarshal([]byte(b.text), &values); err != nil {
		var at *toml.DecodeError
		if !errors.As(err, &at) {
			return nil, r.fail(b.line, "the front matter cannot be read as TOML: %v", err)
		}
		line, _ := at.Position()
		return nil, r.fail(b.line+line-1, "the front matter cannot be read as TOML: %s", strings.TrimPrefix(at.Error(), "toml: "))
	}
	return tomlNode(values, tomlLines(b))
}

// tomlNode turns a decoded value into a node; lines are those of the keys at
// the top.
func tomlNode(value any, lines map[string]int) (*node, error) {
	n := &node{native: value, weight: 1}
	switch v := value.(type) {
	case map[string]any:
		n.kind = tableKind
		for key, value := range v {
			item, err := tomlNode(value, nil)
			if err != nil {
				return nil, err
			}
			item.line = lines[key]
			n.entries = append(n.entries, entry{key: key, line: item.line, value: item})
		}
		slices.SortFunc(n.entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		return n, n.weigh()
	case []any:
		n.kind = listKind
		for _, value := range v {
			item, err := tomlNode(value, nil)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, n.weigh()
	case bool:
		n.kind, n.text = boolKind, strconv.FormatBool(v)
	case float64:
		n.kind, n.text = numberKind, strconv.FormatFloat(v, 'g', -1, 64)
	case int64:
		n.kind, n.text = numberKind, strconv.FormatInt(v, 10)
	case time.Time:
		n.kind, n.text = textKind, v.Format(time.RFC3339Nano)
	default: // strings, and the local dates and times
		n.kind, n.text = textKind, fmt.Sprint(v)
	}
	return n, nil
}

var tomlKey = regexp.MustCompile(`^[ \t]*["']?([\w-]+)["']?[ \t]*(?:=|\.)`)

// tomlLines finds the lines of the keys before the first table.
func tomlLines(b *block) map[string]int {
	lines := make(map[string]int)
	for i, line := range strings.Split(b.text, "\n") {
		if m := tomlKey.FindStringSubmatch(line); m != nil && lines[m[1]] == 0 {
			lines[m[1]] = b.line + i
		}
	}
	return lines
}
