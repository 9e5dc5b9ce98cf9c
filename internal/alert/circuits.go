package alert

import (
	"context"
	"strings"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/pace"
	"tidings/internal/store"
)

// circuits are the alerts of what takes no mail for a while. Where no mail
// waits for it, nobody tries, and it is no matter any more.
func (w *Watch) circuits(ctx context.Context, v *view) ([]store.Alert, error) {
	list, err := w.Service.Store.Circuits(ctx)
	if err != nil {
		return nil, err
	}
	wait := atLeast(w.Service.Clock, patience, 30*time.Second)
	var all []store.Alert
	for _, c := range list {
		v.open[c.Name] = true
		if w.ofRelay(c) {
			v.open[pace.RelayCircuit(w.Relay)] = true
		}
		if v.now.Sub(c.Since) < wait || v.now.Sub(c.Until) > wait {
			continue
		}
		if a := w.circuit(c); a.Subject != "" {
			a.Key, a.Kind, a.Since = c.Name, Circuit, c.Since
			all = append(all, a)
		}
	}
	return all, nil
}

// ofRelay reports whether a circuit is that of the relay, as one of the machines
// reaches it.
func (w *Watch) ofRelay(c store.Circuit) bool {
	own := pace.RelayCircuit(w.Relay)
	return c.Name == own || strings.HasPrefix(c.Name, own+", from ")
}

// circuit says what is wrong with what a circuit is of; nothing, if that is of
// no concern any more.
func (w *Watch) circuit(c store.Circuit) store.Alert {
	since := stamp(c.Since, w.Zone)
	if w.ofRelay(c) {
		return store.Alert{
			Passing: true, // whoever is told of it by mail knows that it is over
			Subject: "The mail server takes no mails",
			Text: text(
				"The mail server "+strings.TrimPrefix(c.Name, pace.RelayCircuit(""))+" has taken no mails since "+since+": "+c.Reason+".",
				"tidings tries it again every five minutes at most, and goes on by itself. Nobody is lost meanwhile; mails that cannot be sent before delivery.expires fail, and their posts are in the next digest. If you read this as a mail, the server takes mails again.",
				"If it still does not, look at its own log, and at mail.smtp in config.yaml. What waits for it:\n"+command("tidings editions list")),
		}
	}
	if name, ok := strings.CutPrefix(c.Name, "domain "); ok && pace.IsDomain(c.Name) {
		return store.Alert{
			Subject: name + " takes no mails from here",
			Text: text(
				"Mails to addresses at "+name+" have not been taken since "+since+": "+c.Reason+".",
				"tidings leaves the domain alone for growing pauses, half an hour at most, and tries one mail after each. Mails to others go on. What is not taken before delivery.expires fails, and its posts are in the next digest.",
				"If the reason speaks of too many mails, set a lower mail.rate.domains."+name+" in config.yaml. If it speaks of policy, reputation or authentication, see whether your mails are signed (docs/mail.md) and whether your server is on a block list."),
		}
	}
	return w.sender(c, since)
}

// sender is the alert of a newsletter whose sender the relay refuses.
func (w *Watch) sender(c store.Circuit, since string) store.Alert {
	names := []string{newsletter.HouseMail}
	for _, n := range w.Service.Newsletters {
		names = append(names, n.Name)
	}
	for _, name := range names {
		if c.Name != pace.NewsletterCircuit(name) {
			continue
		}
		of, key := "newsletter "+name, "newsletters."+name+".from"
		if name == newsletter.HouseMail {
			of, key = "these mails", newsletter.HouseMail
		}
		return store.Alert{
			Subject: "The mail server refuses the sender of " + of,
			Text: text(
				"The mail server "+w.Relay+" has refused the sender of "+of+" since "+since+": "+c.Reason+".",
				"tidings tries again every five minutes at most, and goes on by itself; other senders are not concerned. Mails that cannot be sent before delivery.expires fail, and their posts are in the next digest.",
				"Allow the address at the mail server, or set another one ("+key+" in config.yaml), and reload:\n"+command("tidings config show")),
		}
	}
	return store.Alert{}
}
