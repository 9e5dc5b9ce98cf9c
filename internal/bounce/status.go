package bounce

import (
	"io"
	"slices"
	"strings"
	"unicode"
)

// readStatus reads the fields of a delivery status notification: those of the
// message come first, then a group for each recipient (RFC 3464 §2).
func (p *parser) readStatus(r io.Reader) {
	p.status = true
	for _, g := range readGroups(r, maxGroups+1, MaxSize) {
		action := g.get("Action")
		final, original := g.get("Final-Recipient"), g.get("Original-Recipient")
		if action == "" && final == "" && original == "" {
			continue // the fields of the message
		}
		diagnostic := diagnosticOf(g)
		x := Recipient{
			Original: typedAddress(original), Final: typedAddress(final),
			Action: actionOf(action), Status: StatusIn(firstWord(g.get("Status"))), Diagnostic: legible(diagnostic),
			words: strings.Join(g.all("Status"), " ") + " " + diagnostic,
		}
		if action == "" && strings.HasPrefix(x.Status, "5") {
			x.Action = Failed // the field is required, and yet some leave it out
		}
		p.report.Recipients = append(p.report.Recipients, x)
	}
}

// diagnosticOf gives the words of a group's servers. Some write the field once
// for each line of a reply.
func diagnosticOf(g fields) string {
	list := g.all("Diagnostic-Code")
	for i := range list {
		_, list[i] = typed(list[i])
	}
	return strings.Join(list, " ")
}

// actionOf gives the action that a field names; "" if it names none.
func actionOf(s string) string {
	s = strings.ToLower(firstWord(s))
	if s == "failure" {
		return Failed
	}
	if slices.Contains([]string{Failed, Delayed, Delivered, Relayed, Expanded}, s) {
		return s
	}
	return ""
}

// maxDiagnostic bounds what is kept of a server's words, in bytes.
const maxDiagnostic = 4 << 10

// legible makes foreign words fit to be shown: one line, nothing that steers a
// terminal.
func legible(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxDiagnostic)], " ")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// readFeedback reads the fields of a feedback report (RFC 5965 §3). One
// without a type says nothing.
func (p *parser) readFeedback(r io.Reader) {
	for _, g := range readGroups(r, 1, maxText) {
		p.report.Feedback = strings.ToLower(legible(firstWord(g.get("Feedback-Type"))))
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
