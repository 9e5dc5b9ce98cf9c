package storetest

import (
	"testing"

	"tidings/internal/store"
)

// forWeb is an audience that also composes a group for the web.
type forWeb struct {
	due
	all []int64 // posts of that group
}

func (a *forWeb) Groups() ([]store.Group, error) {
	g := store.Group{Number: len(a.groups), PostIDs: a.all, Subject: "All " + words(a.all), Template: []byte("all"), Base: "https://example.org", Date: epoch,
		Web: true, Contents: []store.Content{{Title: "One & two", URL: "https://example.org/1/", Summary: "Words"}}}
	return append(a.groups, g), nil
}

// shown is what the web shows of an edition: its group's number and subject.
func (f *fixture) shown(id int64) string {
	f.t.Helper()
	g, newsletter, err := f.WebGroup(f.ctx, id)
	f.check(err)
	f.equal("newsletter", newsletter, "weekly")
	return words(g.Number, g.Subject)
}

func (f *fixture) past(cadence string, skip, limit int) (subjects []string, total int) {
	f.t.Helper()
	list, total, err := f.PastEditions(f.ctx, "weekly", cadence, skip, limit)
	f.check(err)
	for _, e := range list {
		subjects = append(subjects, words(e.ID, e.Subject, e.Posts))
	}
	return subjects, total
}

func testArchive(_ *testing.T, f *fixture) {
	f.banded("a@example.com", "daily", "Asia/Tokyo", "8")
	f.banded("b@example.com", "daily", "Asia/Tokyo", "9")
	f.reader("c@example.com", "weekly")
	posts := f.posts(3)
	draft := f.daily()
	draft.Status = store.EditionPlanned
	wave := func(hour string, all ...int64) store.Edition {
		w := store.Wave{Band: store.Band{Zone: "Asia/Tokyo", Hour: hour}, Frequencies: []string{"daily"}, At: f.now}
		e, _, groups, err := f.PlanWave(f.ctx, f.now, draft, w, posts, &forWeb{due: due{posts: all[:1]}, all: all}, false)
		f.check(err)
		f.equal("groups", len(groups), 2)
		return e
	}
	send := func() { f.record("x", store.Result{State: store.DeliverySent}, f.claim("x", 9)...) }
	hidden := func(why string, id int64) {
		_, _, err := f.WebGroup(f.ctx, id)
		f.fails(why, err, store.ErrNotFound)
		_, total := f.past("", 0, 9)
		f.equal(why, total, 0)
	}
	e := wave("8", posts[:2]...)
	hidden("waits for approval", e.ID)
	f.check(f.ResumeEdition(f.ctx, f.now, e.ID))
	hidden("nobody has it yet", e.ID)
	send()
	f.equal("sent", f.shown(e.ID), words(1, "All", posts[:2]))

	g, err := f.Group(f.ctx, e.ID, 1)
	f.check(err)
	f.equal("as composed", words(g.Web, g.Contents, g.PostIDs), words(true, []store.Content{{Title: "One & two", URL: "https://example.org/1/", Summary: "Words"}}, posts[:2]))
	g, err = f.Group(f.ctx, e.ID, 0)
	f.check(err)
	f.equal("of readers", words(g.Web, len(g.Contents)), words(false, 0))
	f.equal("nobody got the group of the web", len(f.deliveries(e.ID, "")), 1)

	// Another wave has another post, which is to be approved first.
	wave("9", posts...)
	f.equal("before approval", f.shown(e.ID), words(1, "All", posts[:2]))
	f.check(f.ResumeEdition(f.ctx, f.now, e.ID))
	send()
	f.equal("after it", f.shown(e.ID), words(3, "All", posts))

	// One without a group for the web, that was cancelled half way.
	other := f.plan("weekly", posts[2])
	f.record("x", store.Result{State: store.DeliverySent}, f.claim("x", 1)...)
	f.check(f.CancelEdition(f.ctx, f.now, other.ID))
	f.equal("without", f.shown(other.ID), words(0, "News", posts[2:]))
	_, _, err = f.WebGroup(f.ctx, 999)
	f.fails("none", err, store.ErrNotFound)

	list, total := f.past("", 0, 9)
	f.equal("all", words(total, list), words(2, []string{words(other.ID, "News", posts[2:], 1), words(e.ID, "All", posts, 3)}))
	list, total = f.past("", 1, 1)
	f.equal("the second", words(total, list), words(2, []string{words(e.ID, "All", posts, 3)}))
	list, total = f.past(store.CadenceSchedule, 0, 9)
	f.equal("of a cadence", words(total, list), words(1, []string{words(other.ID, "News", posts[2:], 1)}))
	whole, _, err := f.PastEditions(f.ctx, "weekly", store.CadenceDaily, 0, 9)
	f.check(err)
	f.equal("as it was", words(whole[0].Cadence, whole[0].Base, whole[0].Date.Equal(epoch), len(whole[0].Contents)), words("daily", "https://example.org", true, 1))
	_, total, err = f.PastEditions(f.ctx, "monthly", "", 0, 9)
	f.check(err)
	f.equal("of another", total, 0)
}
