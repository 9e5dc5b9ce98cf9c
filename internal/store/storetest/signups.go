package storetest

import (
	"fmt"
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

// testForms: a form is taken once, whatever came of it, until it is forgotten.
func testForms(_ *testing.T, f *fixture) {
	limits := store.SignUpLimits{PerMailbox: 1, MailboxSince: f.now.Add(-time.Hour), All: 9, AllSince: f.now.Add(-time.Hour)}
	send := func(email, form string) error {
		p := person(email)
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly"}}
		_, err := f.QueueSignUp(f.ctx, f.now, store.SignUp{Subscriber: p, Mailbox: email, Form: form}, limits)
		return err
	}
	f.check(send("ann@example.com", "one"))
	f.fails("sent twice", send("bob@example.com", "one"), store.ErrSpent)
	f.check(send("ann@example.com", "two")) // whose mailbox has had its share
	f.fails("that one sent twice", send("bob@example.com", "two"), store.ErrSpent)
	f.check(send("bob@example.com", ""))
	f.check(send("cy@example.com", ""))
	_, err := f.ApplySignUps(f.ctx, f.now, 9)
	f.check(err)
	f.fails("attended to meanwhile", send("dee@example.com", "one"), store.ErrSpent)
	f.check(f.ForgetSignUps(f.ctx, f.now.Add(time.Minute)))
	f.check(send("dee@example.com", "one"))
}

// testSignUpKinds: what is asked for of one kind takes nothing from another, and
// who has had some leaves the rest to others.
func testSignUpKinds(_ *testing.T, f *fixture) {
	limits := store.SignUpLimits{PerMailbox: 2, MailboxSince: f.now.Add(-time.Hour), All: 5, AllSince: f.now.Add(-time.Hour), Reserve: 2}
	sent := 0
	ask := func(kind, mailbox, network string) error {
		sent++
		_, err := f.QueueSignUp(f.ctx, f.now, store.SignUp{Subscriber: person(fmt.Sprint(sent, "@example.com")), Mailbox: mailbox, Kind: kind, Network: network}, limits)
		return err
	}
	for i := range 3 {
		f.check(ask(store.AskLink, fmt.Sprint(i), "n"))
	}
	f.fails("more from there", ask(store.AskLink, "4", "n"), store.ErrBusy)
	f.check(ask(store.AskLink, "4", "m"))
	f.fails("more from there, too", ask(store.AskLink, "5", "m"), store.ErrBusy)
	f.check(ask(store.AskLink, "6", "")) // from nobody knows where
	f.fails("all are gone", ask(store.AskLink, "7", "o"), store.ErrBusy)
	f.check(ask(store.AskSignUp, "4", "n"))
	f.check(ask(store.AskOwn, "4", "n"))
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

// testWishesApart: what a stranger asks for in somebody's name touches nothing
// of theirs, and each mail's link confirms what that mail named.
func testWishesApart(_ *testing.T, f *fixture) {
	ann := person("ann@example.com")
	ann.Timezone, ann.Format, ann.Language = "Europe/Berlin", store.FormatText, "de"
	f.attended(ann, store.Subscription{Newsletter: "weekly", Tags: []string{"go"}, Frequency: "daily", Hour: "7"})
	p, err := f.SubscriberByEmail(f.ctx, "ann@example.com")
	f.check(err)
	f.check(f.Confirm(f.ctx, f.now, p.ID, "weekly"))
	f.check(f.Unsubscribe(f.ctx, f.now, p.ID, ""))
	before := f.person(p.ID)
	claim := func() (list []int64) {
		f.t.Helper()
		notices, err := f.ClaimNotices(f.ctx, f.now, f.now.AddDate(1, 0, 0), 9)
		f.check(err)
		for _, n := range notices {
			list = append(list, n.SignUpID)
		}
		return list
	}
	claim()

	f.now = f.now.Add(time.Hour)
	stranger := person("ann@example.com")
	stranger.Timezone, stranger.Format = "Asia/Tokyo", store.FormatHTML
	f.attended(stranger, store.Subscription{Newsletter: "weekly", Tags: []string{"spam"}})
	f.equal("nothing changed", f.person(p.ID), before)
	f.equal("on record", f.events(p.ID), []string{"asked weekly", "confirmed weekly", "left weekly", "asked weekly"})
	f.attended(ann, store.Subscription{Newsletter: "weekly", Tags: []string{"db"}, Frequency: "weekly", Hour: "9"})
	links := claim()
	f.equal("links", len(links), 2)
	f.fails("somebody else's", f.ConfirmWishes(f.ctx, f.now, 999, links[1]), store.ErrNotFound)
	wished, err := f.Wishes(f.ctx, p.ID, links[0])
	f.check(err)
	f.equal("wished", words(len(wished), wished[0].Newsletter, wished[0].Tags, wished[0].Timezone, wished[0].Confirmed), words(1, "weekly", []string{"spam"}, "Asia/Tokyo", false))

	f.check(f.ConfirmWishes(f.ctx, f.now, p.ID, links[1]))
	sub, now := f.subscription(p.ID, "weekly"), f.person(p.ID)
	f.equal("of that mail", words(sub.Status, sub.Tags, sub.Frequency, sub.Hour, now.Timezone, now.Format), words(store.StatusActive, []string{"db"}, "weekly", "9", "Europe/Berlin", store.FormatText))
	_, err = f.Suppressed(f.ctx, key("ann@example.com"))
	f.fails("suppression", err, store.ErrNotFound)

	// Neither twice, nor after they have chosen something else, nor once they left.
	f.check(f.SetPreferences(f.ctx, f.now, p.ID, store.Preferences{Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"own"}}}}))
	f.check(f.ConfirmWishes(f.ctx, f.now, p.ID, links[1]))
	f.equal("a link that was followed", f.subscription(p.ID, "weekly").Tags, []string{"own"})
	f.check(f.Unsubscribe(f.ctx, f.now, p.ID, "weekly"))
	for _, link := range links {
		f.fails("of before they left", f.ConfirmWishes(f.ctx, f.now, p.ID, link), store.ErrNotFound)
	}

	// Nothing of what was never confirmed stays, and the way back stays open.
	f.attended(stranger, store.Subscription{Newsletter: "weekly", Tags: []string{"spam"}})
	f.now = f.now.AddDate(0, 0, 6)
	_, _, err = f.ForgetUnconfirmed(f.ctx, f.now, f.now.Add(-time.Hour), 9)
	f.check(err)
	names, err := f.Return(f.ctx, f.now, p.ID, "weekly", f.now.AddDate(0, 0, -7))
	f.check(err)
	f.equal("back", names, []string{"weekly"})
	f.equal("as it was", f.subscription(p.ID, "weekly").Tags, []string{"own"})
	events := f.events(p.ID)
	f.equal("on record", events[len(events)-2:], []string{"left weekly", "returned weekly"})
}

// testPendingStays: who saves their page ends nothing that they have only just
// asked for.
func testPendingStays(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	f.signUp("a@example.com", "daily")
	off := store.Preferences{Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}, {Newsletter: "daily", Status: store.StatusUnsubscribed}}}
	f.check(f.SetPreferences(f.ctx, f.now, id, off))
	f.equal("still asked for", f.subscription(id, "daily").Status, store.StatusPending)
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now, 9)
	f.check(err)
	f.check(f.ConfirmWishes(f.ctx, f.now, id, notices[len(notices)-1].SignUpID))
	f.equal("confirmed", f.subscription(id, "daily").Status, store.StatusActive)
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
	f.equal("the other", n, 1)
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
