package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

func testSignUpLimits(_ *testing.T, f *fixture) {
	queue := func(email, mailbox string) bool {
		p := person(email)
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly"}}
		queued, err := f.QueueSignUp(f.ctx, f.now, store.SignUp{Subscriber: p, Mailbox: mailbox}, store.SignUpLimits{
			PerMailbox: 2, MailboxSince: f.now.Add(-24 * time.Hour), All: 4, AllSince: f.now.Add(-time.Hour)})
		f.check(err)
		return queued
	}
	// Spellings of one mailbox share its limit, known or not.
	f.equal("first", queue("ann@example.com", "ann"), true)
	n, err := f.ApplySignUps(f.ctx, f.now, 10)
	f.check(err)
	f.equal("applied", n, 1)
	f.equal("second", queue("ann+x@example.com", "ann"), true)
	f.equal("third", queue("ann+y@example.com", "ann"), false)
	f.equal("another", queue("bob@example.com", "bob"), true)
	n, err = f.ApplySignUps(f.ctx, f.now, 1)
	f.check(err)
	f.equal("one at a time", n, 1)
	f.equal("notices", f.notices(), 2)

	f.equal("last of the hour", queue("cy@example.com", "cy"), true)
	_, err = f.QueueSignUp(f.ctx, f.now, store.SignUp{Subscriber: person("dee@example.com"), Mailbox: "dee"},
		store.SignUpLimits{PerMailbox: 2, All: 4, MailboxSince: f.now, AllSince: f.now.Add(-time.Hour)})
	f.fails("one too many", err, store.ErrBusy)
	f.now = f.now.Add(90 * time.Minute)
	f.equal("an hour later", queue("dee@example.com", "dee"), true)
	f.equal("the same mailbox", queue("ann@example.com", "ann"), false)
	f.now = f.now.Add(23 * time.Hour)
	f.equal("the next day", queue("ann@example.com", "ann"), true)

	// What is only counted goes, what waits stays.
	f.check(f.ForgetSignUps(f.ctx, f.now.Add(time.Hour)))
	n, err = f.ApplySignUps(f.ctx, f.now, 10)
	f.check(err)
	f.equal("waited", n, 4)
	n, err = f.ApplySignUps(f.ctx, f.now, 10)
	f.check(err)
	f.equal("nothing is left", n, 0)
}

// testSignUpSeveral signs up to several newsletters at once: one mail asks for
// all of them.
func testSignUpSeveral(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	f.now = f.now.Add(time.Hour)
	f.attended(person("a@example.com"), store.Subscription{Newsletter: "weekly", Tags: []string{"spam"}},
		store.Subscription{Newsletter: "daily", Tags: []string{"go"}}, store.Subscription{Newsletter: "monthly"})
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now, 9)
	f.check(err)
	f.equal("notices", len(notices), 1)
	f.equal("of what is new", notices[0].Newsletter, "daily")
	f.equal("when it was asked for", notices[0].CreatedAt, f.subscription(id, "daily").AskedAt)
	f.check(f.Unsubscribe(f.ctx, f.now, id, "monthly"))
	f.check(f.Confirm(f.ctx, f.now, id, "daily", "monthly", "hourly"))
	f.equal("daily", f.subscription(id, "daily").Status, store.StatusActive)
	f.equal("left meanwhile", f.subscription(id, "monthly").Status, store.StatusUnsubscribed)
	f.equal("active before", f.subscription(id, "weekly").Tags, []string(nil))
	f.fails("none of them", f.Confirm(f.ctx, f.now, id, "monthly", "hourly"), store.ErrNotFound)
}

func testUnconfirmed(_ *testing.T, f *fixture) {
	alone := f.signUp("alone@example.com", "weekly")
	f.attended(person("both@example.com"), store.Subscription{Newsletter: "weekly"}, store.Subscription{Newsletter: "daily"})
	both, err := f.SubscriberByEmail(f.ctx, "both@example.com")
	f.check(err)
	f.check(f.Confirm(f.ctx, f.now, both.ID, "daily"))
	back := f.reader("back@example.com", "weekly")
	f.check(f.Unsubscribe(f.ctx, f.now, back, "weekly"))
	f.signUp("back@example.com", "weekly")
	_, err = f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{{Line: 2, Subscriber: store.Subscriber{
		Email: "imported@example.com", Key: key("imported@example.com"), CreatedAt: epoch.AddDate(-3, 0, 0),
		Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusPending, CreatedAt: epoch.AddDate(-3, 0, 0)}}}}}, false)
	f.check(err)
	forget := func(limit int) (n int, done bool) {
		n, done, err := f.ForgetUnconfirmed(f.ctx, f.now, f.now.AddDate(0, 0, -30), limit)
		f.check(err)
		return n, done
	}
	n, done := forget(100)
	f.equal("too early", n, 0)
	f.equal("nothing left to do", done, true)

	f.now = f.now.AddDate(0, 0, 29)
	renewed := f.signUp("renewed@example.com", "weekly")
	f.now = f.now.AddDate(0, 0, 2)
	n, done = forget(2)
	f.equal("the oldest", n, 2)
	f.equal("there may be more", done, false)
	n, done = forget(100)
	f.equal("the others", n, 2)
	f.equal("that was all", done, true)
	_, err = f.Subscriber(f.ctx, alone)
	f.fails("who never confirmed", err, store.ErrNotFound)
	f.equal("what was not confirmed", f.subscription(both.ID, "weekly").Status, "")
	f.equal("on record", f.events(both.ID), []string{"asked daily", "confirmed daily"})
	f.equal("what was", f.subscription(both.ID, "daily").Status, store.StatusActive)
	f.equal("who had left before", f.subscription(back, "weekly").Status, store.StatusUnsubscribed)
	_, err = f.SubscriberByEmail(f.ctx, "imported@example.com")
	f.fails("an old import", err, store.ErrNotFound)
	f.equal("who has just asked", f.subscription(renewed, "weekly").Status, store.StatusPending)
	_, err = f.Suppressed(f.ctx, key("back@example.com"))
	f.check(err)
}
