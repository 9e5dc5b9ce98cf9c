package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
)

var policy = store.BouncePolicy{
	HeldShare: 0.5, HeldLeast: 3, HeldWithin: 10 * time.Minute,
	SoftLimit: 3, SoftOver: 48 * time.Hour,
}

// bounces records bounces of one class of some deliveries.
func (f *fixture) bounces(class string, edition int64, seqs ...int64) []store.BounceOutcome {
	f.t.Helper()
	var list []store.Bounce
	for _, seq := range seqs {
		list = append(list, store.Bounce{DeliveryRef: store.DeliveryRef{EditionID: edition, Seq: seq}, Class: class, Status: "5.1.1", Note: "no such user"})
	}
	outcomes, err := f.RecordBounces(f.ctx, f.now, policy, list)
	f.check(err)
	f.equal("outcomes", len(outcomes), len(list))
	return outcomes
}

// suppression gives the reason for which an address is suppressed.
func (f *fixture) suppression(email string) string {
	f.t.Helper()
	x, err := f.Suppressed(f.ctx, key(email))
	if err != nil {
		f.fails("suppression", err, store.ErrNotFound)
	}
	return x.Reason
}

// sent plans an edition and sends it to all its readers.
func (f *fixture) sent(newsletter string) int64 {
	f.t.Helper()
	e := f.plan(newsletter, f.posts(1)...)
	f.record("x", store.Result{State: store.DeliverySent, Counted: true}, f.claim("x", 1000)...)
	return e.ID
}

func testBounces(_ *testing.T, f *fixture) {
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		f.reader(name+"@Example.com", "weekly")
	}
	id := f.sent("weekly")
	known := store.BounceOutcome{Known: true, New: true, Domain: "example.com"}
	suppressed := known
	suppressed.Suppressed = true

	// Each class has its consequence, and no report counts twice.
	for i, c := range []struct {
		class  string
		want   store.BounceOutcome
		reason string
	}{
		{store.BounceHard, suppressed, store.ReasonBounce},
		{store.BounceSoft, known, ""},
		{store.BounceBlock, known, ""},
		{store.BounceContent, known, ""},
		{store.BounceRelay, known, ""},
		{store.BounceComplaint, suppressed, store.ReasonComplaint},
	} {
		email := string(rune('a'+i)) + "@Example.com"
		f.equal(c.class, f.bounces(c.class, id, int64(i+1)), []store.BounceOutcome{c.want})
		f.equal(c.class+" suppresses", f.suppression(email), c.reason)
		f.equal(c.class+" again", f.bounces(c.class, id, int64(i+1)), []store.BounceOutcome{{Known: true, Domain: "example.com"}})
	}
	f.equal("unknown mails", f.bounces(store.BounceHard, id, 99), []store.BounceOutcome{{}})
	f.equal("unknown editions", f.bounces(store.BounceHard, 99, 1), []store.BounceOutcome{{}})
	f.bounces(store.BounceSoft, id, 3) // of another class: the same mail came back once

	sum, err := f.EditionBounces(f.ctx, id)
	f.check(err)
	f.equal("sum", words(sum.Bounced, sum.Complained, sum.HeldSince.IsZero()), "5 1 true")
	f.equal("domains", sum.Domains[0], store.DomainBounces{Domain: "example.com", Class: store.BounceSoft, N: 2})
	f.equal("number of domains and classes", len(sum.Domains), 6)
	f.account(id, store.EditionFinished, store.Counts{Eligible: 6, Sent: 6})
	sum, err = f.EditionBounces(f.ctx, 99)
	f.check(err)
	f.equal("sum of nothing", words(sum.Bounced, len(sum.Domains)), "0 0")

	x, err := f.Suppressed(f.ctx, key("a@Example.com"))
	f.check(err)
	f.equal("note", x.Note, fmt.Sprintf("delivery 1 of edition %d: 5.1.1 no such user", id))
	testBouncesOfPerson(f, id)
}

func testBouncesOfPerson(f *fixture, id int64) {
	f.t.Helper()
	ref := store.DeliveryRef{EditionID: id, Seq: 3}
	email, err := f.Addressee(f.ctx, ref)
	f.check(err)
	p, err := f.SubscriberByEmail(f.ctx, email)
	f.check(err)
	list, err := f.SubscriberBounces(f.ctx, p.ID, 9)
	f.check(err)
	f.equal("classes", words(list[0].Class, list[1].Class, len(list)), "block soft 2")
	f.equal("bounce", list[0], store.Bounce{DeliveryRef: ref, Class: store.BounceBlock, Status: "5.1.1", Note: "no such user", At: f.now})

	// Who is erased leaves neither address nor words, and bounces no more.
	f.check(f.EraseSubscriber(f.ctx, f.now, p.ID))
	email, err = f.Addressee(f.ctx, ref)
	f.check(err)
	f.equal("address of the erased", email, "")
	list, err = f.SubscriberBounces(f.ctx, p.ID, 1)
	f.check(err)
	f.equal("note of the erased", words(len(list), list[0].Note), "1 ")
	f.equal("a bounce of the erased", f.bounces(store.BounceComplaint, id, 3), []store.BounceOutcome{{}})
	_, err = f.Addressee(f.ctx, store.DeliveryRef{EditionID: id, Seq: 99})
	f.fails("addressee of nothing", err, store.ErrNotFound)
	sum, err := f.EditionBounces(f.ctx, id)
	f.check(err)
	f.equal("domain of the erased", slices.ContainsFunc(sum.Domains, func(d store.DomainBounces) bool { return d.Domain == "" }), true)
}

// testBouncesAtSending tells refusals at sending from mails that came back.
func testBouncesAtSending(_ *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	f.reader("b@example.com", "weekly")
	e := f.plan("weekly", f.posts(1)...)
	jobs := f.claim("x", 9)
	f.record("x", store.Result{State: store.DeliveryFailed, Counted: true}, jobs[0])
	f.bounces(store.BounceHard, e.ID, jobs[0].Seq)
	f.equal("refused", f.suppression("a@example.com"), store.ReasonBounce)
	sum, err := f.EditionBounces(f.ctx, e.ID)
	f.check(err)
	f.equal("bounced", words(sum.Bounced, len(sum.Domains)), "0 1")

	// No means no, for what is claimed already too.
	f.bounces(store.BounceComplaint, e.ID, jobs[1].Seq)
	state, reason, err := f.Unwanted(f.ctx, f.now, jobs[1].DeliveryRef)
	f.check(err)
	f.equal("under way", words(state, reason), words(store.DeliverySuppressed, store.ReasonComplaint))
}

// testBouncesHeld meets a receiver that calls everybody unknown.
func testBouncesHeld(_ *testing.T, f *fixture) {
	for i := range 8 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	id := f.sent("weekly")
	var was []string
	for seq := range int64(7) {
		if seq == 3 { // the first three were long ago
			f.now = f.now.Add(21 * time.Minute)
		}
		o := f.bounces(store.BounceHard, id, seq+1)[0]
		was = append(was, words(o.Suppressed, o.Held, o.FirstHeld))
	}
	f.equal("suppressed, held, the first", was, []string{
		"true false false", "true false false", "true false false",
		"true false false", "true false false", "true false false", "true false false",
	})
	f.now = f.now.Add(time.Minute)
	o := f.bounces(store.BounceHard, id, 8)[0]
	f.equal("more than half", words(o.Suppressed, o.Held, o.FirstHeld), "false true true")
	f.equal("the held one", f.suppression("r7@example.com"), "")
	sum, err := f.EditionBounces(f.ctx, id)
	f.check(err)
	f.equal("held since", sum.HeldSince, f.now)
	for since, want := range map[time.Time][]store.HeldBounces{f.now: {{EditionID: id, Since: f.now}}, f.now.Add(time.Second): nil} {
		held, err := f.HeldBounces(f.ctx, since)
		f.check(err)
		f.equal("editions held", held, want)
	}

	// It stays so for the edition, and a complaint is not concerned.
	f.now = f.now.Add(time.Hour)
	f.equal("a complaint", f.bounces(store.BounceComplaint, id, 8)[0].Suppressed, true)
}

// testBouncesHeldAcross lets a wave of hard bounces come in two halves, with the
// end of ten minutes between them.
func testBouncesHeldAcross(_ *testing.T, f *fixture) {
	for i := range 8 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	id := f.sent("weekly")
	f.bounces(store.BounceHard, id, 1)
	f.now = f.now.Add(9 * time.Minute)
	f.bounces(store.BounceHard, id, 2, 3)
	f.now = f.now.Add(2 * time.Minute)
	var was []string
	for _, o := range f.bounces(store.BounceHard, id, 4, 5) {
		was = append(was, words(o.Suppressed, o.Held, o.FirstHeld))
	}
	f.equal("suppressed, held, the first", was, []string{"true false false", "false true true"})
}

// testBouncesHeldForGood looks at what follows the first held one.
func testBouncesHeldForGood(_ *testing.T, f *fixture) {
	for i := range 5 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	id := f.sent("weekly")
	var was []string
	for _, o := range f.bounces(store.BounceHard, id, 1, 2, 3, 4) {
		was = append(was, words(o.Suppressed, o.Held, o.FirstHeld))
	}
	f.equal("at once", was, []string{"true false false", "true false false", "false true true", "false true false"})
	f.now = f.now.Add(24 * time.Hour)
	o := f.bounces(store.BounceHard, id, 5)[0]
	f.equal("a day later", words(o.Suppressed, o.Held, o.FirstHeld), "false true false")

	// The next edition is judged anew.
	id = f.sent("weekly")
	o = f.bounces(store.BounceHard, id, 3)[0]
	f.equal("the next edition", words(o.Suppressed, o.Held), "true false")
}

// testBouncesWear counts editions that came back softly.
func testBouncesWear(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	edition := func(class string) (suppressed bool) {
		f.t.Helper()
		e := f.sent("weekly")
		f.now = f.now.Add(24 * time.Hour)
		if class != "" {
			suppressed = f.bounces(class, e, 1)[0].Suppressed
		}
		return suppressed
	}
	soft, arrives := store.BounceSoft, ""
	for i, c := range []string{soft, arrives, arrives, soft, soft, arrives, soft} { // 1 0 0 1 2 1 2
		f.equal(fmt.Sprintf("edition %d", i+1), edition(c), false)
	}
	f.equal("a block", edition(store.BounceBlock), false)
	f.equal("three more than arrived", edition(soft), true)
	f.equal("suppressed", f.suppression("a@example.com"), store.ReasonBounce)

	// Lifted, it begins anew.
	f.check(f.Unsuppress(f.ctx, key("a@example.com")))
	for range 2 {
		f.equal("after it was lifted", edition(soft), false)
	}
	f.equal("again", edition(soft), true)
	list, err := f.SubscriberBounces(f.ctx, id, 3)
	f.check(err)
	f.equal("bounces", len(list), 3)
}

// testBouncesWearLate gets the reports of several editions in a short time, and
// not in order.
func testBouncesWearLate(_ *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	var es []int64
	for range 4 {
		es = append(es, f.sent("weekly"))
		f.now = f.now.Add(24 * time.Hour)
	}
	f.equal("third", f.bounces(store.BounceSoft, es[2], 1)[0].Suppressed, false)
	f.equal("first", f.bounces(store.BounceSoft, es[0], 1)[0].Suppressed, false)
	f.equal("second, at once", f.bounces(store.BounceSoft, es[1], 1)[0].Suppressed, false)
	f.now = f.now.Add(48 * time.Hour)
	f.equal("fourth, later", f.bounces(store.BounceSoft, es[3], 1)[0].Suppressed, true)
}

// testBouncesOfNotices suppresses who is asked to confirm in vain.
func testBouncesOfNotices(_ *testing.T, f *fixture) {
	f.signUp("a@example.com", "weekly")
	f.signUp("b@example.com", "weekly")
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now, 9)
	f.check(err)
	ref := store.DeliveryRef{Seq: notices[0].ID}
	email, err := f.Addressee(f.ctx, ref)
	f.check(err)
	f.equal("addressee", email, "a@example.com")
	f.equal("soft", f.bounces(store.BounceSoft, 0, ref.Seq)[0].Suppressed, false)
	f.equal("hard", f.bounces(store.BounceHard, 0, ref.Seq)[0].Suppressed, true)
	f.attended(person("a@example.com"), store.Subscription{Newsletter: "weekly"})
	left, err := f.ClaimNotices(f.ctx, f.now, f.now, 9)
	f.check(err)
	f.equal("notices left", len(left), 1) // nobody was asked again
	_, err = f.Addressee(f.ctx, store.DeliveryRef{Seq: 99})
	f.fails("addressee of no notice", err, store.ErrNotFound)
}

// testBouncesOfNoticesHeld meets a receiver that calls everybody unknown who
// signs up.
func testBouncesOfNoticesHeld(_ *testing.T, f *fixture) {
	for i := range 7 {
		f.signUp(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now, 9)
	f.check(err)
	var was []string
	for i, n := range notices {
		if i == policy.HeldLeast+1 { // those before were long ago
			f.now = f.now.Add(policy.HeldWithin)
		}
		o := f.bounces(store.BounceHard, 0, n.ID)[0]
		was = append(was, words(o.Suppressed, o.Held, o.FirstHeld))
	}
	want := make([]string, 7)
	for i := range want {
		want[i] = "true false false"
	}
	want[policy.HeldLeast-1], want[policy.HeldLeast], want[6] = "false true true", "false true false", "false true true"
	f.equal("suppressed, held, the first", was, want)
}

// testBouncesOfTheExpired lets an edition expire: who was put off for their own
// sake has bounced, and nobody else.
func testBouncesOfTheExpired(_ *testing.T, f *fixture) {
	for i := range 4 {
		f.reader(fmt.Sprintf("r%d@example.com", i), "weekly")
	}
	e := f.plan("weekly", f.posts(1)...)
	jobs := f.claim("x", 3)
	later := store.Result{State: store.DeliveryPending, NextAt: e.ExpiresAt.Add(time.Hour), Code: 452, Reason: "mailbox full"}
	full, busy, lost := later, later, later
	full.Counted, busy.Setback = true, true
	lost.Counted, lost.Resent = true, true
	for i, r := range []store.Result{full, busy, lost} {
		f.record("x", r, jobs[i])
	}
	f.now = e.ExpiresAt
	f.claim("x", 9)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 4, Failed: 3, InDoubt: 1})
	sum, err := f.EditionBounces(f.ctx, e.ID)
	f.check(err)
	f.equal("bounces", sum, store.EditionBounces{Domains: []store.DomainBounces{{Domain: "example.com", Class: store.BounceSoft, N: 1}}})
	p, err := f.SubscriberByEmail(f.ctx, "r0@example.com")
	f.check(err)
	list, err := f.SubscriberBounces(f.ctx, p.ID, 9)
	f.check(err)
	f.equal("of the reader", words(len(list), list[0].Note), "1 mailbox full")
}
