package mail

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Template is a Message ready for its recipients. It is safe for concurrent
// use.
type Template struct {
	fields   []string // names of the frozen header fields
	names    []string // of the slots, in order of their first appearance
	literals [][]byte // one more than order
	order    []int    // between the literals: indexes of names
}

// Slots gives the names of the slots that Recipient must fill.
func (t *Template) Slots() []string { return slices.Clone(t.names) }

// Dated gives the template of the same message with another Date (RFC 5322
// §3.6.1), which is its first field.
func (t *Template) Dated(at time.Time) *Template {
	_, rest, _ := bytes.Cut(t.literals[0], []byte("\n"))
	dated := *t
	dated.literals = slices.Clone(t.literals)
	dated.literals[0] = append(appendField(nil, "Date", at.Format(time.RFC1123Z)), rest...)
	return &dated
}

func (t *Template) literal(b []byte) {
	if len(t.literals) == len(t.order) {
		t.literals = append(t.literals, nil)
	}
	last := len(t.literals) - 1
	t.literals[last] = append(t.literals[last], b...)
}

func (t *Template) slot(name string) {
	t.literal(nil)
	i := slices.Index(t.names, name)
	if i < 0 {
		i = len(t.names)
		t.names = append(t.names, name)
	}
	t.order = append(t.order, i)
}

// Render appends the message for one recipient to dst: To, Message-ID and the
// recipient's own headers in their order, then what is frozen. It refuses
// what would not arrive as meant: control characters, a slot without a value,
// a value for no slot.
func (t *Template) Render(dst []byte, r Recipient) ([]byte, error) {
	out, err := t.render(dst, r)
	if err != nil {
		return dst, fmt.Errorf("render mail to %q: %w", r.To, err)
	}
	return out, nil
}

func (t *Template) render(dst []byte, r Recipient) ([]byte, error) {
	dst, err := t.appendRecipient(dst, r)
	if err != nil {
		return nil, err
	}
	if len(r.Slots) > len(t.names) {
		return nil, t.unknownSlot(r.Slots)
	}
	values := make([]string, 0, 4) // no memory of its own for the usual few
	for _, name := range t.names {
		value, ok := r.Slots[name]
		if !ok {
			return nil, fmt.Errorf("slot %s: no value", name)
		}
		if !isSlotValue(value) {
			return nil, fmt.Errorf("slot %s: %q is empty or has characters that are not safe in a URL", name, value)
		}
		values = append(values, value)
	}
	if len(r.Slots) != len(t.names) {
		return nil, t.unknownSlot(r.Slots)
	}
	for i, literal := range t.literals {
		dst = append(dst, literal...)
		if i < len(t.order) {
			dst, _ = appendQP(dst, values[t.order[i]])
		}
	}
	return dst, nil
}

func (t *Template) unknownSlot(slots map[string]string) error {
	for name := range slots {
		if !slices.Contains(t.names, name) {
			return fmt.Errorf("slot %s: not in the message", name)
		}
	}
	return nil
}

// isSlotValue reports whether s means the same in text, in HTML text and in a
// quoted attribute: the characters of a URL without & and quotes.
func isSlotValue(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("-._~:/?#@!$*+,;=%", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func (t *Template) appendRecipient(dst []byte, r Recipient) ([]byte, error) {
	if err := checkTo(r.To); err != nil {
		return nil, err
	}
	if err := checkMessageID(r.MessageID); err != nil {
		return nil, err
	}
	dst = appendField(dst, "To", r.To)
	dst = append(dst, "Message-ID: <"...)
	dst = append(dst, r.MessageID...)
	dst = append(dst, ">\r\n"...)
	for i, h := range r.Headers {
		if err := t.checkOwn(h, r.Headers[:i]); err != nil {
			return nil, err
		}
		dst = appendField(dst, h.Name, h.Value)
	}
	return dst, nil
}

func checkTo(to string) error {
	at := strings.LastIndexByte(to, '@')
	if at <= 0 || at == len(to)-1 || len(to) > maxPath || strings.IndexFunc(to, isNotAddress) >= 0 {
		return errors.New("not a bare address")
	}
	return nil
}

// checkMessageID holds an identifier to what is safe inside <> (RFC 5322
// §3.6.4), without parsing it in full.
func checkMessageID(id string) error {
	at := strings.IndexByte(id, '@')
	if at <= 0 || at == len(id)-1 || len(id) > maxPath || !isASCII(id) || strings.IndexFunc(id, isNotAddress) >= 0 {
		return fmt.Errorf("message ID %q: want LEFT@RIGHT in ASCII, without angle brackets", id)
	}
	return nil
}

// checkOwn checks a recipient's header against the frozen ones and those before.
func (t *Template) checkOwn(h Header, before []Header) error {
	if err := checkHeader(h); err != nil {
		return err
	}
	if !isASCII(h.Value) {
		return fmt.Errorf("header %s: not ASCII", h.Name)
	}
	twice := holds(t.fields, h.Name)
	for _, b := range before {
		twice = twice || strings.EqualFold(b.Name, h.Name)
	}
	if twice {
		return fmt.Errorf("header %s: already in the message", h.Name)
	}
	return nil
}
