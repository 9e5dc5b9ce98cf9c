package digest

import (
	"strings"
	"time"

	"tidings/internal/mail"
)

// Operator makes a plain mail to who runs the site. Lines of the text are
// wrapped, but for those that are indented, such as commands.
func Operator(from, subject, text string, date time.Time) mail.Message {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if words := clean(line); strings.HasPrefix(line, " ") {
			b.WriteString("    " + words)
		} else {
			b.WriteString(wrap(words, "", ""))
		}
		b.WriteByte('\n')
	}
	return mail.Message{
		From:     from,
		Subject:  cut(clean(subject), maxSubject),
		Date:     date,
		Text:     b.String(),
		Language: "en",
		Headers:  noticeHeaders(),
	}
}
