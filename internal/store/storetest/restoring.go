package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

// Restore makes the database of a store one that was restored, as it was at an
// instant, and opens it anew.
type Restore func(t *testing.T, s store.Store, saved time.Time) store.Store

// RunRestoring holds an engine to what is promised of a database that was
// restored. open gives an empty store, restore marks it.
func RunRestoring(t *testing.T, open func(*testing.T) store.Store, restore Restore) {
	f := newFixture(t, open)
	f.fails("accept what was not restored", second(f.AcceptRestored(f.ctx, f.now)), store.ErrConflict)
	f.reader("a@example.com", "weekly")
	f.reader("b@example.com", "weekly")
	f.reader("c@example.com", "daily")
	posts := f.posts(1)
	weekly, daily := f.plan("weekly", posts...), f.plan("daily", posts...)
	f.check(second(f.SeeNewsletter(f.ctx, f.now, "weekly")))
	f.check(second(f.SeeNewsletter(f.ctx, f.now, "daily")))
	f.claim("killed", 1)
	before := f.now
	f.Store = restore(t, f.Store, f.now)

	saved, err := f.Restored(f.ctx)
	f.check(err)
	f.equal("saved", saved, f.now)
	f.now = f.now.Add(24 * time.Hour)
	skipped := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: "2026-03-02T08:00", Status: store.EditionSkipped}
	f.fails("claim", second(f.Claim(f.ctx, f.now, "x", 1)), store.ErrRestored)
	f.fails("record", second(f.RecordEditions(f.ctx, f.now, []store.Edition{skipped})), store.ErrRestored)
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts}, false)
	f.fails("plan", err, store.ErrRestored)
	_, _, err = f.PlanEdition(f.ctx, f.now, f.edition("weekly"), posts, &due{posts: posts}, true)
	f.check(err) // looking is harmless

	doubted, err := f.AcceptRestored(f.ctx, f.now, "weekly")
	f.check(err)
	f.equal("in doubt", doubted, 2)
	f.account(weekly.ID, store.EditionFinished, store.Counts{Eligible: 2, InDoubt: 2})
	f.account(daily.ID, store.EditionSending, store.Counts{Eligible: 1, Pending: 1})
	for name, want := range map[string]time.Time{"weekly": f.now, "daily": before} {
		seen, err := f.NewsletterSeen(f.ctx, name)
		f.check(err)
		f.equal(name+" begins", seen, want)
	}
	saved, err = f.Restored(f.ctx)
	f.check(err)
	f.equal("still to be decided", saved.IsZero(), true)
	f.equal("claimed of daily", len(f.claim("x", 10)), 1)
	if e := f.plan("weekly", f.posts(1)...); e.ID < weekly.ID+1000 {
		t.Errorf("edition %d may have been mailed by what was lost", e.ID)
	}
	if id := f.reader("d@example.com", "weekly"); id < 1000 {
		t.Errorf("person %d may have been somebody who was lost", id)
	}
}

func second[T any](_ T, err error) error { return err }
