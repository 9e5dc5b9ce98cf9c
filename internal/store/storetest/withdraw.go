package storetest

import (
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
)

// wantsBut wants everything but mails with a post, and editions of another
// cadence than the subscription's.
func wantsBut(post int64) store.Wants {
	return func(s store.Subscription, m store.UnderWay) bool {
		return !slices.Contains(m.PostIDs, post) && (m.Manual || s.Frequency == m.Cadence)
	}
}

// choose saves topics and a frequency of the weekly.
func (f *fixture) choose(id int64, frequency string, w store.Wants, tags ...string) {
	f.t.Helper()
	f.now = f.now.Add(time.Minute)
	f.check(f.SetPreferences(f.ctx, f.now, id, store.Preferences{Wants: w, Subscriptions: []store.Subscription{
		{Newsletter: "weekly", Status: store.StatusActive, Frequency: frequency, Tags: tags}}}))
}

// testWithdraw lets readers choose something else while mails are under way: what
// they do not want any more does not come, and is due again.
func testWithdraw(_ *testing.T, f *fixture) {
	narrow, other, idle := f.reader("narrow@example.com", "weekly"), f.reader("other@example.com", "weekly"), f.reader("idle@example.com", "weekly")
	posts := f.posts(2)
	e := f.plan("weekly", posts[0])
	second := f.plan("weekly", posts[1])
	f.choose(narrow, store.CadenceSchedule, wantsBut(posts[0]), "b")
	f.choose(other, store.CadenceMonthly, wantsBut(posts[0])) // by hand is for everybody
	f.choose(idle, store.CadenceSchedule, wantsBut(posts[0])) // as it was
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 3, Suppressed: 2, Pending: 1})
	f.account(second.ID, store.EditionSending, store.Counts{Eligible: 3, Pending: 3})
	gone := f.deliveries(e.ID, store.DeliverySuppressed)
	f.equal("suppressed", words(len(gone), gone[0].Reason, gone[0].SubscriberID), words(2, store.ReasonChanged, narrow))
	again := f.plan("weekly", posts[0])
	f.account(again.ID, store.EditionSending, store.Counts{Eligible: 3, Pending: 2, Empty: 1})
}

// testWithdrawClaimed does so while a sender holds the mail.
func testWithdrawClaimed(_ *testing.T, f *fixture) {
	var readers []int64
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"} {
		readers = append(readers, f.reader(email, "weekly"))
	}
	posts := f.posts(1)
	e := f.plan("weekly", posts...)
	jobs := f.claim("x", 9)
	for i, id := range readers {
		f.choose(id, store.CadenceSchedule, wantsBut(posts[0]), "b")
		state, reason, err := f.Unwanted(f.ctx, f.now, jobs[i].DeliveryRef)
		f.check(err)
		f.equal("looked at again", words(state, reason), words(store.DeliverySuppressed, store.ReasonChanged))
	}
	f.choose(readers[0], store.CadenceSchedule, wantsBut(0), "a") // after all
	state, _, err := f.Unwanted(f.ctx, f.now, jobs[0].DeliveryRef)
	f.check(err)
	f.equal("wanted after all", state, "")
	f.record("x", store.Result{State: store.DeliveryPending}, jobs[0], jobs[1])
	f.record("x", store.Result{State: store.DeliverySent, Counted: true}, jobs[2])
	f.record("x", store.Result{State: store.DeliveryPending, Resent: true, Counted: true}, jobs[3])
	f.record("x", store.Result{State: store.DeliveryFailed, Counted: true}, jobs[4])
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 5, Pending: 1, Suppressed: 1, Sent: 1, InDoubt: 1, Failed: 1})
	f.equal("why", f.deliveries(e.ID, store.DeliverySuppressed)[0].Reason, store.ReasonChanged)
	n, err := f.RetryEdition(f.ctx, f.now, e.ID, f.now.Add(time.Hour))
	f.check(err)
	f.equal("retried", n, 0)
}

// testWithdrawWaiting does so while an edition waits for approval, or stands.
func testWithdrawWaiting(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	posts := f.posts(1)
	waits := f.edition("weekly")
	waits.Status = store.EditionPlanned
	waits, _, err := f.PlanEdition(f.ctx, f.now, waits, posts, &due{posts: posts}, false)
	f.check(err)
	f.choose(id, store.CadenceSchedule, wantsBut(posts[0]), "b")
	f.account(waits.ID, store.EditionPlanned, store.Counts{Eligible: 1, Suppressed: 1})
	f.check(f.ResumeEdition(f.ctx, f.now, waits.ID))
	f.account(waits.ID, store.EditionFinished, store.Counts{Eligible: 1, Suppressed: 1})

	stands := f.plan("weekly", posts...)
	f.check(f.PauseEdition(f.ctx, f.now, stands.ID))
	f.choose(id, store.CadenceSchedule, wantsBut(posts[0]), "c")
	f.account(stands.ID, store.EditionFinished, store.Counts{Eligible: 1, Suppressed: 1})
}

// testWithdrawImported lets a file change what a reader wants.
func testWithdrawImported(_ *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	posts := f.posts(1)
	e := f.plan("weekly", posts...)
	in, err := f.BeginImport(f.ctx, f.now)
	f.check(err)
	row := store.ImportRow{Line: 2, Subscriber: person("a@example.com")}
	row.Subscriber.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"b"}}}
	f.check(f.StageImport(f.ctx, f.now, in, []store.ImportRow{row}))
	f.check(f.DecideImport(f.ctx, f.now, in))
	_, err = f.ApplyImport(f.ctx, f.now, time.Second, wantsBut(posts[0]))
	f.check(err)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 1, Suppressed: 1})
}

// testHastened changes the quiet hours of readers whose mails wait.
func testHastened(_ *testing.T, f *fixture) {
	quiet, retried := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	e := f.plan("weekly", f.posts(1)...)
	later := f.now.Add(9 * time.Hour)
	jobs := f.claim("x", 9)
	f.record("x", store.Result{State: store.DeliveryPending, NextAt: later}, jobs[0])
	f.record("x", store.Result{State: store.DeliveryPending, NextAt: later, Counted: true}, jobs[1])
	for _, id := range []int64{quiet, retried} {
		f.check(f.SetPreferences(f.ctx, f.now, id, store.Preferences{Language: "de"}))
	}
	f.equal("another language", len(f.claim("x", 9)), 0)
	for _, id := range []int64{quiet, retried} {
		f.check(f.SetPreferences(f.ctx, f.now, id, store.Preferences{QuietHours: "1-2"}))
	}
	f.equal("other quiet hours", emails(f.claim("x", 9)), []string{"a@example.com"})
	f.equal("to be tried again", f.deliveries(e.ID, store.DeliveryPending)[0].NextAt, later)
}
