package newsletter_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEverybodyGetsItOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(450, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	for _, to := range people {
		if got := len(r.got(to)); got != 1 {
			t.Errorf("%s got %d mails", to, got)
		}
	}
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 450 || c.Eligible != 450 {
		t.Errorf("account %+v", c)
	}
	again := h.plan(weekly())
	if again.Edition.Status != store.EditionSkipped || !strings.Contains(again.Edition.Reason, "every reader already has") {
		t.Errorf("a second send: %s, %q", again.Edition.Status, again.Edition.Reason)
	}
}

func TestMailIsAddressedAndSigned(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	msg := string(r.got(to)[0])
	for _, want := range []string{
		"To: " + to + "\r\n", "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		"\r\nList-Id: ", "<weekly.news.example.org>", "https://news.example.org/unsubscribe/", "\r\nSubject: one\r\n",
	} {
		if !strings.Contains(msg, want) {
			t.Errorf("the mail lacks %q:\n%s", want, msg[:min(len(msg), 1500)])
		}
	}
}

func TestPermanentRefusalReleasesThePosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(3, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(func(to string, _ int) error {
		if to == people[1] {
			return refusal(relay.Permanent, 550)
		}
		return nil
	})
	h.run(h.sender(r), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 2 || c.Failed != 1 {
		t.Errorf("account %+v", c)
	}
	r.answer = nil
	h.publish("two", time.Now())
	next := h.plan(weekly())
	h.run(h.sender(r), h.finished(next.Edition.ID))
	for i, want := range []int{1, 2, 1} {
		titles := 0
		last := r.got(people[i])[len(r.got(people[i]))-1]
		for _, title := range []string{"About one", "About two"} {
			if bytes.Contains(last, []byte(title)) {
				titles++
			}
		}
		if titles != want {
			t.Errorf("%s got %d posts in the second edition, want %d", people[i], titles, want)
		}
	}
}

func TestTemporaryRefusalIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(func(_ string, try int) error {
		if try < 3 {
			return refusal(relay.Temporary, 451)
		}
		return nil
	})
	h.run(h.sender(r), h.finished(p.Edition.ID))
	if got := len(r.got(to)); got != 1 || r.tries[to] != 3 {
		t.Errorf("%d mails after %d tries, want 1 after 3", got, r.tries[to])
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.readers(1, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(func(string, int) error { return refusal(relay.Temporary, 451) })
	h.run(h.sender(r, func(c *newsletter.SenderConfig) { c.MaxAttempts = 2 }), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.Failed != 1 {
		t.Errorf("account %+v, want one failed", c)
	}
}

func TestInDoubtPolicies(t *testing.T) {
	t.Parallel()
	lost := &relay.Error{Phase: "dot", Kind: relay.InDoubt, Err: errors.New("connection reset")}
	for policy, want := range map[string]store.Counts{
		store.Hold: {Eligible: 1, InDoubt: 1},
		store.Skip: {Eligible: 1, InDoubt: 1},
	} {
		t.Run(policy, func(t *testing.T) {
			n := weekly()
			n.InDoubt = policy
			h := newHouse(t, n)
			h.readers(1, "")
			h.publish("one", time.Now())
			p := h.plan(n)
			h.run(h.sender(newFakeRelay(func(string, int) error { return lost })), h.finished(p.Edition.ID))
			if c := h.edition(p.Edition.ID).Counts; c != want {
				t.Errorf("account %+v, want %+v", c, want)
			}
			if again := h.plan(n); again.Edition.Status != store.EditionSkipped {
				t.Errorf("in doubt did not fill the ledger: %+v", again.Edition)
			}
		})
	}
}

func TestUnsubscribedBeforeTheirTurn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(2, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	who, err := h.Store.SubscriberByEmail(t.Context(), people[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Store.Unsubscribe(t.Context(), time.Now(), who.ID, "weekly"); err != nil {
		t.Fatal(err)
	}
	r := newFakeRelay(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	if len(r.got(people[0])) != 0 {
		t.Error("somebody who had left was mailed")
	}
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 1 || c.Suppressed != 1 {
		t.Errorf("account %+v", c)
	}
}

func TestRelayTroubleCountsAgainstNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.readers(5, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	r.setDown(errors.New("connection refused"))
	s := h.sender(r, func(c *newsletter.SenderConfig) { c.MaxAttempts = 1 })
	tried := false
	h.run(s, func() bool {
		c := h.edition(p.Edition.ID).Counts
		if c.Failed > 0 {
			t.Fatal("the relay's trouble failed a delivery")
		}
		h.Store.EachDelivery(context.Background(), p.Edition.ID, store.DeliveryPending, func(d store.Delivery) error {
			tried = tried || d.Reason != ""
			return nil
		})
		if tried {
			r.setDown(nil)
		}
		return c.Sent == 5
	})
}

func TestShutdownGivesBackWhatWasNotBegun(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.readers(50, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	r.begun = make(chan string)
	s := h.sender(r)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for range 10 {
		<-r.begun
	}
	stop()
	go func() {
		for range r.begun {
		}
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	close(r.begun)
	c := h.edition(p.Edition.ID).Counts
	if c.Sent != r.count() || c.Sent < 7 || c.Pending != 50-c.Sent {
		t.Errorf("account %+v, relay took %d", c, r.count())
	}
	claimed := 0
	h.Store.EachDelivery(t.Context(), p.Edition.ID, store.DeliveryClaimed, func(store.Delivery) error { claimed++; return nil })
	if claimed != 0 {
		t.Errorf("%d deliveries are still claimed", claimed)
	}
}

func TestTwoSendersShareTheWork(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(600, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	other, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.sender(r).Run(other) }()
	h.run(h.sender(r), h.finished(p.Edition.ID))
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, to := range people {
		if got := len(r.got(to)); got != 1 {
			t.Fatalf("%s got %d mails", to, got)
		}
	}
}

func TestResentMailIsTheSameMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(func(_ string, try int) error {
		if try == 1 {
			return &relay.Error{Phase: "dot", Kind: relay.InDoubt, Err: errors.New("gone")}
		}
		return nil
	})
	h.run(h.sender(r), h.finished(p.Edition.ID))
	got := r.got(to)
	if len(got) != 2 || !bytes.Equal(got[0], got[1]) {
		t.Fatalf("%d copies, equal: %v; want two equal ones", len(got), len(got) == 2 && bytes.Equal(got[0], got[1]))
	}
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 1 || c.ResentInDoubt != 1 {
		t.Errorf("account %+v", c)
	}
}

// TestACopyIsTheSameAfterAMove sends a mail once more after nearly everything
// was configured anew.
func TestACopyIsTheSameAfterAMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	lost := &relay.Error{Phase: relay.PhaseDot, Kind: relay.InDoubt, Err: errors.New("gone")}
	r := newFakeRelay(func(_ string, try int) error {
		if try == 1 {
			return lost
		}
		return nil
	})
	h.run(h.sender(r), func() bool { return len(r.got(to)) == 1 && h.deliveries(e.ID)[0].Resent })
	moved := weekly()
	moved.From, moved.Title, moved.PostalAddress, moved.ReplyTo = "Other <other@example.net>", "Other", "Street 1", "re@example.net"
	h.Newsletters, h.Site.Title, h.Site.Language = []newsletter.Newsletter{moved}, "Other Notes", "de"
	h.Site.BaseURL = &url.URL{Scheme: "http", Host: "elsewhere.example", Path: "/mail/"}
	h.run(h.sender(r), h.finished(e.ID))
	if got := r.got(to); len(got) != 2 || !bytes.Equal(got[0], got[1]) {
		t.Errorf("%d copies, which differ:\n%s\n\n%s", len(got), got[0], got[len(got)-1])
	}
}

func TestPausedEditionWaits(t *testing.T) {
	t.Parallel()
	n := weekly()
	n.Approve = true
	h := newHouse(t, n)
	h.readers(2, "")
	h.publish("one", time.Now())
	p, err := h.Plan(t.Context(), newsletter.Request{Newsletter: n, Cadence: store.CadenceSchedule, Slot: "2026-01-05T08:00"})
	if err != nil || p.Edition.Status != store.EditionPlanned {
		t.Fatalf("edition %+v, %v, want one that waits", p.Edition, err)
	}
	r := newFakeRelay(nil)
	ready := h.sender(r)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ready.Run(ctx) }()
	for range 3 {
		ready.Wake()
		time.Sleep(5 * time.Millisecond)
	}
	if r.count() != 0 {
		t.Error("an edition that waits for approval was sent")
	}
	if err := h.Store.ResumeEdition(t.Context(), time.Now(), p.Edition.ID); err != nil {
		t.Fatal(err)
	}
	ready.Wake()
	for r.count() < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
