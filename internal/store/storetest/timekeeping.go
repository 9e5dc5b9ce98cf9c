package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

func testTimekeeping(_ *testing.T, f *fixture) {
	latest, err := f.LastUsed(f.ctx)
	f.check(err)
	f.equal("never used", latest.IsZero(), true)
	f.reader("a@example.com", "weekly")
	posts := f.posts(1)
	f.plan("weekly", posts...)

	skipped := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: "2026-03-02T08:00", Status: store.EditionSkipped}
	calls := map[string]func() error{
		"claim": func() error { _, err := f.Claim(f.ctx, f.now, "x", 1); return err },
		"plan": func() error {
			_, _, err := f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts}, false)
			return err
		},
		"record": func() error { _, err := f.RecordEditions(f.ctx, f.now, []store.Edition{skipped}); return err },
	}
	for what, call := range calls {
		for _, back := range []time.Duration{0, store.ClockSlack} { // within the slack it works
			f.now = epoch.Add(-back)
			f.check(call())
		}
		f.now = epoch.Add(-store.ClockSlack - time.Millisecond)
		f.fails(what+" by a clock set back", call(), store.ErrClock)
		_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts}, true)
		f.check(err) // a dry run may look anywhere
	}

	f.now = epoch.Add(time.Hour) // a claim of nothing moves the mark too
	f.check(calls["claim"]())
	latest, err = f.LastUsed(f.ctx)
	f.check(err)
	f.equal("last used", latest, f.now)
	f.now = epoch
	f.fails("an hour back", calls["claim"](), store.ErrClock)
	late := skipped
	late.Slot, late.DueAt = "2026-03-02T09:00", epoch.Add(time.Hour)
	skipped.DueAt = epoch
	f.now = epoch.Add(time.Hour)
	_, err = f.RecordEditions(f.ctx, f.now, []store.Edition{late})
	f.check(err)
	f.now = epoch
	f.check(f.AcceptClock(f.ctx, f.now))
	f.check(calls["claim"]())
	seen, err := f.NewsletterSeen(f.ctx, "weekly")
	f.check(err)
	f.equal("the newsletter is seen by then", seen.After(f.now), false)
	last, err := f.LastRun(f.ctx, "weekly", store.CadenceSchedule, "9")
	f.check(err)
	f.equal("the run of an hour later is forgotten", last.Slot, skipped.Slot)
}
