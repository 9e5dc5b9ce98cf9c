package alert

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/relay"
)

const (
	letterMost = 32 << 10 // of a message to the postmaster; what follows is left out
	lettersFor = time.Hour
	lettersMax = 20 // in lettersFor: more is spam, or a loop
)

// Letter takes a message to the postmaster, whom every mail server must have
// (RFC 5321 §4.5.1): it is mailed to who alerts go to, or only logged, if that
// is nobody, or if a machine sent it. An error means that it should come again
// later.
func (w *Watch) Letter(ctx context.Context, address string, message io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(message, letterMost))
	if err != nil {
		return fmt.Errorf("mail to %s: %w", address, err)
	}
	header, err := mail.ReadHeader(bytes.NewReader(raw))
	if err != nil {
		header = mail.Fields{} // it is handed on as it is
	}
	log := w.Service.Log.With("to", address, "from", header.Get("From"), "subject", header.Get("Subject"))
	if w.To == "" || byMachine(header) || !w.letters.allow(w.Service.Clock.Now()) {
		log.Warn("mail to the postmaster, not handed on")
		return nil
	}
	env, msg, err := w.letter(address, header.Get("Subject"), raw)
	if err != nil {
		return err
	}
	if _, err := w.Mails.Post(ctx, env, msg); err != nil {
		return fmt.Errorf("hand on mail to %s: %w", address, err)
	}
	log.Info("mail to the postmaster, handed on")
	return nil
}

// An allowance is how many letters were handed on of late.
type allowance struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

// allow counts one more, and reports whether there are not too many.
func (a *allowance) allow(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := now.Sub(a.since); age < 0 || age >= lettersFor {
		a.since, a.n = now, 0
	}
	a.n++
	return a.n <= lettersMax
}

// byMachine reports whether nobody waits for an answer (RFC 3834 §5, RFC 5321
// §4.5.5).
func byMachine(h mail.Fields) bool {
	auto := strings.ToLower(h.Get("Auto-Submitted"))
	return auto != "" && auto != "no" || strings.TrimSpace(h.Get("Return-Path")) == "<>"
}

// letter makes the mail that hands a message on, as text: nothing in it is
// opened.
func (w *Watch) letter(address, subject string, raw []byte) (relay.Envelope, []byte, error) {
	_, from, err := mail.ParseMailbox(w.From)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("mail.from: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "This came for %s, the address of whoever runs this mail server. It is shown as it came; answer to the address in it, not to this mail.\n\n", address)
	for line := range strings.Lines(strings.ToValidUTF8(string(raw), "?")) {
		b.WriteString("    " + strings.TrimRight(line, "\r\n") + "\n")
	}
	template, err := mail.Compile(digest.Operator(w.From, "["+w.Site+"] For the postmaster: "+subject, b.String(), w.Service.Clock.Now()))
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("build the mail to the postmaster: %w", err)
	}
	sum := sha256.Sum256(raw)
	id := "postmaster." + hex.EncodeToString(sum[:12]) + "@" + from.Domain
	msg, err := template.Render(nil, mail.Recipient{To: w.To, MessageID: id})
	return relay.Envelope{From: from.String(), To: w.To}, msg, err
}
