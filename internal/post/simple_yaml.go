package post

import (
	"regexp"
	"strings"
)

// parseSimpleYAML reads what most front matter is: keys at the margin with
// strings, quoted or not, dates, and lists of strings. It gives nil for
// everything else, which the parser then reads; what it gives is what the
// parser would, in a tenth of the time.
func parseSimpleYAML(b *block, room *nodeRoom) *node {
	t := room.node(node{kind: tableKind})
	var few [24]string
	lines := appendLines(few[:0], strings.TrimSuffix(b.text, "\n"))
	t.entries = make([]entry, 0, len(lines))
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " ")
		if line == "" {
			continue
		}
		key, value, ok := simpleKey(line)
		if !ok {
			return nil
		}
		at := b.line + i
		var v *node
		if value != "" {
			v = simpleValue(value, at, room)
		} else {
			var taken int
			v, taken = simpleList(lines[i+1:], at+1, room)
			i += taken
		}
		if v == nil {
			return nil
		}
		if t.line == 0 {
			t.line = at
		}
		t.entries = append(t.entries, entry{key: key, line: at, value: v})
	}
	if len(t.entries) == 0 || t.weigh() != nil {
		return nil
	}
	return t
}

// A nodeRoom is room for the nodes of one file after the other.
type nodeRoom struct {
	nodes [24]node
	used  int
}

func (room *nodeRoom) node(n node) *node {
	if room.used == len(room.nodes) {
		more := n
		return &more
	}
	room.used++
	room.nodes[room.used-1] = n
	return &room.nodes[room.used-1]
}

// leave makes the room free again; nobody may have kept a node.
func (room *nodeRoom) leave() {
	clear(room.nodes[:room.used])
	room.used = 0
}

func appendLines(lines []string, text string) []string {
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, line)
	}
	return lines
}

// simpleKey cuts a line into a key that is a plain word, and its value.
func simpleKey(line string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(line, ":")
	if !ok || key == "" || !asciiLetter(key[0]) || value != "" && value[0] != ' ' {
		return "", "", false
	}
	for i := range len(key) {
		if c := key[i]; !asciiLetter(c) && (c < '0' || c > '9') && c != '_' && c != '-' {
			return "", "", false
		}
	}
	return key, strings.TrimLeft(value, " "), !notText(key)
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// simpleValue reads a value of one line; nil if it may be anything but a
// string, a date or a list of strings.
func simpleValue(s string, line int, room *nodeRoom) *node {
	if s[0] == '[' {
		return simpleFlow(s, line, room)
	}
	if s == "true" || s == "false" {
		return room.node(node{kind: boolKind, line: line, text: s, native: s == "true", weight: 1})
	}
	text, ok := simpleText(s, false)
	if !ok {
		return nil
	}
	return simpleNode(text, line, room)
}

// simpleNode copies the text, which would keep the whole file in memory.
func simpleNode(text string, line int, room *nodeRoom) *node {
	return room.node(node{kind: textKind, line: line, text: strings.Clone(text), split: true, weight: 1})
}

// simpleFlow reads a list in brackets.
func simpleFlow(s string, line int, room *nodeRoom) *node {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok || strings.ContainsAny(inner, "[]") {
		return nil
	}
	list := room.node(node{kind: listKind, line: line, items: make([]*node, 0, strings.Count(inner, ",")+1)})
	for item := range strings.SplitSeq(inner, ",") {
		text, ok := simpleText(strings.Trim(item, " "), true)
		if !ok {
			return nil
		}
		list.items = append(list.items, simpleNode(text, line, room))
	}
	if list.weigh() != nil {
		return nil
	}
	return list
}

// simpleList reads the lines of a list with dashes; it gives nil if there is
// none, or if what follows belongs to it all the same.
func simpleList(lines []string, at int, room *nodeRoom) (list *node, taken int) {
	list = room.node(node{kind: listKind, line: at})
	indent := ""
	for _, line := range lines {
		line = strings.TrimRight(line, " ")
		bare := strings.TrimLeft(line, " ")
		item, ok := strings.CutPrefix(bare, "- ")
		if !ok {
			if bare == "" || len(bare) < len(line) || bare[0] == '-' {
				return nil, 0
			}
			break
		}
		if margin := line[:len(line)-len(bare)]; taken == 0 {
			indent = margin
		} else if margin != indent {
			return nil, 0
		}
		text, ok := simpleText(strings.TrimLeft(item, " "), false)
		if !ok {
			return nil, 0
		}
		list.items = append(list.items, simpleNode(text, at+taken, room))
		taken++
	}
	if taken == 0 || list.weigh() != nil {
		return nil, 0
	}
	return list, taken
}

// simpleDate is a date that is no number and no word.
var simpleDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d+)?( ?[+-]\d{2}:?\d{2}|Z)?)?$`)

// isShape reports whether a text has digits where the shape has 0, and is the
// shape elsewhere.
func isShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if digit := s[i] >= '0' && s[i] <= '9'; shape[i] == '0' && !digit || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// simpleText reads a string without escapes, within brackets or not.
func simpleText(s string, within bool) (text string, ok bool) {
	if s == "" {
		return "", false
	}
	switch c := s[0]; {
	case c == '"' || c == '\'':
		if len(s) < 2 || s[len(s)-1] != c {
			return "", false
		}
		text = s[1 : len(s)-1]
		return text, strings.IndexByte(text, c) < 0 && strings.IndexByte(text, '\\') < 0
	case asciiLetter(c):
		special := "{}[]`\\\t"
		if within {
			special += ":#&*!|>%@\"'"
		}
		return s, !notText(s) && !strings.ContainsAny(s, special) && !strings.HasSuffix(s, ":") &&
			!strings.Contains(s, ": ") && !strings.Contains(s, " #")
	case c >= '0' && c <= '9':
		return s, len(s) >= len("2006-01-02") && s[4] == '-' && (isShape(s, "0000-00-00T00:00:00Z") || simpleDate.MatchString(s))
	}
	return "", false
}

// notText reports whether YAML takes a word for something else than a string.
func notText(s string) bool {
	if len(s) > len("false") {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan":
		return true
	}
	return false
}
