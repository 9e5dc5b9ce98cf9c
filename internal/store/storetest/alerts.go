package storetest

import (
	"testing"
	"time"

	"tidings/internal/store"
)

// claimAlerts claims what is due, with an hour of quiet after each mail.
func (f *fixture) claimAlerts() []store.Alert {
	f.t.Helper()
	as, err := f.ClaimAlerts(f.ctx, f.now, f.now.Add(5*time.Minute), f.now.Add(-time.Hour))
	f.check(err)
	return as
}

func (f *fixture) keep(kind string, present ...store.Alert) {
	f.t.Helper()
	for i := range present {
		present[i].Kind, present[i].Since = kind, epoch
	}
	f.check(f.KeepAlerts(f.ctx, f.now, []string{kind}, present))
}

// states shows alerts as "subject open|over told|-".
func states(as []store.Alert) (list []string) {
	for _, a := range as {
		list = append(list, words(a.Subject, map[bool]string{true: "open", false: "over"}[a.Cleared.IsZero()],
			map[bool]string{true: "-", false: "told"}[a.Told.IsZero()]))
	}
	return list
}

func (f *fixture) told(as []store.Alert) {
	f.t.Helper()
	f.check(f.RecordAlerts(f.ctx, f.now, as, true, time.Time{}))
}

func testAlerts(_ *testing.T, f *fixture) {
	down := store.Alert{Key: "relay", Subject: "down"}
	failed := store.Alert{Key: "run weekly", Subject: "failed", Text: "a", Passing: true}
	f.keep("relay", down)
	f.keep("run", failed)
	failed.Subject = "failed twice"
	f.keep("run", failed) // the same one, with other words
	list, err := f.ListAlerts(f.ctx, false)
	f.check(err)
	f.equal("open", states(list), []string{"failed twice open -", "down open -"})
	f.equal("whole", list[1], store.Alert{ID: list[1].ID, Key: "relay", Kind: "relay", Subject: "down", Since: epoch, Raised: epoch})

	f.equal("claimed", states(f.claimAlerts()), []string{"down open -", "failed twice open -"})
	f.equal("claimed by another", len(f.claimAlerts()), 0)
	f.now = f.now.Add(5 * time.Minute) // whoever claimed them died
	due := f.claimAlerts()
	f.equal("claimed again", len(due), 2)
	f.check(f.RecordAlerts(f.ctx, f.now, due, false, f.now.Add(time.Minute)))
	f.equal("too early", len(f.claimAlerts()), 0)
	f.now = f.now.Add(time.Minute)
	due = f.claimAlerts()
	f.equal("at its time", len(due), 2)
	f.told(due)
	f.now = f.now.Add(time.Hour)
	f.equal("told once", len(f.claimAlerts()), 0)

	f.keep("relay")
	f.keep("run")
	over := f.claimAlerts()
	f.equal("over, but for the passing one", states(over), []string{"down over told"})
	f.told(over)
	f.equal("told once to be over", len(f.claimAlerts()), 0)
	testAlertsFlap(f, down)
}

// testAlertsFlap has trouble come and go that was told of a moment ago.
func testAlertsFlap(f *fixture, down store.Alert) {
	f.t.Helper()
	for range 3 {
		f.now = f.now.Add(time.Minute)
		f.keep("relay", down)
		f.now = f.now.Add(time.Minute)
		f.keep("relay")
	}
	f.keep("relay", down)
	f.equal("quiet", len(f.claimAlerts()), 0)
	f.now = f.now.Add(time.Hour)
	due := f.claimAlerts()
	f.equal("all at once", states(due), []string{"down over -", "down over -", "down over -", "down open -"})
	f.keep("relay") // over between the claim and its record
	f.told(due)
	f.equal("the end is told", states(f.claimAlerts()), []string{"down over told"})

	list, err := f.ListAlerts(f.ctx, true)
	f.check(err)
	f.equal("all", len(list), 6)
	f.now = f.now.Add(91 * 24 * time.Hour)
	f.keep("relay", down)
	list, err = f.ListAlerts(f.ctx, true)
	f.check(err)
	f.equal("what is not told yet stays", len(list), 2)
}
