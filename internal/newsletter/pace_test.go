package newsletter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// at subscribes n people with addresses of a domain.
func (h *house) at(domain string, n int) {
	h.t.Helper()
	var csv strings.Builder
	csv.WriteString("email\n")
	for i := range n {
		fmt.Fprintf(&csv, "r%d@%s\n", i, domain)
	}
	if _, err := h.ImportCSV(context.Background(), strings.NewReader(csv.String()), newsletter.Import{Confirmed: true}); err != nil {
		h.t.Fatal(err)
	}
}

// gate gives a Gate for what a Sender's test needs.
func (h *house) gate(c pace.Config) *pace.Gate { return pace.New(c, h.Store, h.Clock, h.Log) }

// server starts an SMTP server and gives the way to it.
func server(t *testing.T, rules ...relaytest.Rule) (*relaytest.Server, relay.Relay) {
	t.Helper()
	s := relaytest.Start(t, relaytest.Options{Rules: rules})
	r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: s.Port(), TLS: relay.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func TestARelayThatIsDownIsOnRecord(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.readers(1200, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	r.setDown(errors.New("connection refused"))
	var c []store.Circuit
	h.run(h.sender(r), func() bool {
		var err error
		if c, err = h.Store.Circuits(context.Background()); err != nil {
			t.Fatal(err)
		}
		return len(c) == 1 && c[0].Streak >= 4
	})
	if !strings.Contains(c[0].Reason, "connection refused") {
		t.Errorf("on record: %+v", c[0])
	}
	waiting := 0
	h.Store.EachDelivery(t.Context(), p.Edition.ID, store.DeliveryPending, func(d store.Delivery) error {
		if d.Attempts > 0 {
			t.Errorf("an attempt is counted: %+v", d)
		}
		if d.NextAt.After(p.Edition.CreatedAt) {
			waiting++
		}
		return nil
	})
	// What is claimed before the relay is known to be down, then one mail each time.
	if waiting > 810 {
		t.Errorf("%d of 1200 deliveries were taken up in vain", waiting)
	}
	r.setDown(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	if c, err := h.Store.Circuits(t.Context()); err != nil || len(c) != 0 {
		t.Errorf("on record after all is well: %+v, %v", c, err)
	}
}

func TestASlowDomainHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.at("slow.example", 300)
	h.at("fast.example", 300)
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	limit := pace.Config{Connections: 3, Domains: map[string]pace.Limit{"slow.example": {PerSecond: 5}}}
	sent := func(domain string) (n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for to := range r.taken {
			if strings.HasSuffix(to, domain) {
				n++
			}
		}
		return n
	}
	s := h.sender(r, func(c *newsletter.SenderConfig) { c.Pace = h.gate(limit) })
	h.run(s, func() bool { return sent("fast.example") == 300 })
	if n := sent("slow.example"); n > 150 {
		t.Errorf("%d mails went to the limited domain meanwhile", n)
	}
	// Without the limit, the rest goes when it is due.
	if c := h.edition(p.Edition.ID).Counts; c.Failed != 0 || c.Sent+c.Pending != 600 {
		t.Errorf("account %+v", c)
	}
}

// TestADomainGetsAllItsTurns sends to a domain that takes three a second: as
// soon as a mail is due, somebody looks for it.
func TestADomainGetsAllItsTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, weekly())
		h.Clock = clock.Clock{}
		h.at("slow.example", 60)
		h.at("fast.example", 300)
		h.publish("one", time.Now())
		e := h.plan(weekly()).Edition
		limit := pace.Config{Connections: 3, Domains: map[string]pace.Limit{"slow.example": {PerSecond: 3}}}
		begun := time.Now()
		h.run(h.sender(newFakeRelay(nil), func(c *newsletter.SenderConfig) { c.Pace = h.gate(limit) }), h.finished(e.ID))
		if took := time.Since(begun); took > 22*time.Second {
			t.Errorf("60 mails at three a second took %v", took)
		}
	})
}

func TestARelayThatEndsConnectionsEarly(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]relaytest.Rule{
		"with notice":    {At: relaytest.Mail, Skip: 3, Reply: "421 4.4.2 too long", Close: true},
		"without notice": {At: relaytest.Mail, Skip: 3, Close: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, weekly())
			h.readers(20, "")
			h.publish("one", time.Now())
			p := h.plan(weekly())
			var rules []relaytest.Rule
			for i := range 5 { // every fourth mail
				rule.Skip, rule.Times = 3+3*i, 1
				rules = append(rules, rule)
			}
			srv, r := server(t, rules...)
			s := h.sender(r, func(c *newsletter.SenderConfig) { c.Connections = 1 })
			h.run(s, h.finished(p.Edition.ID))
			if got := len(srv.Messages()); got != 20 {
				t.Errorf("the relay took %d mails", got)
			}
			h.Store.EachDelivery(t.Context(), p.Edition.ID, store.DeliverySent, func(d store.Delivery) error {
				if d.Attempts != 1 {
					t.Errorf("delivery %d was attempted %d times", d.Seq, d.Attempts)
				}
				return nil
			})
		})
	}
}

func TestMailsOverOneConnection(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.readers(20, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	srv, r := server(t)
	s := h.sender(r, func(c *newsletter.SenderConfig) { c.Connections, c.MaxMessages = 1, 6 })
	h.run(s, h.finished(p.Edition.ID))
	over := map[int]int{}
	for _, m := range srv.Messages() {
		over[m.Conn]++
	}
	if len(over) != 4 || over[1] != 6 {
		t.Errorf("mails by connection: %v, want 6 each", over)
	}
}

// TestADomainThatWantsLess is refused for its sender's repute: a few mails
// find that out, the others wait, and other domains go on.
func TestADomainThatWantsLess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.at("touchy.example", 100)
	h.at("other.example", 100)
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	r.answer = func(to string, _ int) error {
		if strings.HasSuffix(to, "touchy.example") {
			return &relay.Error{Phase: relay.PhaseRcpt, Kind: relay.Permanent, Reply: relay.Reply{Code: 550, Enhanced: "5.7.1", Text: "blocked"}}
		}
		return nil
	}
	var cs []store.Circuit
	h.run(h.sender(r), func() bool {
		var err error
		if cs, err = h.Store.Circuits(context.Background()); err != nil {
			t.Fatal(err)
		}
		return len(cs) > 0 && h.edition(p.Edition.ID).Counts.Sent == 100
	})
	if c := h.edition(p.Edition.ID).Counts; c.Failed > 10 || c.Pending < 90 {
		t.Errorf("account %+v", c)
	}
	if len(cs) != 1 || cs[0].Name != "domain touchy.example" {
		t.Errorf("circuits %+v", cs)
	}
}

func TestConfirmationsWaitForTheRelayToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	g := h.gate(pace.Config{})
	down := newFakeRelay(nil)
	down.setDown(errors.New("connection refused"))
	for i := range 5 {
		if err := h.SignUp(t.Context(), newsletter.SignUp{Email: fmt.Sprintf("r%d@example.org", i)}); err != nil {
			t.Fatal(err)
		}
	}
	m := newsletter.NewMessenger(h.Service, down, nil, g, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for len(g.Open()) == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.letters(newFakeRelay(nil), 5)
}
