package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

// importOne imports one row with one subscription.
func (f *fixture) importOne(email string, sub store.Subscription, confirm bool) store.ImportReport {
	f.t.Helper()
	p := person(email)
	p.Subscriptions = []store.Subscription{sub}
	report, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{{Line: 7, Subscriber: p, Confirm: confirm}}, false)
	f.check(err)
	return report
}

// testImportStates goes through every state a subscription can be in and
// every state a file can wish.
func testImportStates(_ *testing.T, f *fixture) {
	const pending, active, left, none = store.StatusPending, store.StatusActive, store.StatusUnsubscribed, ""
	added, updated, same, refused := store.ImportReport{Added: 1}, store.ImportReport{Updated: 1},
		store.ImportReport{Unchanged: 1}, store.ImportReport{Suppressed: 1, SuppressedLines: []int{7}}
	for i, c := range []struct {
		have, want, then string
		report           store.ImportReport
		notice           bool
	}{
		{none, pending, pending, added, true},
		{none, active, active, added, false},
		{none, left, left, added, false},
		{pending, pending, pending, same, false},
		{pending, active, active, updated, false},
		{pending, left, left, updated, false},
		{active, pending, active, same, false},
		{active, active, active, same, false},
		{active, left, left, updated, false},
		{left, pending, left, refused, false},
		{left, active, left, refused, false},
		{left, left, left, same, false},
		{"left, then signed up", active, left, refused, false},
		{"left, then signed up", pending, left, refused, false},
		{"left, then signed up", left, left, same, false},
		{"bounced", active, active, refused, false},
		{"bounced", left, active, refused, false},
		{"erased", active, none, refused, false},
	} {
		name := fmt.Sprintf("%q wanting %q", c.have, c.want)
		email := fmt.Sprintf("r%d@example.com", i)
		f.arrange(email, c.have)
		_, err := f.ClaimNotices(f.ctx, f.now, f.now.AddDate(9, 0, 0), 99) // those of the sign-ups
		f.check(err)
		f.equal(name+": report", f.importOne(email, store.Subscription{Newsletter: "weekly", Status: c.want}, true), c.report)
		status := none
		if p, err := f.SubscriberByEmail(f.ctx, email); err == nil {
			status = f.subscription(p.ID, "weekly").Status
		}
		f.equal(name+": status", status, c.then)
		notices, err := f.ClaimNotices(f.ctx, f.now, f.now.AddDate(9, 0, 0), 99)
		f.check(err)
		f.equal(name+": notice", len(notices) == 1, c.notice)
	}
}

// arrange brings an address into a state.
func (f *fixture) arrange(email, state string) {
	f.t.Helper()
	if state == "" {
		return
	}
	id := f.signUp(email, "weekly")
	if state == store.StatusPending {
		return
	}
	f.check(f.Confirm(f.ctx, f.now, id, "weekly"))
	switch state {
	case store.StatusUnsubscribed:
		f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
	case "left, then signed up":
		f.check(f.Unsubscribe(f.ctx, f.now, id, "weekly"))
		f.signUp(email, "weekly")
	case "bounced":
		_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key(email), Email: email, Reason: store.ReasonBounce, At: f.now}})
		f.check(err)
	case "erased":
		f.check(f.EraseSubscriber(f.ctx, f.now, id))
	}
}

func testImportFields(_ *testing.T, f *fixture) {
	row := store.ImportRow{Line: 2, Subscriber: store.Subscriber{
		Email: "a@example.com", Key: key("a@example.com"), Name: "Anna", Language: "de", Timezone: "Europe/Berlin",
		Format: store.FormatText, QuietHours: "22-7", CreatedAt: epoch.AddDate(-1, 0, 0),
		Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"go", "db"},
			Frequency: "daily", Hour: "6", PausedUntil: epoch.Add(48 * time.Hour), CreatedAt: epoch.AddDate(-1, 0, 0), ConfirmedAt: epoch.AddDate(0, -6, 0)}},
	}}
	apply := func(what string, want store.ImportReport) store.Subscriber {
		f.t.Helper()
		report, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{row}, false)
		f.check(err)
		f.equal(what, report, want)
		p, err := f.SubscriberByEmail(f.ctx, "a@example.com")
		f.check(err)
		return p
	}
	full := apply("new", store.ImportReport{Added: 1})
	want := row.Subscriber
	want.ID, want.Subscriptions = full.ID, []store.Subscription{row.Subscriber.Subscriptions[0]}
	want.Subscriptions[0].Tags = []string{"db", "go"}
	f.equal("every field", full, want)

	// What a file leaves out stays.
	row.Subscriber = store.Subscriber{Email: "A@example.com", Key: key("a@example.com"),
		Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}}}
	f.equal("blank", apply("blank", store.ImportReport{Unchanged: 1}), full)

	row.Subscriber.Name = "Ann"
	f.equal("name", apply("name", store.ImportReport{Updated: 1}).Name, "Ann")
	row.Subscriber.Subscriptions[0].Tags = []string{}
	f.equal("no tags", len(apply("no tags", store.ImportReport{Updated: 1}).Subscriptions[0].Tags), 0)
	row.Subscriber.Subscriptions[0].Frequency = "weekly"
	f.equal("frequency", apply("frequency", store.ImportReport{Updated: 1}).Subscriptions[0].Frequency, "weekly")
	row.Subscriber.Subscriptions[0].Newsletter = "daily"
	f.equal("another newsletter", len(apply("another newsletter", store.ImportReport{Updated: 1}).Subscriptions), 2)
}

// testImportErased brings back whom an export tells of: somebody who was erased
// and has signed up since. An export from before the erasure brings nobody back.
func testImportErased(_ *testing.T, f *fixture) {
	const email = "a@example.com"
	row := func(status string, created time.Time) store.ImportRow {
		p := person(email)
		p.CreatedAt, p.Subscriptions = created, []store.Subscription{{Newsletter: "weekly", Status: status, CreatedAt: created}}
		return store.ImportRow{Line: 2, Subscriber: p, Suppress: store.ReasonErased}
	}
	apply := func(what string, r store.ImportRow, known bool) {
		f.t.Helper()
		report, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{r}, false)
		f.check(err)
		f.equal(what, report, store.ImportReport{Suppressed: 1, SuppressedLines: []int{2}})
		_, err = f.SubscriberByEmail(f.ctx, email)
		f.equal(what+": on record", errors.Is(err, store.ErrNotFound), !known)
	}
	erase := func() {
		p, err := f.SubscriberByEmail(f.ctx, email)
		f.check(err)
		f.check(f.EraseSubscriber(f.ctx, f.now, p.ID))
	}
	f.check(f.Unsubscribe(f.ctx, f.now, f.reader(email, "weekly"), ""))
	f.now = f.now.Add(time.Hour)
	erase()
	since := f.now.Add(time.Minute)
	apply("from before", row(store.StatusPending, f.now.Add(-time.Minute)), false)
	apply("active", row(store.StatusActive, since), false)
	apply("since", row(store.StatusPending, since), true)
	x, err := f.Suppressed(f.ctx, key(email))
	f.check(err)
	f.equal("suppression", x, store.Suppression{Key: key(email), Reason: store.ReasonErased, At: f.now})
	f.now = f.now.Add(time.Hour)
	erase()
	apply("from between two erasures", row(store.StatusPending, since), false)

	// Where nothing is known of them, the list of the suppressed gets no address.
	f.check(f.Unsuppress(f.ctx, key(email)))
	apply("elsewhere", row(store.StatusPending, since), true)
	x, err = f.Suppressed(f.ctx, key(email))
	f.check(err)
	f.equal("suppression elsewhere", x, store.Suppression{Key: key(email), Reason: store.ReasonErased, At: f.now})
}

func testImport(t *testing.T, f *fixture) {
	row := func(line int, email, status string) store.ImportRow {
		p := person(email)
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: status}}
		return store.ImportRow{Line: line, Subscriber: p, Confirm: true}
	}
	rows := []store.ImportRow{row(2, "a@example.com", store.StatusActive), row(3, "b@example.com", store.StatusPending),
		row(4, "A@example.com", store.StatusActive), row(5, "b@example.com", store.StatusActive)}
	rows[2].Subscriber.Key = key("a@example.com")
	want := store.ImportReport{Added: 2, Updated: 1, Unchanged: 1}

	dry, err := f.ImportSubscribers(f.ctx, f.now, rows, true)
	f.check(err)
	f.equal("dry run", dry, want)
	_, err = f.SubscriberByEmail(f.ctx, "a@example.com")
	f.fails("after a dry run", err, store.ErrNotFound)

	_, err = f.ImportSubscribers(f.ctx, f.now, append(rows, row(6, "c@example.com", "maybe")), false)
	if err == nil {
		t.Fatal("a status that does not exist was accepted")
	}
	_, err = f.SubscriberByEmail(f.ctx, "a@example.com")
	f.fails("after a failure", err, store.ErrNotFound)

	report, err := f.ImportSubscribers(f.ctx, f.now, rows, false)
	f.check(err)
	f.equal("import", report, want)
}
