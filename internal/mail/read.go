package mail

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
)

// Content is a message as a person sees it.
type Content struct {
	Header Fields
	Text   string // the first such part, decoded; "" if there is none
	HTML   string // the same; not sanitised
}

// Fields are header fields in their order, with encoded-words decoded.
type Fields []Header

// Get gives the value of the first field of that name, in any case; "" if
// there is none.
func (f Fields) Get(name string) string {
	for _, h := range f {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// Read reads a message such as Render makes. Of one that is not well-formed it
// gives what it could read, with an error.
func Read(raw []byte) (Content, error) {
	entity, err := message.Read(bytes.NewReader(raw))
	if entity == nil {
		return Content{}, fmt.Errorf("read mail: %w", err)
	}
	c := Content{Header: fields(entity.Header)}
	err = entity.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil && !isForeign(err) {
			return err
		}
		return c.take(part)
	})
	if err != nil {
		return c, fmt.Errorf("read mail: %w", err)
	}
	return c, nil
}

// ReadHeader reads no further than the header.
func ReadHeader(r io.Reader) (Fields, error) {
	entity, err := message.Read(r)
	if entity == nil {
		return nil, fmt.Errorf("read mail header: %w", err)
	}
	return fields(entity.Header), nil
}

func fields(h message.Header) Fields {
	var list Fields
	for f := h.Fields(); f.Next(); {
		value, err := f.Text()
		if err != nil {
			value = f.Value() // as it is where it cannot be decoded
		}
		list = append(list, Header{f.Key(), value})
	}
	return list
}

// isForeign says that a part is in a charset or encoding that is not known
// here. It is kept undecoded.
func isForeign(err error) bool {
	return message.IsUnknownCharset(err) || message.IsUnknownEncoding(err)
}

// take keeps the first text and the first HTML part.
func (c *Content) take(part *message.Entity) error {
	kind, _, _ := part.Header.ContentType() // "" if it cannot be read
	into := map[string]*string{"text/plain": &c.Text, "text/html": &c.HTML}[kind]
	if into == nil || *into != "" {
		return nil
	}
	body, err := io.ReadAll(part.Body)
	*into = string(body)
	return err
}
