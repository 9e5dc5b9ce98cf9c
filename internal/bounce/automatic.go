package bounce

import (
	"regexp"
	"strings"

	"github.com/emersion/go-message"
)

// isAutomatic reports whether a message was made by a machine in answer to
// another (RFC 3834, and what was in use before it).
func isAutomatic(h message.Header) bool {
	if v := h.Get("Auto-Submitted"); v != "" && !strings.EqualFold(firstWord(v), "no") {
		return true
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "auto-reply", "bulk", "junk", "list":
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-Suppress", "X-Vacation"} {
		if h.Has(name) {
			return true
		}
	}
	return automaticSubject.MatchString(decoded(h, "Subject"))
}

var automaticSubject = regexp.MustCompile(`(?i)^\s*(auto(matic)?[ -]?(reply|response|antwort)|automatische antwort|abwesenheit|out of (the )?office|` +
	`réponse automatique|absence du bureau|respuesta automática|risposta automatica|resposta automática|autosvar|automatisch antwoord)`)

// isFreeText reports whether a message is a bounce in words. It must come from
// a mail system, and say so in its subject or in a way of its own: people's
// answers quote such words too.
func isFreeText(h message.Header, text string) bool {
	if h.Has("X-Failed-Recipients") { // Exim
		return true
	}
	return bySystem.MatchString(decoded(h, "From")) && (bounceSubject.MatchString(decoded(h, "Subject")) || bounceOpening.MatchString(text))
}

var (
	bySystem      = regexp.MustCompile(`(?i)mailer-daemon|postmaster|mail delivery (system|subsystem)|<>`)
	bounceSubject = regexp.MustCompile(`(?i)undeliver|returned mail|failure notice|delivery (status|fail|notification|problem)|non.?delivery|mail (delivery )?(failed|failure|error)|could not be delivered|unzustellbar|non remis|no se puede entregar`)
	bounceOpening = regexp.MustCompile(`(?i)^\s*(hi\. this is the qmail-send program|this (message )?(report )?(was|is) (created|generated) automatically by|this is the mail system at host|i'm afraid i wasn't able to deliver)`)
	delayed       = regexp.MustCompile(`(?i)^\s*warning\b|delayed|still being (tried|retried)|will (be retried|retry|keep trying)|you do not need to resend`)
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
	x := Recipient{Action: Failed, Diagnostic: legible(text)}
	if delayed.MatchString(decoded(h, "Subject")) || delayed.MatchString(text) {
		x.Action = Delayed
	}
	return x
}

// ownWords gives the text before the copy of the mail, whose words are ours.
func ownWords(text string) string {
	if at := copyBegins.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	return text
}

var copyBegins = regexp.MustCompile(`(?mi)^(-+ ?.*(copy|original|below|undelivered|returned|headers|unsent).*|received: .*|return-path: .*|message-id: .*|x-[a-z-]+: .*)$`)
