package newsletter_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// What a fault means for the one it befalls.
type meaning int

const (
	none      meaning = iota // it is awaited, or nobody's: sent at the first attempt that counts
	refused                  // failed
	deferred                 // counted, and tried again
	postponed                // the relay's own trouble: tried again, and not counted
	doubted                  // the edition's policy decides
	uncertain                // any but refused: how far the client came, and what it could still read, is the system's affair
)

// A fault befalls the first attempt at one reader.
type fault struct {
	name  string
	rule  relaytest.Rule
	means meaning
}

// answers are faults of an answer at RCPT or DATA.
var answers = []fault{
	{"4xx", relaytest.Rule{Reply: "450 4.2.1 busy"}, deferred},
	{"4xx in lines", relaytest.Rule{Reply: "451 4.3.0 one\n451 4.3.0 two"}, postponed},
	{"5xx", relaytest.Rule{Reply: "550 5.1.1 unknown"}, refused},
	{"5xx and close", relaytest.Rule{Reply: "550 5.1.1 unknown", Close: true}, refused},
	{"421", relaytest.Rule{Reply: "421 4.3.2 closing", Close: true}, none},
	{"close", relaytest.Rule{Close: true}, none},
	{"reset", relaytest.Rule{RST: true}, none},
	{"hang", relaytest.Rule{Hang: true}, none},
	{"half", relaytest.Rule{Raw: "25", Close: true}, none},
	{"endless", relaytest.Rule{Reply: "250 ", Fill: 10 << 20, Close: true}, none},
	{"late", relaytest.Rule{Delay: 50 * time.Millisecond}, none},
	{"slow", relaytest.Rule{Drip: time.Millisecond}, none},
}

// bodies are faults while a message is read.
var bodies = []fault{
	{"421", relaytest.Rule{After: 1000, Reply: "421 4.3.2 closing", Close: true}, uncertain},
	{"close", relaytest.Rule{After: 1000, Close: true}, uncertain},
	{"reset", relaytest.Rule{After: 1000, RST: true}, uncertain},
	{"hang", relaytest.Rule{After: 1000, Hang: true}, uncertain},
	{"slow", relaytest.Rule{After: 1000, Drip: time.Millisecond}, none},
}

// dots are faults of the answer to the whole message.
var dots = []fault{
	{"4xx", relaytest.Rule{Reply: "451 4.7.1 greylisted"}, deferred},
	{"4xx in lines", relaytest.Rule{Reply: "451 4.3.0 one\n451 4.3.0 two"}, postponed},
	{"4xx, but kept", relaytest.Rule{Reply: "451 4.3.0 later", Keep: true}, postponed},
	{"5xx", relaytest.Rule{Reply: "554 5.6.0 bad content"}, refused},
	{"5xx, but kept", relaytest.Rule{Reply: "554 5.6.0 bad content", Keep: true}, refused},
	{"421", relaytest.Rule{Reply: "421 4.3.2 closing", Close: true}, postponed},
	{"close", relaytest.Rule{Close: true}, doubted},
	{"reset", relaytest.Rule{RST: true}, doubted},
	{"kept and close", relaytest.Rule{Keep: true, Close: true}, doubted},
	{"kept and reset", relaytest.Rule{Keep: true, RST: true}, doubted},
	{"kept and hang", relaytest.Rule{Keep: true, Hang: true}, doubted},
	{"kept and half", relaytest.Rule{Keep: true, Raw: "25", Close: true}, doubted},
	{"kept and nonsense", relaytest.Rule{Keep: true, Raw: "hello\r\n", Close: true}, doubted},
	{"kept and endless", relaytest.Rule{Keep: true, Reply: "250 ", Fill: 10 << 20, Close: true}, doubted},
	{"kept and two minds", relaytest.Rule{Keep: true, Reply: "250 taken\n550 not taken", Close: true}, doubted},
	{"kept and more wanted", relaytest.Rule{Keep: true, Reply: "354 go on", Close: true}, doubted},
	{"late", relaytest.Rule{Delay: 50 * time.Millisecond}, none},
	{"slow", relaytest.Rule{Drip: time.Millisecond}, none},
}

// befall gives the faults of each point with the readers they befall, of one
// newsletter. Each has a domain of their own.
func befall(newsletterName string) map[string]fault {
	byReader := map[string]fault{}
	for point, faults := range map[string][]fault{relaytest.Rcpt: answers, relaytest.Data: answers, relaytest.Body: bodies, relaytest.Dot: dots} {
		for _, f := range faults {
			if f.means != doubted && f.means != uncertain && newsletterName != store.Resend {
				continue // it means the same whatever the policy is
			}
			f.rule.At, f.rule.Times = point, 1
			f.rule.Recipient = fmt.Sprintf("%s@%s.%s.example", newsletterName, strings.NewReplacer(" ", "-", ",", "").Replace(f.name), strings.ToLower(point))
			byReader[f.rule.Recipient] = f
		}
	}
	return byReader
}

// ahead reports whether a fault went by unseen: its answer was to commands
// sent ahead of a message that was then put off, as mails are that were to
// follow on a connection which is given up, or while the relay seems out.
func (f fault) ahead(d store.Delivery, lockstep bool) bool {
	return !lockstep && (f.rule.At == relaytest.Rcpt || f.rule.At == relaytest.Data) && d.State == store.DeliverySent && d.Attempts == 1
}

// want is what a fault leaves behind in the end under a policy.
func (f fault) want(d store.Delivery, policy string, copies int) (state string, attempts int, resent bool, taken int) {
	kept := 0
	if f.rule.Keep {
		kept = 1
	}
	means := f.means
	switch {
	case means == uncertain && (d.Resent || d.State == store.DeliveryInDoubt):
		means = doubted
	case means == uncertain && d.Attempts > 1:
		means = deferred
	}
	switch {
	case means == refused:
		return store.DeliveryFailed, 1, false, kept
	case means == deferred:
		return store.DeliverySent, 2, false, 1 + kept
	case means == postponed:
		return store.DeliverySent, 1, false, 1 + kept
	case means == doubted && policy == store.Resend:
		return store.DeliverySent, 2, true, 1 + kept
	case means == doubted:
		return store.DeliveryInDoubt, 1, false, kept
	}
	return store.DeliverySent, 1, false, 1
}

// swift lets hours of waiting pass in a second.
func (h *house) swift() { h.Clock, h.Expires = clock.Rehearse(time.Now(), 10_000), 10_000*time.Hour }

// smtp gives a relay for a test server, which waits long enough for any answer
// that comes at all.
func smtp(t *testing.T, s *relaytest.Server, change func(*relay.SMTPConfig)) relay.Relay {
	t.Helper()
	const patience = 2 * time.Second
	c := relay.SMTPConfig{Host: "127.0.0.1", Port: s.Port(), TLS: relay.NoTLS,
		Timeouts: relay.Timeouts{Command: patience, Data: patience, Block: patience, Dot: patience, Quit: patience}}
	if change != nil {
		change(&c)
	}
	r, err := relay.NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hurry runs a sender until the editions are finished; it wakes it all the
// time, because the retries of a swift house do not wait for it to look.
func (h *house) hurry(r relay.Relay, ids ...int64) {
	h.t.Helper()
	s := h.sender(r, func(c *newsletter.SenderConfig) { c.Connections = 30 })
	h.run(s, func() bool {
		s.Wake()
		return !slices.ContainsFunc(ids, func(id int64) bool { return h.edition(id).Status != store.EditionFinished })
	})
}

// subscribe makes readers of one newsletter.
func (h *house) subscribe(newsletterName string, emails ...string) {
	h.t.Helper()
	csv := strings.NewReader("email\n" + strings.Join(emails, "\n"))
	if _, err := h.ImportCSV(context.Background(), csv, newsletter.Import{Newsletter: newsletterName, Confirmed: true}); err != nil {
		h.t.Fatal(err)
	}
}

// TestEveryFaultOfTheRelay lets each fault befall one reader of each policy, and
// expects of it what it means and of everybody that they have their mail.
func TestEveryFaultOfTheRelay(t *testing.T) {
	for _, lockstep := range []bool{false, true} {
		t.Run(fmt.Sprintf("lockstep=%t", lockstep), func(t *testing.T) {
			t.Parallel()
			var letters []newsletter.Newsletter
			for _, policy := range []string{store.Resend, store.Hold, store.Skip} {
				n := weekly()
				n.Name, n.InDoubt = policy, policy
				letters = append(letters, n)
			}
			h := newHouse(t, letters...)
			h.swift()
			h.publish("one", time.Now())
			faults, ids := map[string]map[string]fault{}, []int64(nil)
			var rules []relaytest.Rule
			for _, n := range letters {
				faults[n.Name] = befall(n.Name)
				for email, f := range faults[n.Name] {
					h.subscribe(n.Name, email)
					rules = append(rules, f.rule)
				}
				ids = append(ids, h.plan(n).Edition.ID)
			}
			s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: rules})
			h.hurry(smtp(t, s, nil), ids...)
			for i, n := range letters {
				h.checkFaults(ids[i], n.InDoubt, faults[n.Name], s, lockstep)
			}
		})
	}
}

// checkFaults holds what became of an edition's readers against what the
// faults that befell them mean.
func (h *house) checkFaults(id int64, policy string, faults map[string]fault, s *relaytest.Server, lockstep bool) {
	h.t.Helper()
	taken, resent, unseen := copies(h.t, s), 0, 0
	err := h.Store.EachDelivery(context.Background(), id, "", func(d store.Delivery) error {
		f := faults[d.Email]
		if f.means != none && f.ahead(d, lockstep) {
			f.means = none
			unseen++
		}
		state, attempts, again, mails := f.want(d, policy, taken[d.Email])
		if d.State != state || d.Attempts != attempts || d.Resent != again || taken[d.Email] != mails {
			h.t.Errorf("%s, %s: %s after %d attempts, resent %t, taken %d times (%s)\nwant %s after %d, %t, %d", f.rule.At, f.name,
				d.State, d.Attempts, d.Resent, taken[d.Email], d.Reason, state, attempts, again, mails)
		}
		if d.Resent {
			resent++
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if unseen > 5 {
		h.t.Errorf("policy %s: %d refusals went by unseen", policy, unseen)
	}
	c := h.edition(id).Counts
	if c.Eligible != len(faults) || c.Pending != 0 || c.ResentInDoubt != resent {
		h.t.Errorf("policy %s: %+v of %d readers, %d resent", policy, c, len(faults), resent)
	}
}

// copies counts what the server took, by reader. All of one reader's must be
// the same.
func copies(t testing.TB, s *relaytest.Server) map[string]int {
	t.Helper()
	taken, first := map[string]int{}, map[string]string{}
	for _, m := range s.Messages() {
		to := m.To[0]
		if taken[to]++; taken[to] == 1 {
			first[to] = string(m.Data)
		} else if first[to] != string(m.Data) {
			t.Errorf("%s got two mails that differ", to)
		}
	}
	return taken
}

// TestTroubleOfTheRelayIsNobodys lets every fault befall the way up to the
// recipient, again and again: all get their mail, and no attempt is counted.
func TestTroubleOfTheRelayIsNobodys(t *testing.T) {
	cert, err := relaytest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{relaytest.Connect, relaytest.EHLO, relaytest.StartTLS, relaytest.Handshake, relaytest.Auth, relaytest.Mail} {
		var rules []relaytest.Rule
		if at == relaytest.EHLO {
			rules = append(rules, relaytest.Rule{At: at, Reply: "250 relaytest\n250 AUTH PLAIN", Times: 1}) // STARTTLS is stripped
		}
		for _, f := range answers {
			if f.rule.Hang && at != relaytest.Connect && at != relaytest.Mail {
				continue // each takes as long as the patience
			}
			f.rule.At, f.rule.Times = at, 1
			rules = append(rules, f.rule)
		}
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			endure(t, cert, rules)
		})
	}
}

// endure sends to 40 people through a relay that has trouble before it comes
// to any of them.
func endure(t *testing.T, cert relaytest.Certificate, rules []relaytest.Rule) {
	s := relaytest.Start(t, relaytest.Options{TLS: cert.Server, Users: map[string]string{"ann": "secret"}, Rules: rules})
	h := newHouse(t, weekly())
	h.swift()
	var people []string // of different domains: none is slowed down for the others
	for i := range 40 {
		people = append(people, fmt.Sprintf("ann@d%d.example", i))
	}
	h.subscribe("weekly", people...)
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	h.hurry(smtp(t, s, func(c *relay.SMTPConfig) {
		c.TLS, c.TLSConfig, c.Username, c.Password = relay.StartTLS, cert.Client, "ann", "secret"
	}), e.ID)
	taken := copies(t, s)
	for _, to := range people {
		if taken[to] != 1 {
			t.Errorf("%s got %d mails", to, taken[to])
		}
	}
	err := h.Store.EachDelivery(t.Context(), e.ID, "", func(d store.Delivery) error {
		if d.State != store.DeliverySent || d.Attempts != 1 || d.Resent {
			t.Errorf("%s: %s after %d attempts, resent %t", d.Email, d.State, d.Attempts, d.Resent)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := h.edition(e.ID).Counts; c != (store.Counts{Eligible: 40, Sent: 40}) {
		t.Errorf("account %+v", c)
	}
}
