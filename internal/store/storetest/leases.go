package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

// Leases that end at once, and that do not.
const (
	over  = -time.Second
	going = time.Hour
)

func testLeases(t *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	e := f.plan("weekly", f.posts(1)...)
	f.check(f.KeepLease(f.ctx, "x", going, true))
	f.equal("claimed", len(f.claim("x", 9)), 1)
	f.fence("while it lasts", "x", false)
	f.check(f.KeepLease(f.ctx, "x", over, false))
	f.fence("once it is over", "x", true)
	f.fence("by others too", "x", true)
	if err := f.KeepLease(f.ctx, "x", going, false); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a fenced holder renews its lease: %v", err)
	}
	if err := f.KeepLease(f.ctx, "never begun", going, false); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a lease that nobody began is renewed: %v", err)
	}
	if _, err := f.Claim(f.ctx, f.now, "x", 9); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a fenced holder claims: %v", err)
	}
	f.fence("one without a lease has one from then on", "stranger", false)
	f.check(f.KeepLease(f.ctx, "y", going, true))
	f.check(f.EndLease(f.ctx, "y"))
	if err := f.KeepLease(f.ctx, "y", going, false); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a lease that ended is renewed: %v", err)
	}
	// Until somebody has seen to it, it may still say what became of its claims.
	f.record("x", store.Result{State: store.DeliverySent}, f.claimed("x")...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 1, Sent: 1})
}

func (f *fixture) fence(when, holder string, want bool) {
	f.t.Helper()
	got, err := f.Fence(f.ctx, holder, going)
	f.check(err)
	f.equal("fenced "+when, got, want)
}

// inherit takes over from a holder; doubt is what the heir says of its claims.
func (f *fixture) inherit(holder string, doubt store.Result) []store.Job {
	f.t.Helper()
	f.fence("", holder, true)
	jobs := f.claimed(holder)
	var rs []store.Result
	for _, j := range jobs {
		r := doubt
		r.DeliveryRef = j.DeliveryRef
		rs = append(rs, r)
	}
	f.check(f.Inherit(f.ctx, f.now, holder, rs))
	f.equal("held after it was taken over", len(f.claimed(holder)), 0)
	return jobs
}

// testLateTruth has a holder come back from whom everything was taken over, to
// be sent again.
func testLateTruth(t *testing.T, f *fixture) {
	for i := range 6 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	e := f.plan("weekly", f.posts(1)...)
	f.check(f.KeepLease(f.ctx, "x", over, true))
	f.claim("x", 6)
	jobs := f.inherit("x", store.Result{State: store.DeliveryPending, Resent: true, Counted: true})
	told, err := f.Inherited(f.ctx, "x")
	f.check(err)
	f.equal("to be told of", told, jobs)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 6, Pending: 6})

	// The successor goes on with two of them, and has sent one.
	again := f.claim("y", 2)
	f.equal("claimed again", words(again[0].Attempts, again[0].Copies), "1 1")
	f.record("y", store.Result{State: store.DeliverySent, Counted: true}, again[0])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 6, Sent: 1, Pending: 5, ResentInDoubt: 1})

	// The former one had sent three, and never begun the others.
	f.record("x", store.Result{State: store.DeliverySent, Counted: true}, jobs[0], jobs[1], jobs[2])
	f.record("x", store.Result{State: store.DeliveryPending}, jobs[3], jobs[4])
	f.record("x", store.Result{State: store.DeliveryFailed}, jobs[5])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 6, Sent: 2, Failed: 1, Pending: 3, ResentInDoubt: 1})
	f.record("x", store.Result{State: store.DeliveryFailed}, jobs...) // it tells once
	var resent []bool
	for _, d := range f.deliveries(e.ID, "") {
		resent = append(resent, d.Resent)
	}
	f.equal("may have arrived before", resent, []bool{true, true, false, false, false, false})
	f.record("y", store.Result{State: store.DeliverySent, Counted: true}, again[1])
	rest := f.claim("y", 9)
	f.equal("attempts that count", words(len(rest), rest[0].Attempts, rest[0].Copies), "2 0 0")
	f.record("y", store.Result{State: store.DeliverySent, Counted: true}, rest...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 6, Sent: 5, Failed: 1, ResentInDoubt: 2})
	told, err = f.Inherited(f.ctx, "x")
	f.check(err)
	f.equal("left to be told", len(told), 0)
}

// testLateHold is the same where what is in doubt stays so: the edition is
// finished when the holder comes back, and goes on.
func testLateHold(t *testing.T, f *fixture) {
	for i := range 4 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	e := f.plan("weekly", f.posts(1)...)
	f.check(f.KeepLease(f.ctx, "x", over, true))
	f.record("x", store.Result{State: store.DeliveryPending, Resent: true, Counted: true}, f.claim("x", 1)...)
	f.claim("x", 9)
	jobs := f.inherit("x", store.Result{State: store.DeliveryInDoubt, Counted: true})
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, InDoubt: 4, ResentInDoubt: 1})
	f.record("x", store.Result{State: store.DeliveryPending}, jobs[0], jobs[1])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 4, InDoubt: 2, Pending: 2})
	f.record("x", store.Result{State: store.DeliverySent, Counted: true}, jobs[2])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 4, Sent: 1, InDoubt: 1, Pending: 2})
	rest := f.claim("y", 9)
	f.equal("goes on", len(rest), 2)
	f.check(f.CancelEdition(f.ctx, f.now, e.ID))
	f.record("x", store.Result{State: store.DeliveryPending}, jobs[3]) // never begun, so not in doubt
	f.record("y", store.Result{State: store.DeliverySent, Counted: true}, rest...)
	f.account(e.ID, store.EditionCancelled, store.Counts{Eligible: 4, Sent: 3, Failed: 1, ResentInDoubt: 1})
}
