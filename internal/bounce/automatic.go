package bounce

import (
	"net/mail"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
)

// saysAutomatic reports whether a message says that a machine made it in answer
// to another (RFC 3834). Answers for people do, but some bounces as well.
func saysAutomatic(h message.Header) bool {
	v := h.Get("Auto-Submitted")
	return v != "" && !strings.EqualFold(firstWord(v), "no")
}

// isAutomatic reports whether a message was made by a machine, but is no
// bounce, by what was in use before RFC 3834.
func isAutomatic(h message.Header) bool {
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "auto-reply", "bulk", "junk", "list":
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-Suppress", "X-Vacation", "List-Id"} {
		if h.Has(name) {
			return true
		}
	}
	return automaticSubject.MatchString(decoded(h, "Subject"))
}

// asksToLeave reports whether a message says what the links of List-Unsubscribe
// put into it (RFC 2369 §3.2). Programs write that in a person's name, and some
// of them say that they did.
func asksToLeave(h message.Header) bool {
	return strings.EqualFold(strings.TrimSpace(decoded(h, "Subject")), "unsubscribe")
}

// isAnswer reports whether a message was written in answer to another, or hands
// one on.
func isAnswer(h message.Header) bool {
	return h.Has("In-Reply-To") || h.Has("References") || answerSubject.MatchString(decoded(h, "Subject"))
}

var (
	automaticSubject = regexp.MustCompile(`(?i)^\s*(auto(matic)?[ -]?(reply|response|antwort)|automatische antwort|abwesenheit|out of (the )?office|` +
		`réponse automatique|absence du bureau|respuesta automática|risposta automatica|resposta automática|autosvar|automatisch antwoord)`)
	answerSubject = regexp.MustCompile(`(?i)^\s*(re|aw|antw|sv|vs|odp|fwd?|wg|tr|rv|rif)(\[\d+\])? ?:`)
)

// isFreeText reports whether a message is a bounce in words. The address of the
// mail system's own program, which no person has, is enough, for the words may
// be of any language. A mail without an envelope sender, or of a postmaster,
// may still be the answer of a person or of their machine.
func isFreeText(h message.Header, text string) bool {
	from := fromLocal(h)
	switch {
	case isAutomatic(h):
		return false
	case daemon.MatchString(from):
		return true
	case isAnswer(h) || saysAutomatic(h):
		return false
	case h.Has("Return-Path") && bare(h.Get("Return-Path")) == "":
		return true
	}
	return from == "postmaster" && (bounceSubject.MatchString(decoded(h, "Subject")) || bounceOpening.MatchString(text))
}

// fromLocal gives what is before the @ of the author's address, in lower case.
// What a name or a comment says beside it is no address.
func fromLocal(h message.Header) string {
	address := bare(h.Get("From"))
	if a, err := mail.ParseAddress(h.Get("From")); err == nil {
		address = a.Address
	}
	local, _, _ := strings.Cut(address, "@")
	return strings.ToLower(firstWord(local))
}

var (
	daemon        = regexp.MustCompile(`^(mailer-?daemon|mail-?daemon|microsoftexchange[0-9a-f]{32})$`)
	bounceSubject = regexp.MustCompile(`(?i)undeliver|returned mail|failure notice|delivery (status|fail|notification|problem)|non.?delivery|mail (delivery )?(failed|failure|error)|could not be delivered|unzustellbar|non remis|no se puede entregar`)
	bounceOpening = regexp.MustCompile(`(?i)^\s*(hi\. this is the qmail-send program|this (message )?(report )?(was|is) (created|generated) automatically by|this is the mail system at host|i'm afraid i wasn't able to deliver)`)
	delayed       = regexp.MustCompile(`(?i)delayed|still being (tried|retried)|will (be retried|retry|keep trying)|you do not need to resend|delivery attempts will continue`)
	delaySubject  = regexp.MustCompile(`(?i)(^\s*((e?-?mail|message|delivery|zustellung|nachricht|notification) )*|\()(warning\b|delay|retard|verzöger|retras|ritard|atras|vertrag)|delayed|still being retried`)
	succeeded     = regexp.MustCompile(`(?i)\((success|succès|erfolg|éxito|relay|relayed|expanded|delivered)|\bsuccess(ful|fully)?\b|\b(is|was|been|were) (delivered|relayed|expanded)\b|\bcompleted?\b|^\s*(delivered|relayed|expanded):`)
	gaveUp        = regexp.MustCompile(`(?i)fail|undeliver|unable to|reject|refus|gave up|given up|(\b(not|never|cannot)|n't) (be |been |yet )?(success|deliver|relay|complet|reach|accept)|\b5\d\d\b|\b5\.\d\.\d`)
)

// decoded gives a field with its encoded words read; as it is where they
// cannot be.
func decoded(h message.Header, name string) string {
	text, err := h.Text(name)
	if err != nil {
		return h.Get(name)
	}
	return text
}

// freeText makes of a bounce in words what a DSN would say.
func freeText(h message.Header, text string) Recipient {
	text = ownWords(text)
	return Recipient{Action: actionInWords(decoded(h, "Subject"), text), Diagnostic: legible(text), words: text}
}

// actionInWords reads what became of a mail. Delays and successes are reported
// in words too; a success must say nothing to the contrary.
func actionInWords(subject, text string) string {
	switch {
	case delaySubject.MatchString(subject) || delayed.MatchString(text):
		return Delayed
	case gaveUp.MatchString(subject):
		return Failed
	case succeeded.MatchString(subject), succeeded.MatchString(text) && !gaveUp.MatchString(text):
		return Delivered
	}
	return Failed
}

// ownWords gives the text before the copy of the mail, whose words are ours.
func ownWords(text string) string {
	if at := copyBegins.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	return text
}

var copyBegins = regexp.MustCompile(`(?mi)^(-+ ?.*(copy|original|below|undelivered|returned|headers|unsent).*|received: .*|return-path: .*|message-id: .*|x-[a-z-]+: .*)$`)
