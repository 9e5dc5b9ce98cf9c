package post

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// parseJSON reads a block of JSON token by token, since a decoder hides keys
// that stand twice and the lines of all.
func (r *reader) parseJSON(b *block) (*node, error) {
	j := &jsonReader{dec: json.NewDecoder(strings.NewReader(b.text)), text: b.text, line: b.line}
	j.dec.UseNumber()
	root, err := j.next(0)
	if err != nil {
		return nil, r.jsonError(err, b.text, b.line)
	}
	if _, err := j.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.fail(j.at(), "the front matter cannot be read as JSON: something follows the closing brace")
	}
	return root, nil
}

func (r *reader) jsonError(err error, text string, line int) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line += strings.Count(text[:min(len(text), max(0, int(syntax.Offset)-1))], "\n")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return r.fail(line, "the front matter cannot be read as JSON: its end is missing")
	}
	return r.fail(line, "the front matter cannot be read as JSON: %v", err)
}

// A jsonReader turns tokens into nodes.
type jsonReader struct {
	dec  *json.Decoder
	text string
	line int
	seen int // bytes of text whose lines are in line
}

// at gives the line that the decoder has reached.
func (j *jsonReader) at() int {
	offset := int(j.dec.InputOffset())
	j.line += strings.Count(j.text[j.seen:offset], "\n")
	j.seen = offset
	return j.line
}

var errNesting = errors.New("it is nested more than " + strconv.Itoa(maxNesting) + " levels deep")

func (j *jsonReader) next(depth int) (*node, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	token, err := j.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: j.at(), native: token, weight: 1}
	switch t := token.(type) {
	case json.Delim:
		return j.collection(n, t, depth)
	case string:
		n.kind, n.text = textKind, t
	case bool:
		n.kind, n.text = boolKind, strconv.FormatBool(t)
	case json.Number:
		n.kind, n.text = numberKind, t.String()
		n.native = jsonNumber(t)
	}
	return n, nil
}

func jsonNumber(t json.Number) any {
	if i, err := t.Int64(); err == nil {
		return i
	}
	f, err := t.Float64()
	if err != nil {
		return t.String()
	}
	return f
}

// collection reads up to the closing bracket or brace.
func (j *jsonReader) collection(n *node, open json.Delim, depth int) (*node, error) {
	n.kind, n.native = listKind, nil
	if open == '{' {
		n.kind = tableKind
	}
	for j.dec.More() {
		if n.kind == listKind {
			item, err := j.next(depth + 1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
			continue
		}
		key, err := j.dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		line := j.at()
		value, err := j.next(depth + 1)
		if err != nil {
			return nil, err
		}
		n.entries = append(n.entries, entry{key: name, line: line, value: value})
	}
	if _, err := j.dec.Token(); err != nil {
		return nil, err
	}
	return n, n.weigh()
}
