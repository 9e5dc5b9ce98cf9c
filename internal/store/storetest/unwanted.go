package storetest

import (
	"testing"

	"tidings/internal/store"
)

// testUnwanted looks at claimed deliveries once more: a late no wins.
func testUnwanted(t *testing.T, f *fixture) {
	left, stays := f.reader("left@example.com", "weekly"), f.reader("stays@example.com", "weekly")
	e := f.plan("weekly", f.posts(1)...)
	jobs := f.claim("x", 9)
	look := func(what string, j store.Job, want string) {
		f.t.Helper()
		state, reason, err := f.Unwanted(f.ctx, f.now, j.DeliveryRef)
		f.check(err)
		f.equal(what, words(state, reason), want)
	}
	look("as claimed", jobs[0], words("", ""))
	f.check(f.Unsubscribe(f.ctx, f.now, left, "weekly"))
	look("left", jobs[0], words(store.DeliverySuppressed, store.ReasonUnsubscribed))
	f.check(f.PauseEdition(f.ctx, f.now, e.ID))
	look("paused", jobs[1], words(store.DeliveryPending, "the edition is paused"))
	look("left, paused", jobs[0], words(store.DeliverySuppressed, store.ReasonUnsubscribed))
	f.check(f.ResumeEdition(f.ctx, f.now, e.ID))
	look("resumed", jobs[1], words("", ""))
	f.record("x", store.Result{State: store.DeliverySuppressed, Reason: store.ReasonUnsubscribed}, jobs[0])
	f.record("x", store.Result{State: store.DeliverySent, Counted: true}, jobs[1])
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: 2, Sent: 1, Suppressed: 1})
	_, _, err := f.Unwanted(f.ctx, f.now, store.DeliveryRef{EditionID: e.ID, Seq: 99})
	f.fails("no such delivery", err, store.ErrNotFound)

	// Whoever left their last newsletter is not brought to another.
	report := f.importOne("left@example.com", store.Subscription{Newsletter: "daily", Status: store.StatusActive}, false)
	f.equal("an import to another newsletter", report.Suppressed, 1)
	f.equal("who stays", f.subscription(stays, "weekly").Status, store.StatusActive)
}

// reluctant is an audience that calls its edition off.
type reluctant struct{}

func (reluctant) Assign(store.Reader) int { return 0 }
func (reluctant) Groups() ([]store.Group, error) {
	return nil, &store.SkipError{Reason: "too little"}
}

func testCalledOff(t *testing.T, f *fixture) {
	f.reader("a@example.com", "weekly")
	for _, dry := range []bool{true, false} {
		e, groups, err := f.PlanEdition(f.ctx, f.now, f.edition("weekly"), f.posts(1), reluctant{}, dry)
		f.check(err)
		f.equal("called off", words(e.Status, e.Reason, len(groups)), words(store.EditionSkipped, "too little", 0))
		f.equal("counts", e.Counts, store.Counts{Eligible: 1, Empty: 1})
		if !dry {
			f.equal("deliveries", len(f.deliveries(e.ID, "")), 0)
		}
	}
}
