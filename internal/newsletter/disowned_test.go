package newsletter_test

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// TestRefusedForWhoWeAre lets the relay refuse every recipient for reasons that
// are none of theirs. Nearly all wait until that is mended; nobody is
// suppressed.
func TestRefusedForWhoWeAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule relaytest.Rule
		most int // who may lose this edition before it is known
	}{
		{relaytest.Rule{At: relaytest.Rcpt, Reply: "554 5.7.1 <x>: Relay access denied"}, 0},
		{relaytest.Rule{At: relaytest.Rcpt, Reply: "530 5.7.0 Authentication required"}, 0},
		{relaytest.Rule{At: relaytest.Rcpt, Reply: "550 5.1.8 Sender address rejected: Domain not found"}, 0},
		{relaytest.Rule{At: relaytest.Rcpt, Reply: "554 5.7.1 <relay.example[192.0.2.1]>: Client host rejected: Access denied"}, 10},
		{relaytest.Rule{At: relaytest.Dot, Reply: "550 5.7.1 Daily sending quota exceeded"}, 10},
	} {
		t.Run(c.rule.Reply, func(t *testing.T) {
			t.Parallel()
			refusedForWhoWeAre(t, c.rule, c.most)
		})
	}
}

func refusedForWhoWeAre(t *testing.T, rule relaytest.Rule, most int) {
	h := newHouse(t, weekly())
	h.swift()
	var people []string
	for i := range 40 {
		people = append(people, fmt.Sprintf("ann@d%d.example", i))
	}
	h.subscribe("weekly", people...)
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	s, r := server(t, rule)
	h.run(h.sender(r, func(c *newsletter.SenderConfig) { c.Connections = 4 }), func() bool {
		circuits, err := h.Store.Circuits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range circuits {
			if c.Streak >= 2 && len(c.Name) > 5 && c.Name[:5] == "relay" {
				return true
			}
		}
		return false
	})
	if c := h.edition(e.ID).Counts; c.Failed > most || c.Sent+c.Suppressed > 0 {
		t.Errorf("while it refuses: %+v", c)
	}
	s.Script()
	h.hurry(r, e.ID)
	if c := h.edition(e.ID).Counts; c.Failed > most || c.Sent+c.Failed != len(people) {
		t.Errorf("in the end: %+v", c)
	}
	err := h.Store.EachSuppression(t.Context(), func(x store.Suppression) error {
		t.Errorf("suppressed: %+v", x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
