package newsletter_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// TestWhatIsNotTheReadersFault refuses a reader three times for reasons that
// are the relay's: with max_attempts too, they get their mail, and nothing is
// counted against them.
func TestWhatIsNotTheReadersFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phase string
		kind  relay.Kind
		reply relay.Reply
	}{
		{relay.PhaseRcpt, relay.Permanent, relay.Reply{Code: 503, Enhanced: "5.5.1", Text: "MAIL first"}},
		{relay.PhaseRcpt, relay.Permanent, relay.Reply{Code: 554, Enhanced: "5.5.1", Text: "Error: no valid commands"}},
		{relay.PhaseRcpt, relay.Permanent, relay.Reply{Code: 500, Text: "command not recognized"}},
		{relay.PhaseRcpt, relay.Permanent, relay.Reply{Code: 501, Text: "syntax"}},
		{relay.PhaseData, relay.Permanent, relay.Reply{Code: 503, Text: "bad sequence of commands"}},
		{relay.PhaseDot, relay.Temporary, relay.Reply{Code: 451, Enhanced: "4.3.0", Text: "queue file write error"}},
		{relay.PhaseRcpt, relay.Temporary, relay.Reply{Code: 452, Enhanced: "4.3.1", Text: "insufficient system storage"}},
		{relay.PhaseRcpt, relay.Temporary, relay.Reply{Code: 452, Enhanced: "4.5.3", Text: "too many recipients"}},
		{relay.PhaseRcpt, relay.Unavailable, relay.Reply{}},
	} {
		t.Run(c.phase+" "+c.reply.String(), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, weekly())
			h.swift()
			h.readers(1, "")
			h.publish("one", time.Now())
			e := h.plan(weekly()).Edition
			r := newFakeRelay(func(_ string, try int) error {
				if try <= 3 {
					return &relay.Error{Phase: c.phase, Kind: c.kind, Reply: c.reply, Err: errors.New("in test")}
				}
				return nil
			})
			h.run(h.sender(r, func(c *newsletter.SenderConfig) { c.MaxAttempts = 1 }), h.finished(e.ID))
			d := h.deliveries(e.ID)[0]
			if d.State != store.DeliverySent || d.Attempts != 1 {
				t.Errorf("%s after %d attempts that count", d.State, d.Attempts)
			}
			if sum, err := h.Store.EditionBounces(t.Context(), e.ID); err != nil || len(sum.Domains) != 0 {
				t.Errorf("bounces %+v, %v", sum, err)
			}
		})
	}
}

// deliveries gives an edition's.
func (h *house) deliveries(id int64) (all []store.Delivery) {
	h.t.Helper()
	err := h.Store.EachDelivery(h.t.Context(), id, "", func(d store.Delivery) error {
		all = append(all, d)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// TestAMailThatBreaksItsConnection is tried again later each time, and neither
// its domain nor the relay is left alone for it.
func TestAMailThatBreaksItsConnection(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.at("poisoned.example", 3)
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	var tries []time.Time
	r := newFakeRelay(nil)
	r.answer = func(to string, _ int) error {
		if to != "r1@poisoned.example" {
			return nil
		}
		tries = append(tries, h.Clock.Now())
		return &relay.Error{Phase: relay.PhaseBody, Kind: relay.Unavailable, Err: errors.New("connection reset")}
	}
	tried := func(n int) func() bool {
		return func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(tries) >= n
		}
	}
	h.run(h.sender(r, func(c *newsletter.SenderConfig) { c.RetryBase = 500 * time.Millisecond }), tried(6))
	for i := 3; i < len(tries); i++ {
		if before, after := tries[i-1].Sub(tries[i-2]), tries[i].Sub(tries[i-1]); after < 2*before-3*time.Second {
			t.Errorf("waits do not grow: %v, then %v", before, after)
		}
	}
	cs, err := h.Store.Circuits(t.Context())
	if err != nil || len(cs) != 0 {
		t.Errorf("left alone: %+v, %v", cs, err)
	}
	if c := h.edition(e.ID).Counts; c.Sent != 2 || c.Pending != 1 {
		t.Errorf("account %+v", c)
	}
}

// TestCopiesAreBounded loses every answer: three messages, then the mail is in
// doubt, and a maintainer who wants more gets as many again.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.swift()
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	r := newFakeRelay(func(string, int) error {
		return &relay.Error{Phase: relay.PhaseDot, Kind: relay.InDoubt, Err: errors.New("gone")}
	})
	for _, want := range []int{3, 6} {
		h.run(h.sender(r), h.finished(e.ID))
		if c := h.edition(e.ID).Counts; c != (store.Counts{Eligible: 1, InDoubt: 1, ResentInDoubt: 1}) || len(r.got(to)) != want {
			t.Errorf("account %+v, %d copies, want %d", c, len(r.got(to)), want)
		}
		now := h.Clock.Now()
		if _, err := h.Store.RetryEdition(t.Context(), now, e.ID, now.Add(h.Expires)); err != nil {
			t.Fatal(fmt.Errorf("retry: %w", err))
		}
	}
}
