package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
)

// banded makes an active subscriber in a time zone, at an hour.
func (f *fixture) banded(email, frequency, zone, hour string) (id int64) {
	f.t.Helper()
	p := person(email)
	p.Timezone = zone
	p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Frequency: frequency, Hour: hour}}
	_, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{{Subscriber: p}}, false)
	f.check(err)
	found, err := f.SubscriberByEmail(f.ctx, email)
	f.check(err)
	return found.ID
}

// bands are those of a cadence, with their instants.
func (f *fixture) bands(cadence string, frequencies ...string) string {
	f.t.Helper()
	c, err := f.Cadence(f.ctx, "weekly", cadence, frequencies)
	f.check(err)
	var list []string
	for b, since := range c.Bands {
		text := b.Zone + "@" + b.Hour
		if !since.IsZero() {
			text += fmt.Sprint("+", since.Sub(epoch))
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func testBands(_ *testing.T, f *fixture) {
	f.equal("bands of nothing", f.bands(store.CadenceDaily, "daily"), "")
	f.banded("a@example.com", "daily", "", "")
	f.banded("b@example.com", "daily", "Asia/Tokyo", "7")
	f.banded("c@example.com", "daily", "Asia/Tokyo", "23")
	f.banded("d@example.com", "daily", "Asia/Tokyo", "7")
	f.banded("e@example.com", "weekly", "Europe/Berlin", "7")
	f.banded("g@example.com", "schedule", "Europe/Berlin", "9")
	f.equal("daily", f.bands(store.CadenceDaily, "daily"), "@ Asia/Tokyo@23 Asia/Tokyo@7")
	f.equal("two frequencies", f.bands(store.CadenceDaily, "daily", "weekly"), "@ Asia/Tokyo@23 Asia/Tokyo@7 Europe/Berlin@7")
	f.equal("schedule", f.bands(store.CadenceSchedule, "schedule", "weekly"), "Europe/Berlin@")
	f.equal("each", f.bands(store.CadenceEach, "daily", "weekly"), "@")

	c := store.Cadence{Newsletter: "weekly", Name: store.CadenceDaily, Until: f.now, Bands: map[store.Band]time.Time{
		{}: f.now, {Zone: "Asia/Tokyo", Hour: "7"}: f.now, {Zone: "Mars/Phobos"}: f.now,
	}}
	f.check(f.KeepCadence(f.ctx, f.now, c))
	f.equal("kept", f.bands(store.CadenceDaily, "daily"), "@+0s Asia/Tokyo@23 Asia/Tokyo@7+0s")
	c.Bands = map[store.Band]time.Time{{}: f.now.Add(time.Hour), {Zone: "Asia/Tokyo", Hour: "23"}: f.now.Add(time.Minute)}
	f.check(f.KeepCadence(f.ctx, f.now, c))
	f.equal("kept anew", f.bands(store.CadenceDaily, "daily"), "@+0s Asia/Tokyo@23+1m0s Asia/Tokyo@7")

	// Whoever moves, moves to another band; whoever leaves, leaves it.
	f.banded("a@example.com", "", "Asia/Tokyo", "5")
	f.equal("moved", f.bands(store.CadenceDaily, "daily"), "Asia/Tokyo@23+1m0s Asia/Tokyo@5 Asia/Tokyo@7")
	who, err := f.SubscriberByEmail(f.ctx, "c@example.com")
	f.check(err)
	f.check(f.Unsubscribe(f.ctx, f.now, who.ID, "weekly"))
	f.equal("left", f.bands(store.CadenceDaily, "daily"), "Asia/Tokyo@5 Asia/Tokyo@7")
}

func testUntil(_ *testing.T, f *fixture) {
	for _, c := range []struct{ given, want time.Duration }{
		{0, 0}, {time.Hour, time.Hour},
		{time.Hour - store.ClockSlack, time.Hour},                            // another process was ahead
		{time.Hour - 2*store.ClockSlack, time.Hour - 2*store.ClockSlack},     // the clock was, and is right again
		{time.Hour - 2*store.ClockSlack - 1, time.Hour - 2*store.ClockSlack}, // less than is kept
	} {
		f.check(f.KeepCadence(f.ctx, f.now, store.Cadence{Newsletter: "weekly", Name: "daily", Until: epoch.Add(c.given)}))
		got, err := f.Cadence(f.ctx, "weekly", "daily", []string{"daily"})
		f.check(err)
		f.equal("until", got.Until, epoch.Add(c.want))
	}
	f.check(f.AcceptClock(f.ctx, f.now))
	got, err := f.Cadence(f.ctx, "weekly", "daily", []string{"daily"})
	f.check(err)
	f.equal("until, by an earlier clock", got.Until, f.now)
	f.now = f.now.Add(-time.Hour)
	f.fails("a clock set back", f.KeepCadence(f.ctx, f.now, got), store.ErrClock)
}

// daily drafts the edition of a day.
func (f *fixture) daily() store.Edition {
	return store.Edition{Newsletter: "weekly", Cadence: store.CadenceDaily, Slot: "2026-03-02", DueAt: f.now,
		InDoubt: store.Resend, Reason: "nothing new", ExpiresAt: f.now.Add(72 * time.Hour)}
}

// wave plans a wave of daily's edition.
func (f *fixture) wave(e store.Edition, zone, hour string, posts ...int64) (store.Edition, store.Wave) {
	f.t.Helper()
	w := store.Wave{Band: store.Band{Zone: zone, Hour: hour}, Frequencies: []string{"daily"}, At: f.now}
	dryE, dryW, dryG, err := f.PlanWave(f.ctx, f.now, e, w, posts, &due{posts: posts}, true)
	f.check(err)
	e, w, groups, err := f.PlanWave(f.ctx, f.now, e, w, posts, &due{posts: posts}, false)
	f.check(err)
	f.equal("dry run", words(dryE.Status, dryE.Counts, dryE.Posts, dryW.Status, dryW.Readers, dryW.Due, len(dryG)),
		words(e.Status, e.Counts, e.Posts, w.Status, w.Readers, w.Due, len(groups)))
	for _, g := range groups {
		kept, err := f.Group(f.ctx, e.ID, g.Number)
		f.check(err)
		f.equal("group of the wave", words(kept.Zone, kept.PostIDs), words(zone, g.PostIDs))
	}
	return e, w
}

func testWaves(t *testing.T, f *fixture) {
	f.banded("t1@example.com", "daily", "Asia/Tokyo", "8")
	f.banded("t2@example.com", "daily", "Asia/Tokyo", "8")
	f.banded("t9@example.com", "daily", "Asia/Tokyo", "9")
	mover := f.banded("mover@example.com", "daily", "Asia/Tokyo", "8")
	f.banded("b1@example.com", "daily", "Europe/Berlin", "8")
	f.banded("w@example.com", "weekly", "Asia/Tokyo", "8")
	posts := f.posts(3)

	e, w := f.wave(f.daily(), "Asia/Tokyo", "8", posts[0])
	f.equal("first wave", words(w.Status, w.Readers, w.Due), "made 3 3")
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 3, Pending: 3})
	_, _, _, err := f.PlanWave(f.ctx, f.now, f.daily(), w, posts, &due{posts: posts}, false)
	f.fails("the same wave again", err, store.ErrExists)
	f.record("x", store.Result{State: store.DeliverySent}, f.claim("x", 9)...)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 3, Sent: 3})

	// Who has moved is in the edition already, whatever is new meanwhile.
	f.banded("mover@example.com", "", "Europe/Berlin", "")
	f.now = f.now.Add(8 * time.Hour)
	second, w := f.wave(f.daily(), "Europe/Berlin", "8", posts[0], posts[1])
	f.equal("its edition", second.ID, e.ID)
	f.equal("second wave", words(w.Status, w.Readers, w.Due, second.Posts), "made 1 1 2")
	f.equal("expiry", second.ExpiresAt, f.now.Add(72*time.Hour))
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 4, Sent: 3, Pending: 1})
	for _, j := range f.claim("x", 9) {
		f.equal("claimed", words(j.Email, j.Seq, j.Group), "b1@example.com 4 1")
		f.record("x", store.Result{State: store.DeliverySent}, j)
	}

	// A wave without anything to mail leaves the edition as it is.
	f.banded("t9@example.com", "", "", "10")
	third, w := f.wave(f.daily(), "Asia/Tokyo", "10")
	f.equal("third wave", words(w.Status, w.Reason, w.Readers, w.Due, third.Status), "skipped nothing new 1 0 finished")
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 5, Sent: 4, Empty: 1})
	waves, err := f.EditionWaves(f.ctx, e.ID)
	f.check(err)
	var got []string
	for _, w := range waves {
		got = append(got, words(w.EditionID, w.Zone, w.Hour, w.At.Sub(epoch), w.Status, w.Reason, w.Readers, w.Due))
	}
	f.equal("waves", strings.Join(got, "\n"), strings.Join([]string{
		words(e.ID, "Asia/Tokyo 8 0s made  3 3"), words(e.ID, "Asia/Tokyo 10 8h0m0s skipped nothing new 1 0"), words(e.ID, "Europe/Berlin 8 8h0m0s made  1 1"),
	}, "\n"))
	f.balanced(t)

	// The next day they have what they missed.
	next := f.daily()
	next.Slot = "2026-03-03"
	_, w = f.wave(next, "Europe/Berlin", "8", posts[0], posts[1])
	f.equal("next day", words(w.Readers, w.Due), "2 1")
	for _, j := range f.claim("x", 9) {
		f.equal("who has moved", j.SubscriberID, mover)
	}
	_, err = f.EditionWaves(f.ctx, 999)
	f.fails("waves of none", err, store.ErrNotFound)
}

// balanced recounts all editions, where the engine can.
func (f *fixture) balanced(t *testing.T) {
	t.Helper()
	if c, ok := f.Store.(interface {
		CheckEditions(context.Context) ([]string, error)
	}); ok {
		problems, err := c.CheckEditions(f.ctx)
		f.check(err)
		f.equal("problems", problems, []string{})
	}
}

func testWaveStates(t *testing.T, f *fixture) {
	f.banded("a@example.com", "daily", "A/A", "8")
	f.banded("b@example.com", "daily", "B/B", "8")
	posts := f.posts(2)
	wave := func(e store.Edition, zone string, posts ...int64) (string, int64) {
		e, w := f.wave(e, zone, "8", posts...)
		return words(w.Status, e.Status), e.ID
	}
	slot := 0
	day := func(status string) store.Edition {
		slot++
		e := f.daily()
		e.Slot, e.Status = fmt.Sprint("slot-", slot), status
		return e
	}
	finish := func() { f.record("x", store.Result{State: store.DeliveryFailed}, f.claim("x", 9)...) }

	e := day("")
	got, id := wave(e, "A/A")
	f.equal("first wave of nothing", got, "skipped skipped")
	got, _ = wave(e, "B/B", posts...)
	f.equal("then one of something", got, "made sending")
	f.account(id, store.EditionSending, store.Counts{Eligible: 2, Empty: 1, Pending: 1})
	f.balanced(t)
	finish()

	e = day("")
	_, id = wave(e, "A/A", posts...)
	f.check(f.CancelEdition(f.ctx, f.now, id))
	got, _ = wave(e, "B/B", posts...)
	f.equal("after a cancellation", got, "skipped cancelled")
	f.account(id, store.EditionCancelled, store.Counts{Eligible: 1, Failed: 1})

	e = day("")
	_, id = wave(e, "A/A", posts...)
	f.check(f.PauseEdition(f.ctx, f.now, id))
	got, _ = wave(e, "B/B", posts...)
	f.equal("while paused", got, "made paused")
	f.check(f.CancelEdition(f.ctx, f.now, id))

	for _, c := range []struct {
		posts []int64
		want  string
	}{{posts[:1], "made sending"}, {posts, "made planned"}} {
		e = day(store.EditionPlanned)
		got, id = wave(e, "A/A", posts[0])
		f.equal("for approval", got, "made planned")
		f.check(f.ResumeEdition(f.ctx, f.now, id))
		got, _ = wave(e, "B/B", c.posts...)
		f.equal("after the approval", got, c.want)
		f.check(f.CancelEdition(f.ctx, f.now, id))
	}

	// Records of waves that mail nobody.
	e = day(store.EditionSkipped)
	e.Missed, e.Reason, e.Wave = true, "missed", &store.Wave{Band: store.Band{Zone: "A/A", Hour: "8"}, At: f.now}
	n, err := f.RecordEditions(f.ctx, f.now, []store.Edition{e, e})
	f.check(err)
	f.equal("recorded", n, 1)
	got, id = wave(e, "B/B", posts...)
	f.equal("after a missed one", got, "made sending")
	e.Wave.Zone = "C/C"
	n, err = f.RecordEditions(f.ctx, f.now, []store.Edition{e})
	f.check(err)
	f.equal("recorded beside", n, 1)
	kept, err := f.Edition(f.ctx, id)
	f.check(err)
	f.equal("the edition", words(kept.Status, kept.Missed, kept.Reason), "sending false ")
	waves, err := f.EditionWaves(f.ctx, id)
	f.check(err)
	f.equal("its waves", words(waves[0].Status, waves[0].Missed, waves[0].Reason, waves[1].Status, waves[2].Missed), "skipped true missed made true")
	_, _, _, err = f.PlanWave(f.ctx, f.now, e, *e.Wave, posts, &due{posts: posts}, false)
	f.fails("a wave on record", err, store.ErrExists)
}

// testPaused: a pause begins at once, and what it holds back is due again.
func testPaused(_ *testing.T, f *fixture) {
	id := f.banded("a@example.com", "daily", "", "8")
	f.banded("b@example.com", "daily", "", "8")
	posts := f.posts(1)
	e := f.plan("weekly", posts...)
	until := f.now.Add(time.Hour)
	pause := person("a@example.com")
	pause.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, PausedUntil: until}}
	jobs := f.claim("x", 1)
	f.equal("claimed first", jobs[0].SubscriberID, id)
	_, err := f.ImportSubscribers(f.ctx, f.now, []store.ImportRow{{Subscriber: pause}}, false)
	f.check(err)
	state, reason, err := f.Unwanted(f.ctx, f.now, jobs[0].DeliveryRef)
	f.check(err)
	f.equal("once paused", words(state, reason), "suppressed paused")
	f.record("x", store.Result{State: store.DeliveryPending}, jobs...)
	f.equal("claimed then", emails(f.claim("x", 9)), []string{"b@example.com"})
	f.account(e.ID, store.EditionSending, store.Counts{Eligible: 2, Suppressed: 1, Pending: 1})

	e, w := f.wave(f.daily(), "", "8", posts...)
	f.equal("a wave meanwhile", words(w.Readers, w.Due, e.Status), "1 0 skipped")
	f.now = until
	next := f.daily()
	next.Slot = "2026-03-03"
	_, w = f.wave(next, "", "8", posts...)
	f.equal("and after", words(w.Readers, w.Due), "2 1")
	got := f.claim("y", 9)
	f.equal("the post", emails(got), []string{"a@example.com"})
}

// testSeenAlike: what each of many readers has is the same whether all are
// planned together, or those of each zone by themselves.
func testSeenAlike(_ *testing.T, f *fixture) {
	zones := []string{"A/A", "B/B", "C/C"}
	var rows []store.ImportRow
	for i := range 240 {
		p := person(fmt.Sprintf("r%d@example.com", i))
		p.Timezone = zones[i%3]
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Frequency: store.CadenceDaily}}
		rows = append(rows, store.ImportRow{Subscriber: p})
	}
	_, err := f.ImportSubscribers(f.ctx, f.now, rows, false)
	f.check(err)
	posts := f.posts(6)
	outcomes := []store.Result{{State: store.DeliverySent}, {State: store.DeliveryFailed}, {State: store.DeliveryInDoubt}, {State: store.DeliveryPending}}
	for i := range 4 {
		e := f.edition("weekly")
		e.InDoubt = store.Hold
		_, _, err := f.PlanEdition(f.ctx, f.now, e, posts, &due{posts: posts[i : i+2], date: f.now}, false)
		f.check(err)
		for n, j := range f.claim("x", 1000) {
			if n%5 < len(outcomes) { // else it stays claimed
				f.record("x", outcomes[(n+i)%len(outcomes)], j)
			}
		}
		f.now = f.now.Add(time.Hour)
	}
	loaded, err := f.LoadPosts(f.ctx)
	f.check(err)
	loaded[1].Announced = epoch.Add(90 * time.Minute)
	f.check(f.SavePosts(f.ctx, []*store.Post{&loaded[1]}))

	all := &due{posts: posts}
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, all, true)
	f.check(err)
	seen := map[int64]string{}
	for _, r := range all.readers {
		seen[r.SubscriberID] = inOrder(r.Seen)
	}
	few := 0
	for _, zone := range zones {
		some := &due{posts: posts}
		w := store.Wave{Band: store.Band{Zone: zone}, Frequencies: []string{store.CadenceDaily}, At: f.now}
		_, _, _, err := f.PlanWave(f.ctx, f.now, f.daily(), w, posts, some, true)
		f.check(err)
		for _, r := range some.readers {
			f.equal(fmt.Sprint("what ", r.SubscriberID, " has"), inOrder(r.Seen), seen[r.SubscriberID])
		}
		if few += len(some.readers); len(some.readers) > 100 {
			f.t.Fatalf("%d readers in %s are not few", len(some.readers), zone)
		}
	}
	f.equal("readers", few, len(all.readers))
	for _, r := range all.readers {
		had, err := f.Had(f.ctx, r.SubscriberID, "weekly", posts)
		f.check(err)
		f.equal(fmt.Sprint("what ", r.SubscriberID, " had"), inOrder(slices.Collect(maps.Keys(had))), seen[r.SubscriberID])
	}
}

func inOrder(ids []int64) string { return words(slices.Sorted(slices.Values(ids))) }
