package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/store"
)

// wanting is a row that wants a subscription to weekly.
func wanting(line int, email, status string) store.ImportRow {
	p := person(email)
	p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: status}}
	return store.ImportRow{Line: line, Subscriber: p}
}

// staged makes an import of rows that is not decided.
func (f *fixture) staged(rows ...store.ImportRow) (id int64) {
	f.t.Helper()
	id, err := f.BeginImport(f.ctx, f.now)
	f.check(err)
	f.check(f.StageImport(f.ctx, f.now, id, rows))
	return id
}

// applied applies what is left.
func (f *fixture) applied() (rows int) {
	f.t.Helper()
	for {
		n, err := f.ApplyImport(f.ctx, f.now, 0, nil)
		f.check(err)
		if n == 0 {
			return rows
		}
		rows += n
	}
}

func (f *fixture) left() int {
	f.t.Helper()
	n, err := f.ImportsLeft(f.ctx)
	f.check(err)
	return n
}

func testStagedImport(_ *testing.T, f *fixture) {
	var rows []store.ImportRow
	for i := range 1200 { // several chunks
		rows = append(rows, wanting(i+2, fmt.Sprintf("r%d@example.com", i), store.StatusActive))
	}
	id := f.staged(rows[:600]...)
	f.check(f.StageImport(f.ctx, f.now, id, rows[600:]))
	f.equal("rows to apply before it is decided", f.left(), 0)
	f.equal("applied before it is decided", f.applied(), 0)
	_, err := f.SubscriberByEmail(f.ctx, "r0@example.com")
	f.fails("before it is decided", err, store.ErrNotFound)
	_, err = f.TakeImport(f.ctx, id)
	f.fails("taking before it is decided", err, store.ErrConflict)

	f.check(f.DecideImport(f.ctx, f.now, id))
	f.equal("rows to apply", f.left(), 1200)
	f.fails("staging when it is decided", f.StageImport(f.ctx, f.now, id, rows[:1]), store.ErrConflict)
	f.fails("deciding twice", f.DecideImport(f.ctx, f.now, id), store.ErrConflict)
	some, err := f.ApplyImport(f.ctx, f.now, 0, nil)
	f.check(err)
	if some == 0 || some == 1200 {
		f.t.Fatalf("in no time %d rows were applied", some)
	}
	f.equal("rows left", f.left(), 1200-some)
	_, err = f.DropImport(f.ctx, id)
	f.fails("dropping one that is being applied", err, store.ErrConflict)
	_, err = f.TakeImport(f.ctx, id)
	f.fails("taking one that is being applied", err, store.ErrConflict)
	f.equal("the others", f.applied(), 1200-some)
	report, err := f.TakeImport(f.ctx, id)
	f.check(err)
	f.equal("report", report, store.ImportReport{Added: 1200})
	_, err = f.TakeImport(f.ctx, id)
	f.fails("taking twice", err, store.ErrConflict)
	counts, err := f.CountSubscribers(f.ctx)
	f.check(err)
	f.equal("subscribers", counts["weekly"][store.StatusActive], 1200)
}

// testLeavingMeanwhile has people leave while an import of them is under way.
func testLeavingMeanwhile(_ *testing.T, f *fixture) {
	ann, bo, cy := f.reader("ann@example.com", "weekly"), f.reader("bo@example.com", "weekly"), f.reader("cy@example.com", "weekly")
	id := f.staged(wanting(2, "ann@example.com", store.StatusActive), wanting(3, "bo@example.com", store.StatusActive),
		wanting(4, "cy@example.com", store.StatusActive), wanting(5, "di@example.com", store.StatusActive))
	f.check(f.DecideImport(f.ctx, f.now, id))
	f.check(f.Unsubscribe(f.ctx, f.now, ann, "weekly"))
	f.check(f.EraseSubscriber(f.ctx, f.now, bo))
	_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key("di@example.com"), Email: "di@example.com", Reason: store.ReasonComplaint, At: f.now}})
	f.check(err)
	f.applied()
	report, err := f.TakeImport(f.ctx, id)
	f.check(err)
	f.equal("report", report, store.ImportReport{Unchanged: 1, Suppressed: 3, SuppressedLines: []int{2, 3, 5}})
	f.equal("who left", f.subscription(ann, "weekly").Status, store.StatusUnsubscribed)
	f.equal("who stayed", f.subscription(cy, "weekly").Status, store.StatusActive)
	for _, email := range []string{"bo@example.com", "di@example.com"} {
		_, err = f.SubscriberByEmail(f.ctx, email)
		f.fails(email, err, store.ErrNotFound)
	}
}

func testDroppedImport(_ *testing.T, f *fixture) {
	id := f.staged(wanting(2, "a@example.com", store.StatusActive))
	decided := f.staged(wanting(2, "b@example.com", store.StatusActive))
	f.check(f.DecideImport(f.ctx, f.now, decided))
	f.now = f.now.Add(time.Hour)
	fresh := f.staged(wanting(2, "c@example.com", store.StatusActive))
	stale, err := f.StaleImports(f.ctx, f.now)
	f.check(err)
	f.equal("given up", stale, []int64{id})
	more, err := f.DropImport(f.ctx, id)
	f.check(err)
	f.equal("more to drop", more, false)
	f.fails("deciding what was dropped", f.DecideImport(f.ctx, f.now, id), store.ErrConflict)
	_, err = f.DropImport(f.ctx, id)
	f.check(err)
	f.check(f.DecideImport(f.ctx, f.now, fresh))
	f.equal("applied", f.applied(), 2)
	_, err = f.SubscriberByEmail(f.ctx, "a@example.com")
	f.fails("a dropped row", err, store.ErrNotFound)

	empty, err := f.BeginImport(f.ctx, f.now)
	f.check(err)
	f.check(f.DecideImport(f.ctx, f.now, empty))
	report, err := f.TakeImport(f.ctx, empty)
	f.check(err)
	f.equal("of no rows", report, store.ImportReport{})
}

func testStagingRefuses(_ *testing.T, f *fixture) {
	id := f.staged()
	for what, change := range map[string]func(*store.ImportRow){
		"no address": func(r *store.ImportRow) { r.Subscriber.Email = "" },
		"no key":     func(r *store.ImportRow) { r.Subscriber.Key = "" },
		"a status":   func(r *store.ImportRow) { r.Subscriber.Subscriptions[0].Status = "maybe" },
		"a format":   func(r *store.ImportRow) { r.Subscriber.Format = "pdf" },
	} {
		row := wanting(2, "a@example.com", store.StatusActive)
		change(&row)
		if err := f.StageImport(f.ctx, f.now, id, []store.ImportRow{row}); err == nil {
			f.t.Fatalf("%s was taken, and would stop the import when it is decided", what)
		}
	}
}

// testImportSuppresses imports people who are not to be mailed.
func testImportSuppresses(_ *testing.T, f *fixture) {
	row := wanting(2, "a@example.com", store.StatusUnsubscribed)
	row.Suppress, row.Note = store.ReasonBounce, "cleaned"
	row.Subscriber.Subscriptions[0].EndedAt = f.now.AddDate(0, -1, 0)
	second := wanting(3, "a@example.com", store.StatusActive)
	second.Subscriber.Subscriptions[0].Newsletter, second.Suppress = "daily", store.ReasonBounce
	for range 2 { // again changes nothing
		report, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{row, second}, false)
		f.check(err)
		f.equal("report", report, store.ImportReport{Suppressed: 2, SuppressedLines: []int{2, 3}})
	}
	x, err := f.Suppressed(f.ctx, key("a@example.com"))
	f.check(err)
	f.equal("suppression", x, store.Suppression{Key: key("a@example.com"), Email: "a@example.com",
		Reason: store.ReasonBounce, Note: "cleaned", At: f.now.AddDate(0, -1, 0)})
	p, err := f.SubscriberByEmail(f.ctx, "a@example.com")
	f.check(err)
	f.equal("subscriptions", len(p.Subscriptions), 2)
	e := f.plan("daily", f.posts(1)...)
	f.equal("readers of the newsletter in which it is active", e.Counts.Eligible, 0)

	// A file that says that somebody left, where they are on record as left.
	for _, status := range []string{store.StatusUnsubscribed, store.StatusPending, store.StatusActive} {
		email := status + "@example.com"
		_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key(email), Email: email, Reason: store.ReasonUnsubscribed, At: f.now}})
		f.check(err)
		row := wanting(2, email, status)
		row.Suppress = store.ReasonUnsubscribed
		_, err = f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{row}, false)
		f.check(err)
		_, err = f.SubscriberByEmail(f.ctx, email)
		f.equal(status+" comes in", err == nil, status != store.StatusActive)
	}
}

// testImportOfOnePerson has several rows tell of the same one.
func testImportOfOnePerson(_ *testing.T, f *fixture) {
	early := f.now.AddDate(-2, 0, 0)
	rows := []store.ImportRow{wanting(2, "a@example.com", store.StatusActive), wanting(3, "A@example.com", store.StatusPending)}
	rows[0].Subscriber.CreatedAt = f.now.AddDate(-1, 0, 0)
	rows[1].Subscriber.CreatedAt, rows[1].Confirm = early, true
	rows[1].Subscriber.Subscriptions[0].Newsletter = "daily"
	report, err := f.ImportSubscribers(f.ctx, f.now, rows, false)
	f.check(err)
	f.equal("report", report, store.ImportReport{Added: 1, Updated: 1})
	p, err := f.SubscriberByEmail(f.ctx, "a@example.com")
	f.check(err)
	f.equal("since", p.CreatedAt, early)
	f.equal("subscriptions", len(p.Subscriptions), 2)
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now.Add(time.Hour), 9)
	f.check(err)
	f.equal("notices", len(notices), 1)

	// Another secret: the same address has another key.
	rows[0].Subscriber.Key, rows[0].Subscriber.Name = "key:other", "Ann"
	report, err = f.ImportSubscribers(f.ctx, f.now, rows[:1], false)
	f.check(err)
	f.equal("report", report, store.ImportReport{Updated: 1})
	f.equal("key", f.person(p.ID).Key, "key:other")
}

// testImportEqualsDryRun has random people on record and random rows, and
// compares what a dry run tells, what an import does at once, and what it does in
// steps.
func testImportEqualsDryRun(t *testing.T, open func(*testing.T) store.Store) {
	stores := [2]*fixture{newFixture(t, open), newFixture(t, open)}
	turn := 0
	rapid.Check(t, func(rt *rapid.T) {
		turn++
		stores[0].t, stores[1].t = rt, rt
		address := func(i int) string { return fmt.Sprintf("r%d.%d@example.com", turn, i) }
		states := []string{"", store.StatusPending, store.StatusActive, store.StatusUnsubscribed, "left, then signed up", "bounced", "erased"}
		for i := range 6 {
			state := rapid.SampledFrom(states).Draw(rt, "state")
			for _, f := range stores {
				f.arrange(address(i), state)
			}
		}
		rows := map[string][]store.ImportRow{}
		for line := range rapid.IntRange(1, 12).Draw(rt, "rows") {
			r := wanting(line, address(rapid.IntRange(0, 5).Draw(rt, "person")), rapid.SampledFrom(states[1:4]).Draw(rt, "wanted"))
			r.Subscriber.Name = rapid.SampledFrom([]string{"", "Ann", "Bo"}).Draw(rt, "name")
			r.Subscriber.Subscriptions[0].Newsletter = rapid.SampledFrom([]string{"weekly", "daily"}).Draw(rt, "newsletter")
			r.Suppress = rapid.SampledFrom([]string{"", "", "", store.ReasonBounce, store.ReasonUnsubscribed}).Draw(rt, "suppress")
			r.Confirm = rapid.Bool().Draw(rt, "confirm")
			rows[r.Subscriber.Email] = append(rows[r.Subscriber.Email], r)
		}
		var sorted []store.ImportRow
		for i := range 6 {
			sorted = append(sorted, rows[address(i)]...)
		}
		dry, err := stores[0].ImportSubscribers(t.Context(), epoch, sorted, true)
		stores[0].check(err)
		once, err := stores[0].ImportSubscribers(t.Context(), epoch, sorted, false)
		stores[0].check(err)
		stores[0].equal("dry run", dry, once)
		id := stores[1].staged(sorted...)
		stores[1].check(stores[1].DecideImport(t.Context(), epoch, id))
		stores[1].applied()
		steps, err := stores[1].TakeImport(t.Context(), id)
		stores[1].check(err)
		stores[0].equal("in steps", steps, once)
		stores[0].equal("people", stores[1].everybody(), stores[0].everybody())
	})
}

// everybody gives all people, with the reasons for which they are suppressed.
func (f *fixture) everybody() (list []string) {
	f.check(f.EachSubscriber(f.ctx, store.SubscriberFilter{}, func(p store.Subscriber) error {
		list = append(list, fmt.Sprintf("%+v", p))
		return nil
	}))
	f.check(f.EachSuppression(f.ctx, func(x store.Suppression) error {
		list = append(list, fmt.Sprintf("%+v", x))
		return nil
	}))
	return list
}

// testSharedImport has several processes apply one import.
func testSharedImport(t *testing.T, a, b store.Store) {
	const people = 3000
	f := &fixture{Store: a, t: t, ctx: t.Context(), now: epoch}
	var rows []store.ImportRow
	for i := range people {
		rows = append(rows, wanting(i, fmt.Sprintf("r%d@example.com", i), store.StatusActive))
	}
	id := f.staged(rows...)
	f.check(f.DecideImport(f.ctx, f.now, id))
	var processes sync.WaitGroup
	applied := make([]int, 4)
	for i, s := range []store.Store{a, b, a, b} {
		processes.Go(func() {
			for {
				n, err := s.ApplyImport(t.Context(), epoch, 0, nil)
				if err != nil {
					t.Error(err)
				}
				if n == 0 {
					return
				}
				applied[i] += n
			}
		})
	}
	processes.Wait()
	f.equal("rows applied by all", applied[0]+applied[1]+applied[2]+applied[3], people)
	report, err := f.TakeImport(f.ctx, id)
	f.check(err)
	f.equal("report", report, store.ImportReport{Added: people})
}
