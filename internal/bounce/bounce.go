// Package bounce understands what comes back: reports of mail that could not
// be delivered (RFC 3464, and the free text that some servers send instead),
// complaints (RFC 5965), and the automatic answers that are neither. It says
// what a report claims, and what sort of failure that is. Whom the report
// concerns, whether it is genuine, and what follows are left to the caller: any
// of it may be forged.
package bounce

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // texts of reports in their own charset
)

// Bounds of what is read of a message. What is beyond them is ignored: what
// matters of a report comes first.
const (
	MaxSize   = 1 << 20
	maxHeader = 128 << 10
	maxDepth  = 10
	maxParts  = 100
	maxText   = 64 << 10 // of a part that is read as a text
	maxGroups = 10_000   // recipients of one report
	maxTo     = 100      // addresses to which it was delivered
)

// ErrMalformed is returned for what is no message at all.
var ErrMalformed = errors.New("not a mail message")

// Kind is what a message is.
type Kind string

// The kinds of messages.
const (
	Other     Kind = "other"      // written by a person, or of no concern here
	AutoReply Kind = "auto-reply" // out of office and the like
	DSN       Kind = "dsn"        // a delivery status notification (RFC 3464)
	FreeText  Kind = "free-text"  // a bounce that no standard describes
	Complaint Kind = "complaint"  // a feedback report (RFC 5965)
)

// Report is what a message says.
type Report struct {
	Kind       Kind
	To         []string    // where it was delivered to, as its header says; the surest first
	Recipients []Recipient // of a DSN; of a free text one, without an address
	Feedback   string      // type of a complaint, in lower case: abuse, not-spam …
	Original   Original
}

// What became of a mail for a recipient (RFC 3464 §2.3.3).
const (
	Failed    = "failed"
	Delayed   = "delayed"
	Delivered = "delivered"
	Relayed   = "relayed"
	Expanded  = "expanded"
)

// Recipient is the fate of a mail for one recipient.
type Recipient struct {
	Original   string // as the mail was addressed; "" if unknown
	Final      string // as it was delivered last; "" if unknown
	Action     string // Failed …; "" if it is none of them
	Status     string // enhanced status code of a failure (RFC 3463); "" if none
	Diagnostic string // the words of the server that refused, on one line

	words string // all that tells the class beside Status
}

// Original is what is known of the mail that a report is about.
type Original struct {
	MessageID  string // without brackets
	ReturnPath string // envelope sender
}

// Parse reads a message. It gives what it can of one that is cut short or
// damaged; ErrMalformed only if there is no header.
func Parse(r io.Reader) (Report, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSize))
	if err != nil {
		return Report{}, fmt.Errorf("read a message: %w", err)
	}
	entity, err := message.ReadWithOptions(bytes.NewReader(fieldsOnly(raw)), &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if entity == nil || entity.Header.Len() == 0 {
		return Report{}, malformed(err)
	}
	p := parser{report: Report{Kind: Other, To: deliveredTo(entity.Header)}}
	p.part(entity, 0)
	p.decide(entity.Header)
	return p.report, nil
}

// malformed gives ErrMalformed and, if it is known, why. Reasons quote the
// message.
func malformed(why error) error {
	if why == nil {
		return ErrMalformed
	}
	return fmt.Errorf("%w: %s", ErrMalformed, legible(why.Error()))
}

// A parser walks over the parts of one message.
type parser struct {
	report  Report
	parts   int
	status  bool   // there was a part that says the status
	failing bool   // the message as a whole claims to be a delivery report
	text    string // of the first part for people
	html    string // the same as a page, its tags left out
	policy  string // a code of the kind x.7.x in the parts for people; "" if none
}

// part looks at one part and those within it; what is in a returned message is
// not looked at but for its header. A damaged part ends its siblings only.
func (p *parser) part(e *message.Entity, depth int) {
	if p.parts++; p.parts > maxParts || depth > maxDepth {
		return
	}
	kind, params, _ := e.Header.ContentType() // "" if it cannot be read
	if m := e.MultipartReader(); m != nil {
		if kind == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status") {
			p.failing = true
		}
		p.children(m, depth)
		return
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		p.readStatus(e.Body)
	case "message/feedback-report":
		p.readFeedback(e.Body)
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		p.readOriginal(e.Body)
	case "text/plain", "":
		text := readText(e.Body)
		p.text = cmp.Or(p.text, text)
		p.note(text)
	case "text/html":
		text := tags.ReplaceAllString(readText(e.Body), " ")
		p.html = cmp.Or(p.html, text)
		p.note(text)
	}
}

var tags = regexp.MustCompile(`<[^>]*>`)

// note keeps what a text for people says of a policy: some servers name the
// true reason there alone.
func (p *parser) note(text string) {
	if codes := policyCodes(ownWords(text)); len(codes) > 0 {
		p.policy = codes[0]
	}
}

func (p *parser) children(m message.MultipartReader, depth int) {
	for p.parts < maxParts {
		child, err := m.NextPart()
		if child == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			return
		}
		p.part(child, depth+1)
	}
}

// readText gives the beginning of a part.
func readText(r io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(r, maxText)) // what of it can be read
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// decide says what kind of message the parts make.
func (p *parser) decide(h message.Header) {
	text := cmp.Or(p.text, p.html)
	switch {
	case p.report.Feedback != "":
		p.report.Kind = Complaint
	case p.status && len(p.report.Recipients) > 0:
		p.report.Kind = DSN
	case p.failing || isFreeText(h, text):
		p.report.Kind = FreeText
		p.report.Recipients = []Recipient{freeText(h, text)}
	case (isAutomatic(h) || saysAutomatic(h)) && !asksToLeave(h):
		p.report.Kind = AutoReply
	}
	for i := range p.report.Recipients {
		p.report.Recipients[i].words += " " + p.policy
	}
}

// For gives what a report says of an address. A report may have several entries
// for it, or none but those of others, where a list or a forwarding stands
// behind the address: then it says only what holds for all of them.
func (r Report) For(address string) Recipient {
	about := r.Recipients
	for _, of := range []func(Recipient) string{
		func(x Recipient) string { return x.Original },
		func(x Recipient) string { return x.Final },
	} {
		same := func(x Recipient) bool { return strings.EqualFold(of(x), address) }
		if slices.ContainsFunc(r.Recipients, same) {
			about = slices.DeleteFunc(slices.Clone(r.Recipients), func(x Recipient) bool { return !same(x) })
			break
		}
	}
	if len(about) == 0 {
		return Recipient{}
	}
	return slices.MinFunc(about, func(a, b Recipient) int { return severity(a) - severity(b) })
}

func severity(x Recipient) int {
	switch {
	case !x.GivenUp():
		return 0
	case x.Class() == Hard:
		return 2
	}
	return 1
}

// GivenUp reports whether the mail was given up for this recipient. One that is
// only delayed was not.
func (x Recipient) GivenUp() bool { return x.Action == Failed }

// Class is the sort of the failure.
func (x Recipient) Class() Class { return Classify(x.Status, x.words) }
