package storetest

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

func testSignUp(t *testing.T, f *fixture) {
	bob := store.Subscriber{Email: "Bob@example.com", Key: key("bob"), Name: "Bob", Language: "en", Timezone: "Europe/Berlin",
		Format: store.FormatText, QuietHours: "22-7"}
	weekly := store.Subscription{Newsletter: "weekly", Tags: []string{"go", "db", "go"}, Categories: []string{"b, c", "a"}, Frequency: "daily",
		Hour: "6", PausedUntil: epoch.Add(48 * time.Hour)}
	f.attended(bob, weekly)
	f.equal("first time asked", f.notices(), 1)
	p, err := f.SubscriberByEmail(f.ctx, "bOB@example.com")
	f.check(err)
	want := bob
	want.ID, want.CreatedAt = p.ID, epoch
	want.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusPending,
		Categories: []string{"a", "b, c"}, Tags: []string{"db", "go"}, Frequency: "daily",
		Hour: "6", PausedUntil: epoch.Add(48 * time.Hour), CreatedAt: epoch, AskedAt: epoch}}
	f.equal("person", p, want)

	// Again, with other letters and other topics: the same person.
	again := bob
	again.Email, again.Name = "BOB@example.com", "Robert"
	f.now = f.now.Add(2 * time.Hour)
	f.attended(again, store.Subscription{Newsletter: "weekly"}, store.Subscription{Newsletter: "daily"})
	f.equal("second time asked", f.notices(), 2)
	got := f.person(p.ID)
	f.equal("address and name", got.Email+" "+got.Name, "Bob@example.com Bob")
	f.equal("what was asked for first", f.subscription(p.ID, "weekly").Tags, []string{"db", "go"})
	f.equal("subscriptions", len(got.Subscriptions), 2)
	f.equal("asked for again", f.subscription(p.ID, "weekly").AskedAt, f.now)
	f.equal("since", f.subscription(p.ID, "weekly").CreatedAt, epoch)
}

func testPrivateFeed(_ *testing.T, f *fixture) {
	id, other := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	f.equal("none", f.person(id).Feed, int64(0))
	f.check(f.RevokeFeed(f.ctx, id))
	f.equal("none to revoke", f.person(id).Feed, int64(0))
	seen := map[int64]bool{}
	for range 3 {
		n, err := f.RenewFeed(f.ctx, id)
		f.check(err)
		f.equal("number", f.person(id).Feed, n)
		f.equal("given before", n <= 0 || seen[n], false)
		seen[n] = true
		f.check(f.RevokeFeed(f.ctx, id))
		f.check(f.RevokeFeed(f.ctx, id))
		f.equal("revoked", f.person(id).Feed, int64(0))
	}
	f.equal("another person's", f.person(other).Feed, int64(0))
	_, err := f.RenewFeed(f.ctx, 999)
	f.fails("of nobody", err, store.ErrNotFound)
	f.fails("of nobody", f.RevokeFeed(f.ctx, 999), store.ErrNotFound)
}

func testSignUpAgain(_ *testing.T, f *fixture) {
	asked := func(p store.Subscriber, tags ...string) bool {
		before := f.notices()
		f.attended(p, store.Subscription{Newsletter: "weekly", Tags: tags})
		return f.notices() > before
	}

	// Nobody changes what was confirmed by filling in a form.
	id := f.reader("a@example.com", "weekly")
	confirmed := f.person(id)
	stranger := person("a@example.com")
	stranger.Name, stranger.Timezone = "Mallory", "Asia/Tokyo"
	f.equal("active one: a link to their own page", asked(stranger, "spam"), true)
	f.equal("active one", f.person(id), confirmed)

	// Who left may come back, but nothing changes until they confirm.
	f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	f.equal("renewed asked", asked(stranger, "go"), true)
	f.equal("renewed", f.subscription(id, "weekly").Status, store.StatusUnsubscribed)
	f.equal("whose zone it is", f.person(id).Timezone, "")
	f.confirm(id, "weekly")
	f.equal("back", f.subscription(id, "weekly").Status, store.StatusActive)
	f.equal("renewed topics", f.subscription(id, "weekly").Tags, []string{"go"})
	f.equal("renewed zone", f.person(id).Timezone, "Asia/Tokyo")

	for _, reason := range reasons {
		email := reason + "@example.com"
		_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key(email), Email: email, Reason: reason, At: f.now}})
		f.check(err)
		f.equal("suppressed as "+reason+", asked", asked(person(email)), own(reason))
	}
}

var reasons = []string{store.ReasonManual, store.ReasonBounce, store.ReasonComplaint, store.ReasonUnsubscribed, store.ReasonErased}

// own reports whether a suppression is its owner's word, which they may take
// back.
func own(reason string) bool {
	return reason == store.ReasonUnsubscribed || reason == store.ReasonErased
}

func testConfirm(t *testing.T, f *fixture) {
	id := f.signUp("a@example.com", "weekly")
	f.fails("another newsletter", f.Confirm(f.ctx, f.now, id, "daily"), store.ErrNotFound)
	f.fails("another person", f.Confirm(f.ctx, f.now, 999, "weekly"), store.ErrNotFound)

	f.now = f.now.Add(time.Minute)
	f.check(f.Confirm(f.ctx, f.now, id, "weekly"))
	f.check(f.Confirm(f.ctx, f.now.Add(time.Hour), id, "weekly"))
	sub := f.subscription(id, "weekly")
	f.equal("confirmed", sub.Status+sub.ConfirmedAt.String(), store.StatusActive+f.now.String())

	f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	f.fails("an old confirmation link of somebody who left", f.Confirm(f.ctx, f.now, id, "weekly"), store.ErrNotFound)

	// Confirming lifts the person's own word, and nobody else's.
	for _, reason := range reasons {
		email := reason + "@example.com"
		id := f.signUp(email, "weekly")
		_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key(email), Email: email, Reason: reason, At: f.now}})
		f.check(err)
		f.check(f.Confirm(f.ctx, f.now, id, "weekly"))
		_, err = f.Suppressed(f.ctx, key(email))
		if own(reason) {
			f.fails(reason+" after confirming", err, store.ErrNotFound)
		} else {
			f.check(err)
		}
	}
}

func testUnsubscribe(t *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	f.reader("a@example.com", "daily")
	f.signUp("a@example.com", "monthly")
	f.fails("nobody", f.Unsubscribe(f.ctx, f.now, 999, "weekly"), store.ErrNotFound)
	f.check(f.Unsubscribe(f.ctx, f.now, id, "no such newsletter"))

	left := f.now.Add(time.Minute)
	f.check(f.Unsubscribe(f.ctx, left, id, "weekly"))
	f.check(f.Unsubscribe(f.ctx, left.Add(time.Hour), id, "weekly"))
	sub := f.subscription(id, "weekly")
	f.equal("left", sub.Status+sub.EndedAt.String(), store.StatusUnsubscribed+left.String())
	f.equal("the other one", f.subscription(id, "daily").Status, store.StatusActive)
	_, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.fails("suppression after leaving one", err, store.ErrNotFound)

	f.check(f.Unsubscribe(f.ctx, left, id, ""))
	f.check(f.Unsubscribe(f.ctx, left, id, ""))
	for _, newsletter := range []string{"daily", "monthly"} {
		f.equal(newsletter, f.subscription(id, newsletter).Status, store.StatusUnsubscribed)
	}
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("suppression after leaving all", x.Reason, store.ReasonUnsubscribed)
}

func testSubscribers(t *testing.T, f *fixture) {
	f.reader("zoe@example.com", "weekly")
	f.signUp("Bob@example.com", "weekly")
	f.reader("Bob@example.com", "daily")
	left := f.reader("anna@example.com", "weekly")
	f.check(f.Unsubscribe(f.ctx, f.now, left, "weekly"))

	list := func(filter store.SubscriberFilter) (emails []string) {
		f.check(f.EachSubscriber(f.ctx, filter, func(p store.Subscriber) error {
			emails = append(emails, fmt.Sprintf("%s:%d", p.Email, len(p.Subscriptions)))
			return nil
		}))
		return emails
	}
	f.equal("all", list(store.SubscriberFilter{}), []string{"anna@example.com:1", "Bob@example.com:2", "zoe@example.com:1"})
	f.equal("weekly", list(store.SubscriberFilter{Newsletter: "weekly"}), []string{"anna@example.com:1", "Bob@example.com:2", "zoe@example.com:1"})
	f.equal("active", list(store.SubscriberFilter{Status: store.StatusActive}), []string{"Bob@example.com:2", "zoe@example.com:1"})
	f.equal("weekly and pending", list(store.SubscriberFilter{Newsletter: "weekly", Status: store.StatusPending}), []string{"Bob@example.com:2"})

	counts, err := f.CountSubscribers(f.ctx)
	f.check(err)
	f.equal("counts", counts, map[string]map[string]int{
		"weekly": {store.StatusActive: 1, store.StatusPending: 1, store.StatusUnsubscribed: 1},
		"daily":  {store.StatusActive: 1}})

	_, err = f.Subscriber(f.ctx, 999)
	f.fails("nobody", err, store.ErrNotFound)
	_, err = f.SubscriberByEmail(f.ctx, "nobody@example.com")
	f.fails("nobody", err, store.ErrNotFound)
}

func testErase(t *testing.T, f *fixture) {
	id, other := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	e := f.plan("weekly", f.posts(1)...)
	jobs := f.claim("x", 1)
	f.record("x", store.Result{State: store.DeliverySent, Reason: "250 for a@example.com"}, jobs...)

	f.check(f.EraseSubscriber(f.ctx, f.now, id))
	f.fails("erased twice", f.EraseSubscriber(f.ctx, f.now, id), store.ErrNotFound)
	_, err := f.Subscriber(f.ctx, id)
	f.fails("erased", err, store.ErrNotFound)
	f.equal("left: state alone", f.deliveries(e.ID, store.DeliverySent), []store.Delivery{{
		EditionID: e.ID, Seq: 1, SubscriberID: id, State: store.DeliverySent, UpdatedAt: f.now}})
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("suppression", x, store.Suppression{Key: key("a@example.com"), Reason: store.ReasonErased, At: f.now})
	notices, err := f.ClaimNotices(f.ctx, f.now.Add(time.Hour), f.now, 9)
	f.check(err)
	f.equal("notices", len(notices), 0)

	// A complaint outlives the address, and a pending delivery does not.
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("b@example.com"), Email: "b@example.com", Reason: store.ReasonComplaint, Note: "b@", At: epoch}})
	f.check(err)
	f.check(f.EraseSubscriber(f.ctx, f.now, other))
	x, err = f.Suppressed(f.ctx, key("b@example.com"))
	f.check(err)
	f.equal("suppression", x, store.Suppression{Key: key("b@example.com"), Reason: store.ReasonComplaint, At: epoch})
	f.equal("jobs", len(f.claim("x", 9)), 0)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 2, Sent: 1, Suppressed: 1})

	// The next person is another one.
	if next := f.reader("a@example.com", "weekly"); next == id || next == other {
		t.Fatalf("number %d was given again", next)
	}
	_, err = f.Suppressed(f.ctx, key("a@example.com"))
	f.fails("suppression after confirming again", err, store.ErrNotFound)
}

func testSuppressions(t *testing.T, f *fixture) {
	x := store.Suppression{Key: "k1", Email: "a@example.com", Reason: store.ReasonUnsubscribed, Note: "by hand", At: epoch}
	y := store.Suppression{Key: "k2", Email: "b@example.com", Reason: store.ReasonManual, At: epoch.Add(time.Minute)}
	suppress := func(list ...store.Suppression) int {
		n, err := f.Suppress(f.ctx, list)
		f.check(err)
		return n
	}
	f.equal("added", suppress(x, y, x), 2)

	// A bounce is stronger than leaving; nothing is stronger than a bounce.
	bounce := store.Suppression{Key: "k1", Email: "A@example.com", Reason: store.ReasonBounce, Note: "5.1.1", At: epoch.Add(time.Hour)}
	f.equal("added", suppress(bounce, x), 0)
	bounce.Email = "a@example.com"
	got, err := f.Suppressed(f.ctx, "k1")
	f.check(err)
	f.equal("stronger reason", got, bounce)

	var list []store.Suppression
	f.check(f.EachSuppression(f.ctx, func(x store.Suppression) error {
		list = append(list, x)
		return nil
	}))
	f.equal("list", list, []store.Suppression{y, bounce})

	f.check(f.Unsuppress(f.ctx, "k2"))
	f.fails("twice", f.Unsuppress(f.ctx, "k2"), store.ErrNotFound)
	_, err = f.Suppressed(f.ctx, "k2")
	f.fails("lifted", err, store.ErrNotFound)
}

func testNotices(t *testing.T, f *fixture) {
	claim := func() []store.Notice {
		t.Helper()
		list, err := f.ClaimNotices(f.ctx, f.now, f.now.Add(5*time.Minute), 2)
		f.check(err)
		return list
	}
	for _, name := range []string{"a", "b", "c"} {
		f.signUp(name+"@example.com", "weekly")
	}
	first := claim()
	f.equal("first", words(len(first), first[0].Email, first[0].Newsletter, first[0].Kind, first[0].CreatedAt),
		words(2, "a@example.com", "weekly", store.NoticeConfirm, epoch))
	f.equal("next", claim()[0].Email, "c@example.com")
	f.equal("nothing left", len(claim()), 0)

	f.check(f.RecordNotice(f.ctx, f.now, store.NoticeResult{ID: first[0].ID, Sent: true}))
	f.check(f.RecordNotice(f.ctx, f.now, store.NoticeResult{ID: first[1].ID, NextAt: f.now.Add(time.Minute), Reason: "451"}))
	f.check(f.RecordNotice(f.ctx, f.now, store.NoticeResult{ID: 999, Sent: true}))
	f.now = f.now.Add(time.Minute)
	again := claim()
	f.equal("tried again", words(len(again), again[0].Email, again[0].Attempts), "1 b@example.com 1")
	f.check(f.RecordNotice(f.ctx, f.now, store.NoticeResult{ID: again[0].ID, Failed: true}))

	// c's sender died: due again at the time it claimed until.
	f.now = f.now.Add(time.Hour)
	again = claim()
	f.equal("not lost", words(len(again), again[0].Email), "1 c@example.com")

	// Nobody is asked to confirm what they have confirmed, left or refused.
	f.reader("confirmed@example.com", "weekly")
	f.check(f.Unsubscribe(f.ctx, f.now, f.signUp("left@example.com", "weekly"), "weekly"))
	f.signUp("bounced@example.com", "weekly")
	_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key("bounced@example.com"), Reason: store.ReasonBounce, At: f.now}})
	f.check(err)
	f.equal("unwanted", len(claim()), 0)
}
