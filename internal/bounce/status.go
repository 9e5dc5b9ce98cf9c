package bounce

import (
	"io"
	"strings"
)

// readStatus reads the fields of a delivery status notification: those of the
// message come first, then a group for each recipient (RFC 3464 §2).
func (p *parser) readStatus(r io.Reader) {
	p.status = true
	for _, g := range readGroups(r, maxGroups+1) {
		action := strings.ToLower(firstWord(g.get("Action")))
		final, original := g.get("Final-Recipient"), g.get("Original-Recipient")
		if action == "" && final == "" && original == "" {
			continue // the fields of the message
		}
		_, diagnostic := typed(g.get("Diagnostic-Code"))
		x := Recipient{
			Original: typedAddress(original), Final: typedAddress(final),
			Action: action, Status: firstWord(g.get("Status")), Diagnostic: diagnostic,
		}
		if x.Action == "" && strings.HasPrefix(x.Status, "5") {
			x.Action = "failed" // the field is required, and yet some leave it out
		}
		p.report.Recipients = append(p.report.Recipients, x)
	}
}

// readFeedback reads the fields of a feedback report (RFC 5965 §3). One
// without a type says nothing.
func (p *parser) readFeedback(r io.Reader) {
	for _, g := range readGroups(r, 1) {
		p.report.Feedback = strings.ToLower(firstWord(g.get("Feedback-Type")))
		if from := g.get("Original-Mail-From"); from != "" {
			p.report.Original.ReturnPath = bare(from)
		}
	}
}

// firstWord leaves out the comment that may follow a value: "5.0.0 (permanent)".
func firstWord(s string) string {
	if end := strings.IndexAny(s, " \t(;"); end >= 0 {
		return s[:end]
	}
	return s
}
