package newsletter_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"tidings/internal/journal"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// leased makes a sender of another machine: it sees no journals but its own.
func leased(h *house, machine string, length time.Duration) func(*newsletter.SenderConfig) {
	return func(c *newsletter.SenderConfig) {
		c.JournalDir, c.Lease = filepath.Join(h.dir, machine), length
	}
}

// TestClaimsOfAnotherMachine are nobody else's until their lease is over. Then
// all of them are in doubt, until whoever held them tells.
func TestClaimsOfAnotherMachine(t *testing.T) {
	t.Parallel()
	n := weekly()
	n.InDoubt = store.Hold
	h := newHouse(t, n)
	h.readers(30, "")
	h.publish("one", time.Now())
	e := h.plan(n).Edition
	ctx := t.Context()
	if err := h.Store.KeepLease(ctx, "elsewhere", time.Hour, true); err != nil {
		t.Fatal(err)
	}
	jobs, err := h.Store.Claim(ctx, h.Clock.Now(), "elsewhere", 10)
	if err != nil || len(jobs) != 10 {
		t.Fatalf("%d claims, %v", len(jobs), err)
	}
	r := newFakeRelay(nil)
	rest := func() bool { return h.edition(e.ID).Counts.Sent == 20 }
	h.run(h.sender(r, leased(h, "here", time.Minute)), rest)
	if c := h.edition(e.ID).Counts; c.Pending != 10 {
		t.Fatalf("while the lease lasts: %+v", c)
	}
	if err := h.Store.KeepLease(ctx, "elsewhere", -time.Second, false); err != nil {
		t.Fatal(err)
	}
	h.run(h.sender(r, leased(h, "here", time.Minute)), h.finished(e.ID))
	if c := h.edition(e.ID).Counts; c.Sent != 20 || c.InDoubt != 10 {
		t.Fatalf("once it is over: %+v", c)
	}
	// It had sent four of them, and begun no others.
	var told []store.Result
	for i, j := range jobs {
		result := store.Result{DeliveryRef: j.DeliveryRef, State: store.DeliveryPending}
		if i < 4 {
			result.State, result.Counted = store.DeliverySent, true
		}
		told = append(told, result)
	}
	if err := h.Store.Record(ctx, h.Clock.Now(), "elsewhere", told); err != nil {
		t.Fatal(err)
	}
	h.run(h.sender(r, leased(h, "here", time.Minute)), h.finished(e.ID))
	if c := h.edition(e.ID).Counts; c.Sent != 30 || c.ResentInDoubt != 0 || r.count() != 26 {
		t.Errorf("in the end: %+v, %d mails", c, r.count())
	}
}

// TestFencedSender has others take over from a sender that waits for the relay.
// It tells what became of the mails that are on the wire, begins no other under
// its former name, and goes on under a new one.
func TestFencedSender(t *testing.T) {
	t.Parallel()
	n := weekly()
	n.InDoubt = store.Hold
	h := newHouse(t, n)
	people := h.readers(40, "")
	h.publish("one", time.Now())
	e := h.plan(n).Edition
	r := newFakeRelay(nil)
	r.begun = make(chan string)
	s := h.sender(r, leased(h, "here", 500*time.Millisecond))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.run(s, func() bool { return h.edition(e.ID).Counts.Sent == 40 })
	}()
	<-r.begun // one is at its end, others are underway
	holders, err := h.Store.Holders(t.Context())
	if err != nil || len(holders) != 1 {
		t.Fatalf("holders %q, %v", holders, err)
	}
	former := holders[0]
	for fenced := false; !fenced; { // it renews its lease meanwhile
		if err := h.Store.KeepLease(t.Context(), former, -time.Second, false); err != nil {
			t.Fatal(err)
		}
		if fenced, err = h.Store.Fence(t.Context(), former, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	claims, err := h.Store.Claimed(t.Context(), former)
	if err != nil {
		t.Fatal(err)
	}
	var doubts []store.Result
	for _, c := range claims {
		doubts = append(doubts, store.Result{DeliveryRef: c.DeliveryRef, State: store.DeliveryInDoubt, Counted: true})
	}
	if err := h.Store.Inherit(t.Context(), h.Clock.Now(), former, doubts); err != nil {
		t.Fatal(err)
	}
	go func() {
		for range r.begun {
		}
	}()
	<-ended
	close(r.begun)
	for _, to := range people {
		if got := len(r.got(to)); got != 1 {
			t.Errorf("%s got %d mails", to, got)
		}
	}
	if c := h.edition(e.ID).Counts; c.Sent != 40 || c.ResentInDoubt != 0 {
		t.Errorf("account %+v", c)
	}
}

// TestRestartTellsWhatItKnew: a machine comes back after others took over from
// it, and finds its journal.
func TestRestartTellsWhatItKnew(t *testing.T) {
	t.Parallel()
	n := weekly()
	n.InDoubt = store.Hold
	h := newHouse(t, n)
	people := h.readers(12, "")
	h.publish("one", time.Now())
	e := h.plan(n).Edition
	dead := h.deadSender("there", 12, 5) // claims, and how many of them were answered
	if err := h.Store.KeepLease(t.Context(), dead, -time.Second, true); err != nil {
		t.Fatal(err)
	}
	r := newFakeRelay(nil)
	h.run(h.sender(r, leased(h, "here", time.Minute)), h.finished(e.ID))
	if c := h.edition(e.ID).Counts; c.InDoubt != 12 {
		t.Fatalf("after it was taken over: %+v", c)
	}
	sent := func() bool { return h.edition(e.ID).Counts.Sent == 12 }
	h.run(h.sender(r, leased(h, "there", time.Minute)), sent)
	if c := h.edition(e.ID).Counts; c.Sent != 12 || c.ResentInDoubt != 0 || r.count() != 7 {
		t.Errorf("in the end: %+v, %d mails", c, r.count())
	}
	for _, to := range people {
		if len(r.got(to)) > 1 {
			t.Errorf("%s got %d mails", to, len(r.got(to)))
		}
	}
}

// deadSender leaves claims, and a journal that tells which of them were answered.
func (h *house) deadSender(machine string, claims, answered int) (holder string) {
	h.t.Helper()
	j, err := journal.Create(filepath.Join(h.dir, machine))
	if err != nil {
		h.t.Fatal(err)
	}
	jobs, err := h.Store.Claim(h.t.Context(), h.Clock.Now(), j.Holder(), claims)
	if err != nil || len(jobs) != claims {
		h.t.Fatalf("%d claims, %v", len(jobs), err)
	}
	for _, job := range jobs[:answered] {
		k := journal.Key{Edition: job.EditionID, Seq: job.Seq, Attempt: job.ClaimedAt.UnixMilli()}
		if err := errors.Join(j.Dot(k), j.Answer(k, 250)); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := j.Abandon(); err != nil {
		h.t.Fatal(err)
	}
	return j.Holder()
}
