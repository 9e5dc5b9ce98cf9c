package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Compile builds the message and cuts it into a Template. The same message
// gives the same template, whatever its nonce: nothing in it is random. Mail
// with slots and mail for a single reader take the same way.
func Compile(m Message) (*Template, error) {
	t, err := compile(m)
	if err != nil {
		return nil, fmt.Errorf("compile mail %q: %w", m.Subject, err)
	}
	return t, nil
}

func compile(m Message) (*Template, error) {
	if err := check(m); err != nil {
		return nil, err
	}
	text, err := cut(m.Nonce, m.Text)
	if err != nil {
		return nil, fmt.Errorf("text part: %w", err)
	}
	html, err := cut(m.Nonce, m.HTML)
	if err != nil {
		return nil, fmt.Errorf("HTML part: %w", err)
	}
	digest := fingerprint(text, html)
	source, err := build(m, digest)
	if err != nil {
		return nil, err
	}
	t := new(Template)
	if err := t.addHeaders(source, m); err != nil {
		return nil, err
	}
	return t, t.addBody(source, digest, text, html)
}

func check(m Message) error {
	if m.Text == "" {
		return errors.New("no text part")
	}
	if m.Date.IsZero() {
		return errors.New("no date")
	}
	errs := []error{rejectControl("subject", m.Subject), rejectControl("language", m.Language)}
	var seen []string
	for _, h := range m.Headers {
		errs = append(errs, checkHeader(h))
		if holds(seen, h.Name) {
			errs = append(errs, fmt.Errorf("header %s: given twice", h.Name))
		}
		seen = append(seen, h.Name)
	}
	return errors.Join(append(errs, checkNonce(m))...)
}

func checkNonce(m Message) error {
	if m.Nonce == "" {
		return nil
	}
	if len(m.Nonce) < minNonce || strings.IndexFunc(m.Nonce, func(r rune) bool { return r > 'z' || !isAlphanumeric(byte(r)) }) >= 0 {
		return fmt.Errorf("nonce: want at least %d letters and digits", minNonce)
	}
	if strings.Contains(fmt.Sprint(m.From, m.ReplyTo, m.Subject, m.Headers), m.Nonce) {
		return errors.New("slot mark in a header: only the text and HTML parts can have slots")
	}
	return nil
}

// A piece is literal text followed by a slot; the last one of a part has none.
type piece struct {
	literal string
	slot    string // "" at the end
}

// cut splits a part at its marks. It ends in a line break, as the format of a
// multipart boundary wants.
func cut(nonce, part string) ([]piece, error) {
	if part == "" {
		return nil, nil
	}
	if !strings.HasSuffix(part, "\n") {
		part += "\n"
	}
	var pieces []piece
	for nonce != "" {
		literal, rest, found := strings.Cut(part, nonce)
		if !found {
			break
		}
		name, n, err := slotName(rest)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{literal, name})
		part = rest[n:]
	}
	return append(pieces, piece{literal: part}), nil
}

// slotName reads a name as Mark wrote it after the nonce, and its length there.
func slotName(s string) (name string, n int, err error) {
	const prefix = 2
	if len(s) < prefix {
		return "", 0, errors.New("slot mark cut short")
	}
	size, err := hex.DecodeString(s[:prefix])
	if err != nil || len(s) < prefix+2*int(size[0]) {
		return "", 0, errors.New("slot mark cut short or changed")
	}
	n = prefix + 2*int(size[0])
	raw, err := hex.DecodeString(s[prefix:n])
	if err != nil {
		return "", 0, errors.New("slot mark changed")
	}
	return string(raw), n, checkSlotName(string(raw))
}

func checkSlotName(name string) error {
	if name == "" || len(name) > maxName || strings.IndexFunc(name, isNotSlotName) >= 0 {
		return fmt.Errorf("slot name %q: want 1 to %d letters, digits, _ or -", name, maxName)
	}
	return nil
}

func isNotSlotName(r rune) bool {
	return r > 'z' || !isAlphanumeric(byte(r)) && r != '_' && r != '-'
}

// fingerprint identifies the bodies. The MIME boundary is made of it, which
// keeps it the same for the same message and out of every body.
func fingerprint(parts ...[]piece) string {
	h := sha256.New()
	write := func(s string) {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	for _, part := range parts {
		for _, p := range part {
			write(p.literal)
			write(p.slot)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// build lets go-mail write the message, with placeholders for the bodies.
func build(m Message, digest string) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithBoundary(digest), gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	if err := setAddresses(msg, m); err != nil {
		return nil, err
	}
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeaderPreformatted("Subject", encodeUnstructured("Subject", m.Subject))
	if m.Language != "" {
		msg.SetGenHeader("Content-Language", m.Language)
	}
	msg.SetBodyString(gomail.TypeTextPlain, placeholder("text", digest))
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, placeholder("html", digest))
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return b.Bytes(), nil
}

func setAddresses(msg *gomail.Msg, m Message) error {
	name, from, err := ParseMailbox(m.From)
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	msg.FromMailAddress(&netmail.Address{Name: name, Address: from.String()})
	if m.ReplyTo == "" {
		return nil
	}
	name, reply, err := ParseMailbox(m.ReplyTo)
	if err != nil {
		return fmt.Errorf("reply to: %w", err)
	}
	msg.ReplyToMailAddress(&netmail.Address{Name: name, Address: reply.String()})
	return nil
}

// placeholder stands for a body in what go-mail writes. It is shorter than a
// line of quoted-printable, so that it comes out whole.
func placeholder(part, digest string) string { return part + digest }

// addHeaders takes the header fields that go-mail wrote, in an order of our
// own: go-mail's changes from run to run.
func (t *Template) addHeaders(source []byte, m Message) error {
	parsed, err := netmail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	var fields []Header
	add := func(names ...string) {
		for _, name := range names {
			fields = append(fields, Header{name, parsed.Header.Get(name)})
		}
	}
	add("Date", "From", "Reply-To", "Subject")
	for _, h := range m.Headers {
		fields = append(fields, Header{h.Name, encodeValue(h)})
	}
	add("Content-Language", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
	for _, f := range fields {
		if f.Value == "" {
			continue // go-mail did not write it
		}
		if err := checkWidth(f.Name, f.Value); err != nil {
			return err
		}
		t.literal(appendField(nil, f.Name, f.Value))
		t.fields = append(t.fields, f.Name)
	}
	t.literal([]byte("\r\n"))
	return nil
}

// encodeValue leaves an ASCII value alone: it may be structured, or encoded
// already.
func encodeValue(h Header) string {
	if isASCII(h.Value) {
		return h.Value
	}
	return encodeUnstructured(h.Name, h.Value)
}

// addBody takes the MIME structure that go-mail wrote and puts the bodies in
// the places of their placeholders.
func (t *Template) addBody(source []byte, digest string, text, html []piece) error {
	_, body, _ := bytes.Cut(source, []byte("\r\n\r\n"))
	before, rest, found := bytes.Cut(body, []byte(placeholder("text", digest)))
	if !found {
		return errors.New("go-mail wrote no text part")
	}
	t.literal(before)
	t.pieces(text)
	if html != nil {
		between, end, found := bytes.Cut(rest, []byte(placeholder("html", digest)))
		if !found {
			return errors.New("go-mail wrote no HTML part")
		}
		t.literal(between)
		t.pieces(html)
		rest = end
	}
	t.literal(rest)
	return nil
}

// pieces appends one part. A slot stands on lines of its own, between soft
// line breaks, so that its length moves nothing else.
func (t *Template) pieces(part []piece) {
	for _, p := range part {
		encoded, column := appendQP(nil, p.literal)
		if p.slot == "" {
			t.literal(encoded)
			continue
		}
		if column > 0 {
			encoded = append(encoded, softBreak...)
		}
		t.literal(encoded)
		t.slot(p.slot)
		t.literal([]byte(softBreak))
	}
}
