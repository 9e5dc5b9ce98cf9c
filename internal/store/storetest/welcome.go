package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

// newcomers counts those of the last three days.
func (f *fixture) newcomers() int {
	f.t.Helper()
	n, err := f.Newcomers(f.ctx, f.now, "weekly", f.now.Add(-72*time.Hour))
	f.check(err)
	return n
}

// greet plans the welcome with posts.
func (f *fixture) greet(posts ...int64) (store.Edition, error) {
	e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceWelcome, Slot: "edition-1", Reason: "none", InDoubt: store.Resend, ExpiresAt: f.now.Add(72 * time.Hour)}
	e, _, err := f.PlanWelcome(f.ctx, f.now, e, f.now.Add(-72*time.Hour), posts, &due{posts: posts})
	return e, err
}

func testWelcome(_ *testing.T, f *fixture) {
	posts := f.posts(2)
	_, err := f.greet(posts...)
	f.fails("nobody", err, store.ErrNotFound)
	f.equal("of a newsletter that nobody knows", f.newcomers(), 0)
	f.importOne("imported@example.com", store.Subscription{Status: store.StatusActive}, false)
	a := f.reader("a@example.com", "weekly")
	f.equal("who confirmed", f.newcomers(), 1)
	f.equal("since", f.subscription(a, "weekly").JoinedAt, f.now)

	// Somebody who has the posts, and nothing else is due, leaves a record.
	f.plan("weekly", posts...)
	e, err := f.greet(posts...)
	f.check(err)
	f.equal("nothing left", words(e.Status, e.Reason, e.Counts), words(store.EditionSkipped, "none", store.Counts{Eligible: 1, Empty: 1}))
	f.equal("welcomed", words(f.newcomers(), f.subscription(a, "weekly").JoinedAt.IsZero()), words(0, true))
	f.check(f.Confirm(f.ctx, f.now, a, "weekly"))
	f.equal("confirmed twice", f.newcomers(), 0)

	// The next one is added to it, and sent.
	b := f.reader("b@example.com", "weekly")
	f.now = f.now.Add(time.Hour)
	e2, err := f.greet(posts...)
	f.check(err)
	f.equal("the same edition", words(e2.ID, e2.Status, e2.Posts, e2.Reason), words(e.ID, store.EditionSending, 2, ""))
	f.equal("expires later", e2.ExpiresAt, f.now.Add(72*time.Hour))
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 2, Empty: 1, Pending: 1})
	had, err := f.Had(f.ctx, b, "weekly", posts)
	f.check(err)
	f.equal("in the ledger", words(had), words(map[int64]int64{posts[0]: e.ID, posts[1]: e.ID}))
	_, err = f.greet(posts...)
	f.fails("everybody is welcomed", err, store.ErrNotFound)

	// Paused and suppressed ones wait; who was confirmed long ago is none.
	c := f.reader("c@example.com", "weekly")
	f.check(f.SetPreferences(f.ctx, f.now, c, store.Preferences{Subscriptions: []store.Subscription{
		{Newsletter: "weekly", Status: store.StatusActive, PausedUntil: f.now.Add(time.Hour)}}}))
	f.reader("s@example.com", "weekly")
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("s@example.com"), Reason: store.ReasonBounce, At: f.now}})
	f.check(err)
	f.equal("paused or suppressed", f.newcomers(), 0)
	f.now = f.now.Add(2 * time.Hour)
	f.equal("the pause is over", f.newcomers(), 1)
	f.now = f.now.Add(72 * time.Hour)
	f.equal("too long ago", f.newcomers(), 0)

	// Who left by mistake has been welcomed; who was long away is new.
	for _, x := range []struct {
		away time.Duration
		want int
	}{{time.Hour, 0}, {store.WelcomeAgainAfter + time.Hour, 1}} {
		f.check(f.Unsubscribe(f.ctx, f.now, b, "weekly"))
		f.now = f.now.Add(x.away)
		f.reader("b@example.com", "weekly")
		f.equal("back after "+x.away.String(), f.newcomers(), x.want)
	}
	// They have the edition: it does not come twice.
	d := f.reader("d@example.com", "weekly")
	_, err = f.greet(posts...)
	f.check(err)
	f.equal("once each", len(f.deliveries(e.ID, "")), 2)
	f.equal("nobody is left", f.newcomers(), 0)

	// On their own page they may come to another newsletter.
	f.check(f.SetPreferences(f.ctx, f.now, d, store.Preferences{Subscriptions: []store.Subscription{{Newsletter: "news", Status: store.StatusActive}}}))
	f.equal("on their own page", f.subscription(d, "news").JoinedAt, f.now)

	// One that was cancelled takes nobody.
	f.check(f.CancelEdition(f.ctx, f.now, e.ID))
	f.reader("e@example.com", "weekly")
	_, err = f.greet(posts...)
	f.check(err)
	f.equal("cancelled", len(f.deliveries(e.ID, "")), 2)
	f.equal("and they are welcomed", f.newcomers(), 0)
	list, total := f.past("", 0, 9)
	f.equal("lists do not show it", words(list, total), words([]string(nil), 0))
}
