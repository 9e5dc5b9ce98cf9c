// Package mail makes messages. go-mail builds the MIME structure and the
// headers once for all readers who get the same words; Compile cuts the
// result into literal segments and slots, and Render fills the slots for one
// recipient. Package mail also signs messages (DKIM), reads them back, and
// checks addresses. It sends nothing.
package mail

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// Message is what all recipients of a Template share.
type Message struct {
	From     string // "Name <address>"
	ReplyTo  string // "" if none
	Subject  string
	Date     time.Time
	Text     string // may hold slot marks
	HTML     string // may hold slot marks; "" for a text-only mail
	Language string
	Headers  []Header // further headers, frozen; values are encoded as needed (RFC 2047)

	// Nonce is what the slot marks in Text and HTML were made with; "" if
	// there are none. Take a new one for each composition, so that nothing in
	// a post can pass for a mark.
	Nonce string
}

// Header is one header field.
type Header struct {
	Name, Value string
}

// Recipient is what differs from one reader to the next.
type Recipient struct {
	To        string            // bare address
	MessageID string            // without angle brackets
	Headers   []Header          // per-recipient headers such as List-Unsubscribe, raw ASCII values
	Slots     map[string]string // slot name → value; URL-safe ASCII
}

const (
	minNonce = 16 // characters
	maxName  = 64 // characters of a slot's name
)

// NewNonce gives a random nonce of 33 ASCII letters and digits.
func NewNonce() string {
	var b [16]byte
	rand.Read(b[:])
	return "m" + hex.EncodeToString(b[:])
}

// Mark gives the text that stands for a slot in Message.Text and
// Message.HTML: ASCII letters and digits only, so that neither html/template
// nor a URL escaper changes it. It must not be wrapped or cut. The name, up to
// 64 letters, digits, "_" or "-", is checked by Compile.
func Mark(nonce, name string) string {
	if len(name) > maxName {
		name = "" // Compile refuses a slot without a name
	}
	return nonce + hex.EncodeToString([]byte{byte(len(name))}) + hex.EncodeToString([]byte(name))
}
