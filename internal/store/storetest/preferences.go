package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

// events gives what is on record of a person, oldest first.
func (f *fixture) events(id int64) []string {
	f.t.Helper()
	list, err := f.Consents(f.ctx, id)
	f.check(err)
	var out []string
	for _, c := range list {
		out = append(out, words(c.Event, c.Newsletter))
	}
	return out
}

func testPreferences(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	f.signUp("a@example.com", "news")
	before := f.now
	f.now = f.now.Add(time.Hour)
	set := func(subs ...store.Subscription) store.Subscriber {
		f.t.Helper()
		f.check(f.SetPreferences(f.ctx, f.now, id, store.Preferences{
			Language: "de", Timezone: "Europe/Berlin", Format: store.FormatText, QuietHours: "22-7", Subscriptions: subs,
		}))
		return f.person(id)
	}
	weekly := store.Subscription{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"go", "db"}, Categories: []string{"x"},
		Frequency: "daily", Hour: "6", PausedUntil: f.now.Add(48 * time.Hour)}
	p := set(weekly)
	f.equal("person", words(p.Language, p.Timezone, p.Format, p.QuietHours), words("de", "Europe/Berlin", store.FormatText, "22-7"))
	want := weekly
	want.Tags, want.CreatedAt, want.AskedAt, want.ConfirmedAt, want.JoinedAt = []string{"db", "go"}, before, before, before, before
	f.equal("changed", f.subscription(id, "weekly"), want)
	f.equal("not named", f.subscription(id, "news").Status, store.StatusPending)

	// What becomes active is confirmed by its owner, also after they have left.
	set(store.Subscription{Newsletter: "news", Status: store.StatusActive}, store.Subscription{Newsletter: "other", Status: store.StatusActive},
		store.Subscription{Newsletter: "weekly", Status: store.StatusUnsubscribed})
	news := f.subscription(id, "news")
	f.equal("confirmed", words(news.Status, news.Frequency, news.ConfirmedAt), words(store.StatusActive, store.CadenceSchedule, f.now))
	f.equal("new", f.subscription(id, "other").Status, store.StatusActive)
	left := f.subscription(id, "weekly")
	f.equal("left", words(left.Status, left.EndedAt, left.WasActive), words(store.StatusUnsubscribed, f.now, true))
	_, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.fails("suppression while something is active", err, store.ErrNotFound)

	set(store.Subscription{Newsletter: "news", Status: store.StatusUnsubscribed}, store.Subscription{Newsletter: "other", Status: store.StatusUnsubscribed},
		store.Subscription{Newsletter: "weekly", Status: store.StatusUnsubscribed})
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("all left", x.Reason, store.ReasonUnsubscribed)
	set(weekly)
	_, err = f.Suppressed(f.ctx, key("a@example.com"))
	f.fails("suppression after coming back", err, store.ErrNotFound)
	f.equal("back", words(f.subscription(id, "weekly").Status, f.subscription(id, "weekly").EndedAt), words(store.StatusActive, time.Time{}))
	set(weekly)
	f.equal("on record", f.events(id), []string{"asked weekly", "confirmed weekly", "asked news", "changed weekly", "confirmed news", "confirmed other", "left weekly",
		"left news", "left other", "confirmed weekly"})

	// All or nothing; a bounce is not lifted.
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("a@example.com"), Reason: store.ReasonBounce, At: f.now}})
	f.check(err)
	set(weekly)
	x, err = f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("bounced", x.Reason, store.ReasonBounce)
	err = f.SetPreferences(f.ctx, f.now, id, store.Preferences{Language: "fr", Subscriptions: []store.Subscription{
		{Newsletter: "weekly", Status: store.StatusUnsubscribed}, {Newsletter: "news", Status: "maybe"}}})
	if err == nil {
		f.t.Fatalf("a status that does not exist was accepted")
	}
	f.equal("after a failure", words(f.person(id).Language, f.subscription(id, "weekly").Status), words("de", store.StatusActive))
	f.fails("of nobody", f.SetPreferences(f.ctx, f.now, 999, store.Preferences{}), store.ErrNotFound)
}

func testReturn(_ *testing.T, f *fixture) {
	week := 7 * 24 * time.Hour
	id := f.reader("a@example.com", "weekly")
	f.reader("a@example.com", "news")
	f.reader("a@example.com", "other")
	f.signUp("a@example.com", "pending")
	status := func() string {
		var s []any
		for _, name := range []string{"news", "other", "pending", "weekly"} {
			s = append(s, f.subscription(id, name).Status)
		}
		return words(s...)
	}
	back := func() []string {
		f.t.Helper()
		names, err := f.Return(f.ctx, f.now, id, "weekly", f.now.Add(-week))
		f.check(err)
		return names
	}
	f.equal("nothing to take back", len(back()), 0)

	f.check(f.Unsubscribe(f.ctx, f.now, id, "other"))
	f.now = f.now.Add(time.Hour)
	before := f.subscription(id, "weekly")
	f.check(f.Unsubscribe(f.ctx, f.now, id, ""))
	f.check(f.Unsubscribe(f.ctx, f.now.Add(time.Minute), id, "")) // twice changes nothing
	f.check(f.SayWhy(f.ctx, id, "weekly", "too_many"))
	f.equal("why", f.subscription(id, "weekly").LeftBecause, "too_many")
	counts, err := f.WhyLeft(f.ctx)
	f.check(err)
	f.equal("reasons", counts["weekly"], map[string]int{"too_many": 1})

	f.now = f.now.Add(week - time.Hour)
	f.equal("what ended with it", back(), []string{"news", "weekly"})
	f.equal("states", status(), words(store.StatusActive, store.StatusUnsubscribed, store.StatusUnsubscribed, store.StatusActive))
	f.equal("as it was", f.subscription(id, "weekly"), before)
	_, err = f.Suppressed(f.ctx, key("a@example.com"))
	f.fails("suppression", err, store.ErrNotFound)
	f.equal("again", len(back()), 0)
	f.check(f.SayWhy(f.ctx, id, "weekly", "late"))
	f.equal("no reason of who has not left", f.subscription(id, "weekly").LeftBecause, "")

	// Too late, and not what a bounce did.
	f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("a@example.com"), Reason: store.ReasonBounce, At: f.now}})
	f.check(err)
	f.equal("in time", back(), []string{"weekly"})
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("a bounce stays", x.Reason, store.ReasonBounce)
	f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	f.now = f.now.Add(week + time.Second)
	f.equal("too late", len(back()), 0)
	_, err = f.Return(f.ctx, f.now, 999, "weekly", epoch)
	f.fails("of nobody", err, store.ErrNotFound)
}

func testMoveAddress(_ *testing.T, f *fixture) {
	id, other := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	ask := func(email string) {
		f.check(f.AskAddress(f.ctx, f.now, id, email, key(email), 3, f.now.Add(-time.Hour)))
	}
	claimed := func() (list []string) {
		f.t.Helper()
		ns, err := f.ClaimNotices(f.ctx, f.now, f.now.Add(time.Hour), 9)
		f.check(err)
		for _, n := range ns {
			if n.Kind != store.NoticeConfirm {
				list = append(list, words(n.Kind, n.Email, n.Newsletter))
			}
		}
		return list
	}
	claimed()
	ask("old@example.com")
	ask("new@example.com")
	f.equal("notices", claimed(), []string{"moving a@example.com weekly", "address new@example.com weekly", "moving a@example.com weekly"})
	f.equal("not yet", words(f.person(id).Email, f.person(id).NextEmail), "a@example.com new@example.com")
	f.fails("another one", f.MoveAddress(f.ctx, f.now, id, key("old@example.com")), store.ErrNotFound)
	f.fails("none", f.MoveAddress(f.ctx, f.now, other, ""), store.ErrNotFound)
	f.check(f.MoveAddress(f.ctx, f.now, id, key("new@example.com")))
	p := f.person(id)
	f.equal("moved", words(p.Email, p.Key, p.NextEmail), words("new@example.com", key("new@example.com"), ""))
	f.fails("twice", f.MoveAddress(f.ctx, f.now, id, key("new@example.com")), store.ErrNotFound)
	f.equal("on record", f.events(id), []string{"asked weekly", "confirmed weekly", "moved "})
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("the former one", words(x.Email, x.Reason), words("", store.ReasonUnsubscribed))
	report, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{{Line: 2, Subscriber: store.Subscriber{Email: "a@example.com", Key: key("a@example.com"),
		Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}}}}}, false)
	f.check(err)
	f.equal("an old list does not bring it back", words(report.Added, report.Suppressed), words(0, 1))

	ask("b@example.com")
	f.fails("somebody else's", f.MoveAddress(f.ctx, f.now, id, key("b@example.com")), store.ErrExists)
	f.now = f.now.Add(2 * time.Hour)
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("c@example.com"), Reason: store.ReasonComplaint, At: f.now}})
	f.check(err)
	ask("c@example.com")
	f.fails("one that complained", f.MoveAddress(f.ctx, f.now, id, key("c@example.com")), store.ErrConflict)
	for _, n := range claimed() {
		if n == "address c@example.com weekly" {
			f.t.Fatalf("one that complained is mailed")
		}
	}
	for _, email := range []string{"1@example.com", "2@example.com", "3@example.com"} {
		ask(email)
	}
	f.equal("asked too often", f.person(id).NextEmail, "2@example.com")
	f.check(f.EraseSubscriber(f.ctx, f.now, f.reader("2@example.com", "weekly")))
	f.equal("one that was erased", f.person(id).NextEmail, "")
	f.fails("of nobody", f.AskAddress(f.ctx, f.now, 999, "x@example.com", key("x@example.com"), 3, f.now), store.ErrNotFound)
}

// testAskLink: a sign-up for nothing, or for what one has, gets the link to one's
// own page; who is not on record gets nothing.
func testAskLink(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	_, err := f.ClaimNotices(f.ctx, f.now, f.now.Add(24*time.Hour), 9)
	f.check(err)
	claimed := func() int {
		f.t.Helper()
		ns, err := f.ClaimNotices(f.ctx, f.now, f.now.Add(24*time.Hour), 9)
		f.check(err)
		for _, n := range ns {
			f.equal("notice", words(n.Kind, n.Email, n.SubscriberID), words(store.NoticeLink, "a@example.com", id))
		}
		return len(ns)
	}
	f.attended(person("nobody@example.com"))
	f.equal("for nobody", claimed(), 0)
	f.attended(person("a@example.com"))
	f.equal("once", claimed(), 1)
	f.attended(person("a@example.com"), store.Subscription{Newsletter: "weekly", Tags: []string{"spam"}})
	f.equal("who has it already", claimed(), 1)
	f.equal("as it was", len(f.subscription(id, "weekly").Tags), 0)
	f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	f.attended(person("a@example.com"))
	f.equal("who has left", claimed(), 1)
	_, err = f.Suppress(f.ctx, []store.Suppression{{Key: key("a@example.com"), Reason: store.ReasonComplaint, At: f.now}})
	f.check(err)
	f.attended(person("a@example.com"))
	f.equal("who complained", claimed(), 0)
}

func testConsents(_ *testing.T, f *fixture) {
	asked := store.WithOrigin(f.ctx, store.Origin{Source: "web /subscribe", Wording: "Subscribe"})
	p := person("a@example.com")
	p.Subscriptions = []store.Subscription{{Newsletter: "weekly"}}
	_, err := f.QueueSignUp(asked, f.now, store.SignUp{Subscriber: p}, store.SignUpLimits{PerMailbox: 1, All: 1, MailboxSince: f.now, AllSince: f.now})
	f.check(err)
	_, err = f.ApplySignUps(f.ctx, f.now, 1)
	f.check(err)
	who, err := f.SubscriberByEmail(f.ctx, "a@example.com")
	f.check(err)
	id := who.ID
	ctx := store.WithOrigin(f.ctx, store.Origin{Source: "web /confirm", Wording: "I want it", Network: "192.0.2.0/24"})
	f.check(f.Confirm(ctx, f.now, id, "weekly"))
	f.now = f.now.Add(time.Minute)
	ctx = store.WithOrigin(f.ctx, store.Origin{Source: "web /preferences", Wording: "I want it"})
	f.check(f.SetPreferences(ctx, f.now, id, store.Preferences{Subscriptions: []store.Subscription{
		{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"go"}, Frequency: "daily"}}}))
	list, err := f.Consents(f.ctx, id)
	f.check(err)
	f.equal("consents", list, []store.Consent{
		{Newsletter: "weekly", Event: store.ConsentAsked, Frequency: store.CadenceSchedule, At: f.now.Add(-time.Minute),
			Origin: store.Origin{Source: "web /subscribe", Wording: "Subscribe"}},
		{Newsletter: "weekly", Event: store.ConsentConfirmed, Frequency: store.CadenceSchedule, At: f.now.Add(-time.Minute),
			Origin: store.Origin{Source: "web /confirm", Wording: "I want it", Network: "192.0.2.0/24"}},
		{Newsletter: "weekly", Event: store.ConsentChanged, Tags: []string{"go"}, Frequency: "daily", At: f.now,
			Origin: store.Origin{Source: "web /preferences", Wording: "I want it"}},
	})
	f.check(f.EraseSubscriber(f.ctx, f.now, id))
	f.equal("erased", len(f.events(id)), 0)

	// An import is applied by whoever comes by, and says where it is from.
	ctx = store.WithOrigin(f.ctx, store.Origin{Source: "list.csv"})
	p = person("b@example.com")
	p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"go"}}, {Newsletter: "news", Status: store.StatusPending}}
	im, err := f.BeginImport(ctx, f.now)
	f.check(err)
	f.check(f.StageImport(f.ctx, f.now, im, []store.ImportRow{{Line: 1, Subscriber: p}}))
	f.check(f.DecideImport(f.ctx, f.now, im))
	_, err = f.ApplyImport(f.ctx, f.now, time.Second, nil)
	f.check(err)
	who, err = f.SubscriberByEmail(f.ctx, "b@example.com")
	f.check(err)
	list, err = f.Consents(f.ctx, who.ID)
	f.check(err)
	f.equal("imported", list, []store.Consent{{Newsletter: "weekly", Event: store.ConsentImported, Tags: []string{"go"},
		Frequency: store.CadenceSchedule, At: f.now, Origin: store.Origin{Source: "list.csv"}}})
}

func testTraces(_ *testing.T, f *fixture) {
	id := f.reader("a@example.com", "weekly")
	posts := f.posts(2)
	e := f.plan("weekly", posts...)
	f.plan("weekly", posts...) // nothing is left of it
	tr, err := f.Traces(f.ctx, id)
	f.check(err)
	f.equal("mails", len(tr.Deliveries), 1)
	d := tr.Deliveries[0]
	f.equal("mail", words(d.EditionID, d.Newsletter, d.State, len(d.Posts)), words(e.ID, "weekly", store.DeliveryPending, 2))
	if d.Subject == "" {
		f.t.Fatalf("no subject")
	}
	f.equal("notices", words(len(tr.Notices), tr.Notices[0].Kind, tr.Notices[0].CreatedAt), words(1, store.NoticeConfirm, f.now))
	f.equal("not suppressed", tr.Suppression == nil, true)
	_, err = f.RecordBounces(f.ctx, f.now, policy, []store.Bounce{{DeliveryRef: store.DeliveryRef{EditionID: e.ID, Seq: 1}, Class: store.BounceComplaint, At: f.now}})
	f.check(err)
	tr, err = f.Traces(f.ctx, id)
	f.check(err)
	f.equal("complaint", words(len(tr.Bounces), tr.Suppression.Reason), words(1, store.ReasonComplaint))
	_, err = f.Traces(f.ctx, 999)
	f.fails("of nobody", err, store.ErrNotFound)
}
