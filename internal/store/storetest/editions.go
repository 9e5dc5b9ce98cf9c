package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

func testEditions(_ *testing.T, f *fixture) {
	f.signUp("a@example.com", "weekly") // knows the name, but has not seen it
	for _, name := range []string{"weekly", "unknown"} {
		seen, err := f.NewsletterSeen(f.ctx, name)
		f.check(err)
		f.equal(name+" not seen", seen.IsZero(), true)
	}
	f.now = f.now.Add(time.Minute)
	for range 2 {
		seen, err := f.SeeNewsletter(f.ctx, f.now, "weekly")
		f.check(err)
		f.equal("first seen", seen, epoch.Add(time.Minute))
		looked, err := f.NewsletterSeen(f.ctx, "weekly")
		f.check(err)
		f.equal("seen", looked, seen)
		f.now = f.now.Add(time.Hour)
	}
	_, err := f.Edition(f.ctx, 999)
	f.fails("none", err, store.ErrNotFound)
	_, err = f.EditionGroups(f.ctx, 999)
	f.fails("none", err, store.ErrNotFound)
	f.fails("none", f.EachDelivery(f.ctx, 999, "", nil), store.ErrNotFound)
	_, _, err = f.EditionDue(f.ctx, 999)
	f.fails("none", err, store.ErrNotFound)
}

func testRecordEditions(_ *testing.T, f *fixture) {
	_, err := f.LastRun(f.ctx, "weekly", store.CadenceSchedule, "9")
	f.fails("no run yet", err, store.ErrNotFound)

	at := func(newsletter, slot, status string) store.Edition {
		return store.Edition{Newsletter: newsletter, Cadence: store.CadenceSchedule, Slot: slot, Status: status, Reason: "because", DueAt: f.now, Late: "3h: asleep", Missed: true}
	}
	record := func(es ...store.Edition) int {
		n, err := f.RecordEditions(f.ctx, f.now, es)
		f.check(err)
		return n
	}
	first, second := at("weekly", "2026-03-09T08:00", store.EditionSkipped), at("weekly", "2026-03-16T08:00", store.EditionFailed)
	f.equal("inserted", record(first, second, at("daily", "2026-03-20T08:00", store.EditionSkipped)), 3)
	f.equal("taken slots", record(first, second), 0)
	_, err = f.RecordEditions(f.ctx, f.now, []store.Edition{at("weekly", "x", store.EditionSending)})
	f.fails("one that would mail", err, store.ErrConflict)
	manual := at("weekly", "manual-2026-04-01", store.EditionSkipped)
	manual.Manual = true
	record(manual)
	for until, want := range map[string]string{
		"2027-01-01T00:00": "2026-03-16T08:00", "2026-03-16T08:00": "2026-03-16T08:00", "2026-03-16T07:59": "2026-03-09T08:00",
	} {
		last, err := f.LastRun(f.ctx, "weekly", store.CadenceSchedule, until)
		f.check(err)
		f.equal("last run until "+until, last.Slot, want)
	}

	list, err := f.ListEditions(f.ctx, "weekly", 2)
	f.check(err)
	want := second
	want.ID, want.CreatedAt, want.FinishedAt = list[1].ID, f.now, f.now
	f.equal("newest first", words(len(list), list[0].Slot), "2 manual-2026-04-01")
	f.equal("recorded", list[1], want)
	list, err = f.ListEditions(f.ctx, "", 0)
	f.check(err)
	f.equal("all", len(list), 4)
}

func testPlan(t *testing.T, f *fixture) {
	a, b := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	f.reader("c@example.com", "weekly")
	f.reader("a@example.com", "daily")
	f.signUp("pending@example.com", "weekly")
	f.check(f.Unsubscribe(f.ctx, f.now, f.reader("left@example.com", "weekly"), "weekly"))
	f.reader("bounced@example.com", "weekly")
	_, err := f.Suppress(f.ctx, []store.Suppression{{Key: key("bounced@example.com"), Reason: store.ReasonBounce, At: f.now}})
	f.check(err)
	posts := f.posts(3)

	// The first: b alone gets post 0.
	first := f.edition("weekly")
	first.Status, first.Reason = store.EditionPlanned, "only used for a skip"
	only := &chosen{groups: map[int64]int{b: 0}, posts: posts[:1]}
	for _, dry := range []bool{true, false} {
		e, groups, err := f.PlanEdition(f.ctx, f.now, first, posts, only, dry)
		f.check(err)
		f.equal("planned", words(e.Status, e.Reason, e.Posts, e.CreatedAt, len(groups)), words(store.EditionPlanned, "", 1, f.now, 1))
		f.equal("counts", e.Counts, store.Counts{Eligible: 3, Empty: 2, Pending: 1})
		if dry != (e.ID == 0) {
			t.Fatalf("dry run %v gave number %d", dry, e.ID)
		}
		first.ID = e.ID
	}
	for _, dry := range []bool{true, false} {
		_, _, err = f.PlanEdition(f.ctx, f.now, first, posts, only, dry)
		f.fails("the slot again", err, store.ErrExists)
	}
	var states []string
	for _, d := range f.deliveries(first.ID, "") {
		states = append(states, words(d.Seq, d.SubscriberID-a, d.Email, d.Group, d.State))
	}
	f.equal("deliveries", states, []string{"1 0 a@example.com -1 empty", "2 1 b@example.com 0 pending", "3 2 c@example.com -1 empty"})

	testPlanBeside(f, posts, b)
	testPlanSkips(f, posts)
	testPlanFailures(t, f, posts)
}

// testPlanBeside plans while reader b has post 0 under way.
// testAnnounced: who has a post is due it once more when it is announced anew.
func testAnnounced(_ *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	posts := f.posts(2)
	seen := func() []int64 {
		e := f.edition("weekly")
		audience := &due{posts: posts, date: f.now}
		_, _, err := f.PlanEdition(f.ctx, f.now, e, posts, audience, true)
		f.check(err)
		return audience.readers[0].Seen
	}
	_, _, err := f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts, date: f.now}, false)
	f.check(err)
	f.equal("under way", seen(), posts)

	loaded, err := f.LoadPosts(f.ctx)
	f.check(err)
	f.now = f.now.Add(time.Hour)
	loaded[0].Announce, loaded[0].Announced = "again", f.now
	f.check(f.SavePosts(f.ctx, []*store.Post{&loaded[0]}))
	f.equal("announced anew", seen(), posts[1:])

	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts, date: f.now}, false)
	f.check(err)
	f.equal("under way again", len(seen()), 2)
}

func testPlanBeside(f *fixture, posts []int64, b int64) {
	f.t.Helper()
	audience := &due{posts: posts}
	second, _, err := f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, audience, false)
	f.check(err)
	f.equal("readers", audience.readers, []store.Reader{
		{SubscriberID: b - 1, Frequency: store.CadenceSchedule, Format: store.FormatHTML},
		{SubscriberID: b, Frequency: store.CadenceSchedule, Format: store.FormatHTML, Seen: posts[:1]},
		{SubscriberID: b + 1, Frequency: store.CadenceSchedule, Format: store.FormatHTML}})
	f.equal("second", second.Counts, store.Counts{Eligible: 3, Pending: 3})
	groups, err := f.EditionGroups(f.ctx, second.ID)
	f.check(err)
	audience.groups[0].EditionID, audience.groups[1].EditionID = second.ID, second.ID
	f.equal("groups", groups, audience.groups)
	g, err := f.Group(f.ctx, second.ID, 1)
	f.check(err)
	f.equal("group", g, audience.groups[1])
	_, err = f.Group(f.ctx, second.ID, 2)
	f.fails("no such group", err, store.ErrNotFound)
}

// testPlanMany plans for more readers than anybody would hold in memory.
func testPlanMany(t *testing.T, f *fixture) {
	const readers = 10_002
	var rows []store.ImportRow
	for i := range readers {
		p := person(fmt.Sprintf("r%d@example.com", i))
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}}
		rows = append(rows, store.ImportRow{Subscriber: p})
	}
	_, err := f.ImportSubscribers(f.ctx, f.now, rows, false)
	f.check(err)
	posts := f.posts(2)

	// The first post goes to every third, the second to all.
	third := &chosen{groups: map[int64]int{}, posts: posts[:1]}
	for id := int64(1); id <= readers; id += 3 {
		third.groups[id] = 0
	}
	first, _, err := f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, third, false)
	f.check(err)
	f.equal("first", first.Counts, store.Counts{Eligible: readers, Pending: readers / 3, Empty: readers - readers/3})
	audience := &due{posts: posts}
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, audience, false)
	f.check(err)
	for i, r := range audience.readers {
		if _, has := third.groups[r.SubscriberID]; has != (len(r.Seen) == 1) || r.SubscriberID != int64(i+1) {
			t.Fatalf("reader %d of the second edition: %+v", i+1, r)
		}
	}
	f.equal("readers", len(audience.readers), readers)
}

// A chosen audience is told whom to put where.
type chosen struct {
	groups map[int64]int
	posts  []int64
	err    error
}

func (c *chosen) Assign(r store.Reader) int {
	if n, ok := c.groups[r.SubscriberID]; ok {
		return n
	}
	return -1
}

func (c *chosen) Groups() ([]store.Group, error) { return []store.Group{{PostIDs: c.posts}}, c.err }

func testPlanSkips(f *fixture, posts []int64) {
	f.t.Helper()
	skipped := f.edition("weekly")
	skipped.Reason = "nothing new"
	for _, dry := range []bool{true, false} {
		e, groups, err := f.PlanEdition(f.ctx, f.now, skipped, posts, &due{posts: posts}, dry)
		f.check(err)
		f.equal("skipped", words(e.Status, e.Reason, e.Posts, len(groups)), words(store.EditionSkipped, "nothing new", 0, 0))
		f.equal("counts", e.Counts, store.Counts{Eligible: 3, Empty: 3})
		skipped.ID = e.ID
	}
	f.account(skipped.ID, store.EditionSkipped, store.Counts{Eligible: 3, Empty: 3})
	f.equal("deliveries", len(f.deliveries(skipped.ID, "")), 0)

	// The ledger is the newsletter's own: another one may mail the same posts.
	e := f.plan("daily", posts...)
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 1, Pending: 1})
	nobody := f.plan("nobody reads this", posts...)
	f.account(nobody.ID, store.EditionSkipped, store.Counts{})
	f.equal("why", nobody.Reason, store.ReasonNoReaders)
}

func testPlanFailures(t *testing.T, f *fixture, posts []int64) {
	before, err := f.ListEditions(f.ctx, "", 0)
	f.check(err)
	fresh, everyone := f.posts(1), map[int64]int{}
	f.check(f.EachSubscriber(f.ctx, store.SubscriberFilter{}, func(p store.Subscriber) error {
		everyone[p.ID] = 0
		return nil
	}))
	failure := errors.New("cannot compose")
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), fresh, &chosen{groups: everyone, err: failure}, false)
	f.fails("Groups' error", err, failure)
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), fresh, &chosen{groups: everyone, posts: []int64{999}}, false)
	f.fails("a post that is not on record", err, store.ErrNotFound)
	for id := range everyone {
		everyone[id] = 3
	}
	if _, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), fresh, &chosen{groups: everyone, posts: fresh}, false); err == nil {
		t.Fatal("readers in a group that was not composed were accepted")
	}
	after, err := f.ListEditions(f.ctx, "", 0)
	f.check(err)
	f.equal("editions after failures", len(after), len(before))
}

// editionVerbs are what a maintainer can do to an edition.
func (f *fixture) editionVerbs() map[string]func(id int64) error {
	return map[string]func(id int64) error{
		"pause":  func(id int64) error { return f.PauseEdition(f.ctx, f.now, id) },
		"resume": func(id int64) error { return f.ResumeEdition(f.ctx, f.now, id) },
		"cancel": func(id int64) error { return f.CancelEdition(f.ctx, f.now, id) },
		"retry": func(id int64) error {
			_, err := f.RetryEdition(f.ctx, f.now, id, f.now.Add(time.Hour))
			return err
		},
	}
}

// editionIn makes an edition with one reader in a state.
func (f *fixture) editionIn(status string) (id int64) {
	f.t.Helper()
	e := f.edition("weekly")
	if e.Status = status; status == store.EditionSkipped || status == store.EditionFailed {
		_, err := f.RecordEditions(f.ctx, f.now, []store.Edition{e})
		f.check(err)
		list, err := f.ListEditions(f.ctx, "", 1)
		f.check(err)
		return list[0].ID
	}
	posts := f.posts(1)
	e.Status = store.EditionPlanned
	e, _, err := f.PlanEdition(f.ctx, f.now, e, posts, &due{posts: posts}, false)
	f.check(err)
	verbs := map[string][]string{
		store.EditionSending: {"resume"}, store.EditionPaused: {"resume", "pause"},
		store.EditionFinished: {"resume"}, store.EditionCancelled: {"cancel"},
	}
	for _, verb := range verbs[status] {
		f.check(f.editionVerbs()[verb](e.ID))
	}
	if status == store.EditionFinished {
		f.record("x", store.Result{State: store.DeliverySent}, f.claim("x", 9)...)
	}
	return e.ID
}

func testEditionStates(_ *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	next := map[string]string{ // state and verb → state; all others are refused
		"planned resume": store.EditionSending, "planned cancel": store.EditionCancelled, "planned retry": store.EditionPlanned,
		"sending pause": store.EditionPaused, "sending cancel": store.EditionCancelled, "sending retry": store.EditionSending,
		"paused resume": store.EditionSending, "paused cancel": store.EditionCancelled, "paused retry": store.EditionPaused,
		"finished retry": store.EditionFinished, "cancelled retry": store.EditionSending,
	}
	for _, status := range []string{store.EditionPlanned, store.EditionSending, store.EditionPaused, store.EditionFinished,
		store.EditionCancelled, store.EditionSkipped, store.EditionFailed} {
		for verb, do := range f.editionVerbs() {
			id, what := f.editionIn(status), status+" "+verb
			err := do(id)
			want, allowed := next[what]
			if !allowed {
				f.fails(what, err, store.ErrConflict)
				want = status
			} else if err != nil {
				f.t.Fatalf("%s: %v", what, err)
			}
			got, err := f.Edition(f.ctx, id)
			f.check(err)
			f.equal(what, got.Status, want)
			if want == store.EditionSending {
				f.check(f.CancelEdition(f.ctx, f.now, id)) // out of the way of the next one
			}
		}
	}
	for verb, do := range f.editionVerbs() {
		f.fails(verb+" none", do(999), store.ErrNotFound)
	}
}
