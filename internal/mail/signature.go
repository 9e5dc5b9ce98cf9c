package mail

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
)

// Fields that a signature covers, in the order of its h= tag. The sealed ones
// are listed once more than they appear, so that none can be added later
// without breaking the signature (RFC 6376 §5.4.2); RFC 8058 §4 wants the two
// of one-click unsubscription covered. The others may be added on the way.
var (
	sealedFields = [...]string{
		"from", "to", "subject", "date", "message-id", "reply-to",
		"list-unsubscribe", "list-unsubscribe-post",
		"mime-version", "content-type", "content-transfer-encoding",
	}
	openFields = [...]string{"list-id", "feedback-id"}
)

// A signing is the work on one message. What all its signatures share is made
// once.
type signing struct {
	fields   []field
	names    []string // the h= tag
	header   []byte   // the fields of h=, canonical
	body     []byte   // canonical
	bodyHash [sha256.Size]byte
	out      []byte // finished signature fields
}

var signings = sync.Pool{New: func() any { return new(signing) }}

// begin reads a message.
func (w *signing) begin(msg []byte) error {
	header, body, err := splitMessage(msg)
	if err != nil {
		return err
	}
	if w.fields, err = appendFields(w.fields[:0], header); err != nil {
		return err
	}
	w.names, w.header, w.out = w.names[:0], w.header[:0], w.out[:0]
	for i, name := range sealedFields {
		if w.cover(name) == 0 && i == 0 {
			return errors.New("the message has no From field")
		}
		w.names = append(w.names, name)
	}
	for _, name := range openFields {
		w.cover(name)
	}
	w.body = appendRelaxedBody(w.body[:0], body)
	w.bodyHash = sha256.Sum256(w.body)
	return nil
}

// end gives the memory back for the next message.
func (w *signing) end() {
	clear(w.fields) // they keep the message
	signings.Put(w)
}

// cover takes all fields of a name, the last one first (RFC 6376 §5.4.2), and
// gives their number.
func (w *signing) cover(name string) int {
	n := 0
	for i := len(w.fields) - 1; i >= 0; i-- {
		if f := w.fields[i]; len(f.name) == len(name) && strings.EqualFold(string(f.name), name) {
			w.header = append(appendRelaxedField(w.header, f), "\r\n"...)
			w.names = append(w.names, name)
			n++
		}
	}
	return n
}

// add appends the signature field that a key makes. It holds no time: the
// same message has the same signature whenever and wherever it is made, and
// its Date is signed.
func (w *signing) add(tags []string, k Key) error {
	start := len(w.out)
	f := folder{dst: append(w.out, "DKIM-Signature:"...), column: len("DKIM-Signature:")}
	value := len(f.dst)
	for _, tag := range tags {
		f.word(tag)
	}
	f.word("h=")
	last := len(w.names) - 1
	for _, name := range w.names[:last] {
		f.join(name + ":")
	}
	f.join(w.names[last] + ";")
	f.word("bh=" + base64.StdEncoding.EncodeToString(w.bodyHash[:]) + ";")
	f.word("b=")

	data := appendRelaxedField(w.header, field{f.dst[start : value-1], f.dst[value:]})
	w.header = data[:len(w.header)]
	digest := sha256.Sum256(data)
	signature, err := k.private.Sign(nil, digest[:], k.opts)
	if err != nil {
		return err
	}
	f.split(base64.StdEncoding.EncodeToString(signature))
	w.out = append(f.dst, "\r\n"...)
	return nil
}

// A folder writes a header field in lines of up to foldWidth characters.
type folder struct {
	dst    []byte
	column int
}

// word appends text after a space, or on a new line.
func (f *folder) word(text string) {
	if f.column+len(" ")+len(text) > foldWidth {
		f.fold()
	} else {
		f.join(" ")
	}
	f.join(text)
}

// join appends text right here, or on a new line.
func (f *folder) join(text string) {
	if f.column+len(text) > foldWidth && f.column > len(" ") {
		f.fold()
	}
	f.dst = append(f.dst, text...)
	f.column += len(text)
}

// split appends text that may be broken anywhere.
func (f *folder) split(text string) {
	for f.column+len(text) > foldWidth {
		room := foldWidth - f.column
		f.dst = append(f.dst, text[:room]...)
		f.fold()
		text = text[room:]
	}
	f.join(text)
}

func (f *folder) fold() {
	f.dst = append(f.dst, "\r\n "...)
	f.column = 1
}
