package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
)

func testClaim(t *testing.T, f *fixture) {
	var ids []int64
	for i := range 6 {
		ids = append(ids, f.reader(fmt.Sprintf("r%d@example.com", i), "weekly"))
	}
	e := f.plan("weekly", f.posts(2)...)
	if _, ok, err := f.NextDue(f.ctx); !ok || err != nil {
		t.Fatalf("nothing is due, error %v", err)
	}
	first := f.claim("x", 2)
	f.equal("first", emails(first), []string{"r0@example.com", "r1@example.com"})
	f.equal("job", first[1], store.Job{DeliveryRef: store.DeliveryRef{EditionID: e.ID, Seq: 2}, Newsletter: "weekly",
		SubscriberID: ids[1], Email: "r1@example.com", ClaimedAt: f.now, ExpiresAt: e.ExpiresAt, InDoubt: store.Resend})

	// Whoever leaves, bounces or is erased before their turn is not mailed.
	f.check(f.Unsubscribe(f.ctx, f.now, ids[2], "weekly"))
	_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key("r3@example.com"), Reason: store.ReasonComplaint, At: f.now}})
	f.check(err)
	f.check(f.EraseSubscriber(f.ctx, f.now, ids[4]))
	f.equal("second", emails(f.claim("y", 9)), []string{"r5@example.com"})
	var why []string
	for _, d := range f.deliveries(e.ID, store.DeliverySuppressed) {
		why = append(why, d.Reason)
	}
	f.equal("reasons", why, []string{store.ReasonUnsubscribed, store.ReasonComplaint, store.ReasonErased})
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 6, Suppressed: 3, Pending: 3})

	holders, err := f.Holders(f.ctx)
	f.check(err)
	f.equal("holders", holders, []string{"x", "y"})
	f.equal("held", f.claimed("x"), first)
	due, claimed, err := f.EditionDue(f.ctx, e.ID)
	f.check(err)
	f.equal("due and claimed", words(due.IsZero(), claimed), "true 3")

	// Who may have the first message is in doubt, whatever they do then.
	f.record("y", store.Result{State: store.DeliveryPending, Resent: true}, f.claimed("y")...)
	f.check(f.Unsubscribe(f.ctx, f.now, ids[5], "weekly"))
	f.equal("left in doubt", len(f.claim("y", 9)), 0)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 6, Suppressed: 3, InDoubt: 1, Pending: 2})

	testClaimTimes(f)
	testClaimFairness(f)
}

// testClaimTimes claims by NotBefore, expiry and status.
func testClaimTimes(f *fixture) {
	f.t.Helper()
	f.reader("z@example.com", "zoned")
	posts := f.posts(1)
	later := f.now.Add(6 * time.Hour)
	e, _, err := f.PlanEdition(f.ctx, f.now, f.edition("zoned"), posts, &due{posts: posts, notBefore: later}, false)
	f.check(err)
	next, _, err := f.EditionDue(f.ctx, e.ID)
	f.check(err)
	f.equal("next", next, later)
	f.equal("too early", len(f.claim("x", 9)), 0)
	f.check(f.PauseEdition(f.ctx, f.now, e.ID))
	_, ok, err := f.NextDue(f.ctx)
	f.check(err)
	f.equal("due while paused", ok, false)
	f.now = later
	f.equal("paused", len(f.claim("x", 9)), 0)
	f.check(f.ResumeEdition(f.ctx, f.now, e.ID))
	jobs := f.claim("x", 9)
	f.equal("in time", emails(jobs), []string{"z@example.com"})

	// Deferred beyond the expiry: the expiry is when something happens.
	f.record("x", store.Result{State: store.DeliveryPending, NextAt: e.ExpiresAt.Add(time.Hour), Counted: true}, jobs...)
	at, _, err := f.NextDue(f.ctx)
	f.check(err)
	f.equal("next due", at, e.ExpiresAt)
	f.now = e.ExpiresAt
	f.equal("expired", len(f.claim("x", 9)), 0)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 1, Failed: 1})
	f.equal("reason", f.deliveries(e.ID, store.DeliveryFailed)[0].Reason, "expired")
}

// testClaimFairness shares a claim among editions.
func testClaimFairness(f *fixture) {
	f.t.Helper()
	for _, newsletter := range []string{"large", "small"} {
		for i := range map[string]int{"large": 30, "small": 3}[newsletter] {
			f.reader(fmt.Sprintf("%s%d@example.com", newsletter, i), newsletter)
		}
		f.plan(newsletter, f.posts(1)...)
	}
	without, err := f.Claim(f.ctx, f.now, "fair", 99, "large")
	f.check(err)
	f.equal("without one newsletter", len(without), 3)
	f.record("fair", store.Result{State: store.DeliveryPending}, without...)
	one := f.claim("fair", 1)
	f.equal("a single one", len(one), 1)
	f.record("fair", store.Result{State: store.DeliveryPending}, one...)
	jobs := f.claim("fair", 10)
	small := strings.Count(strings.Join(emails(jobs), " "), "small")
	f.equal("claimed, of them small", words(len(jobs), small), "10 3")
	f.equal("the rest", len(f.claim("fair", 99)), 23)
}

func testRecord(t *testing.T, f *fixture) {
	for i := range 4 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	e := f.plan("weekly", f.posts(1)...)
	jobs := f.claim("x", 9)
	long := strings.Repeat("ü", 400) + "\xff\x00"
	f.record("x", store.Result{State: store.DeliverySent, Code: 250, Reason: "queued", Counted: true}, jobs[0])
	f.record("x", store.Result{State: store.DeliveryFailed, Code: 550, Reason: long, Counted: true}, jobs[1])
	f.record("x", store.Result{State: store.DeliveryInDoubt, Counted: true}, jobs[2])
	f.record("x", store.Result{State: store.DeliveryPending, Code: 451, NextAt: f.now.Add(time.Minute), Counted: true}, jobs[3])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 4, Sent: 1, Failed: 1, InDoubt: 1, Pending: 1})
	all := f.deliveries(e.ID, "")
	f.equal("sent", all[0], store.Delivery{EditionID: e.ID, Seq: 1, SubscriberID: all[0].SubscriberID, Email: "r0@example.com",
		State: store.DeliverySent, Attempts: 1, Code: 250, Reason: "queued", UpdatedAt: f.now})
	if got := all[1].Reason; len(got) > 500 || !strings.HasPrefix(long, got) || got == "" {
		t.Fatalf("a long reply became %d bytes: %q", len(got), got)
	}
	f.equal("deferred", words(all[3].State, all[3].Attempts, all[3].NextAt), words(store.DeliveryPending, 1, f.now.Add(time.Minute)))

	// What was recorded, or is another's, is not recorded again.
	f.record("x", store.Result{State: store.DeliveryFailed}, jobs...)
	f.now = f.now.Add(time.Minute)
	again := f.claim("x", 9)
	f.equal("attempts before", again[0].Attempts, 1)
	f.record("y", store.Result{State: store.DeliverySent}, again...)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 4, Sent: 1, Failed: 1, InDoubt: 1, Pending: 1})
	if err := f.Record(f.ctx, f.now, "x", []store.Result{{DeliveryRef: again[0].DeliveryRef, State: store.DeliveryClaimed}}); err == nil {
		t.Fatal("a result that is none was accepted")
	}

	// Returned without an attempt, lost, sent once more: counted once.
	f.record("x", store.Result{State: store.DeliveryPending}, again...)
	f.record("x", store.Result{State: store.DeliveryPending, Resent: true, Counted: true}, f.claim("x", 9)...)
	f.record("x", store.Result{State: store.DeliveryInDoubt, Counted: true}, f.claim("x", 9)...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, Sent: 1, Failed: 1, InDoubt: 2, ResentInDoubt: 1})
	last := f.deliveries(e.ID, "")[3]
	f.equal("resent", words(last.Resent, last.Attempts), "true 3")
	_, err := f.RetryEdition(f.ctx, f.now, e.ID, f.now.Add(time.Hour))
	f.check(err)
	f.record("x", store.Result{State: store.DeliverySent}, f.claim("x", 9)...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, Sent: 4, ResentInDoubt: 2})
}

func testRetry(_ *testing.T, f *fixture) {
	for i := range 4 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	posts := f.posts(1)
	e := f.plan("weekly", posts...)
	jobs := f.claim("x", 9)
	f.record("x", store.Result{State: store.DeliverySent}, jobs[0])
	f.record("x", store.Result{State: store.DeliveryFailed, Counted: true, Code: 550}, jobs[1])
	f.record("x", store.Result{State: store.DeliveryInDoubt}, jobs[2:]...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, Sent: 1, Failed: 1, InDoubt: 2})

	f.now = f.now.Add(90 * time.Hour)
	expires := f.now.Add(time.Hour)
	n, err := f.RetryEdition(f.ctx, f.now, e.ID, expires)
	f.check(err)
	f.equal("retried", n, 3)
	again := f.claim("x", 9)
	f.equal("again", emails(again), []string{"r1@example.com", "r2@example.com", "r3@example.com"})
	f.equal("job", words(again[0].Attempts, again[0].ExpiresAt), words(0, expires))
	f.record("x", store.Result{State: store.DeliverySent}, again[1])
	f.record("x", store.Result{State: store.DeliveryFailed}, again[0], again[2])
	// The last one's first message may have arrived: refused now, it is in doubt.
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, Sent: 2, Failed: 1, InDoubt: 1, ResentInDoubt: 1})

	// What failed released its posts: who has got them since is not mailed again.
	second := f.plan("weekly", posts...)
	f.account(second.ID, store.EditionSending, store.Counts{Eligible: 4, Empty: 3, Pending: 1})
	f.record("x", store.Result{State: store.DeliveryFailed}, f.claim("x", 1)...)
	n, err = f.RetryEdition(f.ctx, f.now, e.ID, expires)
	f.check(err)
	f.equal("retried beside the second", n, 2)
	n, err = f.RetryEdition(f.ctx, f.now, second.ID, expires)
	f.check(err)
	f.equal("retried in the second", n, 0)

	testCancelInDoubt(f)
}

// testCopies loses every answer to a reader's mail: it is counted with its
// second message, also where the edition is cancelled then.
func testCopies(_ *testing.T, f *fixture) {
	f.reader("d@example.com", "lossy")
	e := f.plan("lossy", f.posts(1)...)
	lost := store.Result{State: store.DeliveryPending, Counted: true, Resent: true}
	f.record("lossy", lost, f.claim("lossy", 9)...)
	f.record("lossy", store.Result{State: store.DeliveryPending, Setback: true}, f.claim("lossy", 9)...)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 1, Pending: 1})
	again := f.claim("lossy", 9)
	f.equal("attempts, copies, setbacks", words(again[0].Attempts, again[0].Copies, again[0].Setbacks), "1 1 1")
	f.equal("job as claimed", f.claimed("lossy"), again)
	f.record("lossy", lost, again...)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 1, Pending: 1, ResentInDoubt: 1})
	f.check(f.CancelEdition(f.ctx, f.now, e.ID))
	f.account(e.ID, store.EditionCancelled, store.Counts{Eligible: 1, InDoubt: 1, ResentInDoubt: 1})
	_, err := f.RetryEdition(f.ctx, f.now, e.ID, f.now.Add(time.Hour))
	f.check(err)
	again = f.claim("lossy", 9)
	f.equal("retried", words(again[0].Attempts, again[0].Copies, again[0].Setbacks), "0 0 0")
	f.record("lossy", store.Result{State: store.DeliverySent}, again...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 1, Sent: 1, ResentInDoubt: 1})
}

// testCancelInDoubt cancels an edition while messages that may have arrived
// wait to be sent again, and while one is on the wire.
func testCancelInDoubt(f *fixture) {
	f.t.Helper()
	for i := range 4 {
		f.reader(fmt.Sprintf("c%d@example.com", i), "cancelled")
	}
	posts := f.posts(1)
	e := f.plan("cancelled", posts...)
	f.claim("other", 9) // of the editions before
	f.check(f.PauseEdition(f.ctx, f.now, e.ID))
	f.check(f.ResumeEdition(f.ctx, f.now, e.ID))
	var mine []store.Job
	for _, j := range f.claimed("other") {
		if j.EditionID == e.ID {
			mine = append(mine, j)
		}
	}
	f.record("other", store.Result{State: store.DeliveryPending, Resent: true, NextAt: f.now.Add(time.Hour)}, mine[0])
	f.record("other", store.Result{State: store.DeliveryPending, NextAt: f.now.Add(time.Hour)}, mine[1])
	f.check(f.CancelEdition(f.ctx, f.now, e.ID))
	f.account(e.ID, store.EditionCancelled, store.Counts{Eligible: 4, Failed: 1, InDoubt: 1, Pending: 2})
	f.record("other", store.Result{State: store.DeliveryPending, Resent: true}, mine[2])
	f.record("other", store.Result{State: store.DeliveryPending}, mine[3])
	f.account(e.ID, store.EditionCancelled, store.Counts{Eligible: 4, Failed: 2, InDoubt: 2})
	f.equal("reason", f.deliveries(e.ID, store.DeliveryFailed)[0].Reason, "cancelled")

	// Those who may have it do not get it from the next edition.
	next := f.plan("cancelled", posts...)
	f.account(next.ID, store.EditionSending, store.Counts{Eligible: 4, Empty: 2, Pending: 2})
}
