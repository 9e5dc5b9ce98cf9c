package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/relay"
	"tidings/internal/store"
)

const (
	inFull = 10 // alerts that a mail tells in full; of the others,
	named  = 50 // so many are named
)

// An item is what a mail says of one thing: its latest alert, and how often
// it came and went.
type item struct {
	store.Alert
	times int
}

// compose makes the mail that tells of some alerts.
func (t *Teller) compose(now time.Time, as []store.Alert) (relay.Envelope, []byte, error) {
	_, from, err := mail.ParseMailbox(t.From)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("mail.from: %w", err)
	}
	items := gather(as)
	m := digest.Operator(t.From, "["+t.Site+"] "+subject(items), t.body(items), now)
	template, err := mail.Compile(m)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("build the mail of alerts: %w", err)
	}
	msg, err := template.Render(nil, mail.Recipient{To: t.To, MessageID: messageID(as) + "@" + from.Domain})
	return relay.Envelope{From: from.String(), To: t.To}, msg, err
}

// messageID is the same for the same news, whenever it is told.
func messageID(as []store.Alert) string {
	h := sha256.New()
	for _, a := range as {
		fmt.Fprintln(h, a.ID, a.Key, a.Since.UnixMilli(), a.Cleared.UnixMilli())
	}
	return "alert." + hex.EncodeToString(h.Sum(nil)[:12])
}

// gather gives one item for each key, those that are not over first.
func gather(as []store.Alert) []item {
	at := map[string]int{}
	var all []item
	for _, a := range as {
		i, known := at[a.Key]
		if !known {
			i = len(all)
			at[a.Key] = i
			all = append(all, item{})
		}
		all[i] = item{a, all[i].times + 1}
	}
	var open, over []item
	for _, x := range all {
		if x.isOver() {
			over = append(over, x)
		} else {
			open = append(open, x)
		}
	}
	return append(open, over...)
}

// isOver reports whether it is news that the trouble is over.
func (x item) isOver() bool { return !x.Cleared.IsZero() && !x.Passing }

func (x item) title() string {
	if x.isOver() {
		return "Over: " + x.Subject
	}
	return x.Subject
}

func subject(items []item) string {
	if len(items) == 1 {
		return items[0].title()
	}
	return fmt.Sprintf("%d alerts: %s, …", len(items), items[0].title())
}

func (t *Teller) body(items []item) string {
	var b strings.Builder
	for i, x := range items {
		switch {
		case i < inFull:
			t.write(&b, x)
		case i < inFull+named:
			if i == inFull {
				b.WriteString("Further alerts\n--------------\n\n")
			}
			b.WriteString(x.title() + ".\n")
		case i == inFull+named:
			fmt.Fprintf(&b, "And %d more.\n", len(items)-i)
		}
	}
	if len(items) > inFull {
		b.WriteByte('\n')
	}
	b.WriteString("All that is open at present, and all of late:\n" + command("tidings alerts", "tidings alerts --all") + "\n")
	return b.String()
}

// write tells of one thing in full.
func (t *Teller) write(b *strings.Builder, x item) {
	title := x.title()
	fmt.Fprintf(b, "%s\n%s\n\n", title, strings.Repeat("-", min(len(title), 72)))
	if x.times > 1 {
		fmt.Fprintf(b, "This came and went %d times of late.\n\n", x.times)
	}
	switch {
	case x.Cleared.IsZero():
		b.WriteString(x.Text + "\n\n")
	case x.Passing:
		fmt.Fprintf(b, "%s\n\nThis has been over since %s.\n\n", x.Text, stamp(x.Cleared, t.Zone))
	case x.Told.IsZero():
		fmt.Fprintf(b, "It began at %s and was over at %s, before it could be mailed. This is what there was to say:\n\n%s\n\n",
			stamp(x.Since, t.Zone), stamp(x.Cleared, t.Zone), x.Text)
	default:
		fmt.Fprintf(b, "It began at %s and was over at %s. Nothing is left to do.\n\n", stamp(x.Since, t.Zone), stamp(x.Cleared, t.Zone))
	}
}
