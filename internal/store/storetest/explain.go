package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
)

func testExplaining(_ *testing.T, f *fixture) {
	id, other := f.reader("a@example.com", "weekly"), f.reader("b@example.com", "weekly")
	posts := f.posts(4)
	first := f.plan("weekly", posts[0], posts[1])
	for _, j := range f.claim("x", 2) {
		r := store.Result{State: store.DeliverySent}
		if j.SubscriberID == id {
			r = store.Result{State: store.DeliveryFailed, Counted: true, Code: 550, Reason: "no such user"}
		}
		f.record("x", r, j)
	}
	f.now = f.now.Add(time.Hour)
	second := f.plan("weekly", posts[2], posts[0], posts[1])

	list, err := f.DeliveriesTo(f.ctx, id, "weekly")
	f.check(err)
	f.equal("number of deliveries", len(list), 2)
	f.equal("the newest", words(list[0].EditionID, list[0].State, list[0].Email), words(second.ID, "pending", "a@example.com"))
	d := list[1]
	f.equal("the oldest", words(d.EditionID, d.SubscriberID, d.State, d.Code, d.Attempts, d.Reason), words(first.ID, id, "failed", 550, 1, "no such user"))
	for newsletter, who := range map[string]int64{"weekly": 999, "unknown": id} {
		list, err = f.DeliveriesTo(f.ctx, who, newsletter)
		f.check(err)
		f.equal(fmt.Sprint("deliveries of ", newsletter, " to ", who), len(list), 0)
	}

	had := func(who int64, newsletter string, ids ...int64) map[int64]int64 {
		in, err := f.Had(f.ctx, who, newsletter, ids)
		f.check(err)
		return in
	}
	f.equal("had after a failure", had(id, "weekly", posts...), map[int64]int64{posts[0]: second.ID, posts[1]: second.ID, posts[2]: second.ID})
	f.equal("had by the other", had(other, "weekly", posts[1:]...), map[int64]int64{posts[1]: first.ID, posts[2]: second.ID})
	f.equal("had of another newsletter", had(id, "unknown", posts...), map[int64]int64{})

	for who, want := range map[int64]string{id: "2 true 0 true 1 true", other: "2 true 1 false 0 false", 999: "2 false 1 false 0 false"} {
		group := -1
		list, err := f.DeliveriesTo(f.ctx, who, "weekly")
		f.check(err)
		if len(list) > 0 {
			group = list[0].Group
		}
		shown, err := f.EditionPosts(f.ctx, second.ID, group)
		f.check(err)
		var got []any
		for _, p := range shown {
			got = append(got, slices.Index(posts, p.PostID), p.In)
		}
		f.equal(fmt.Sprint("posts as ", who, " gets them"), words(got...), want)
	}
	_, err = f.EditionPosts(f.ctx, 999, 0)
	f.fails("of no edition", err, store.ErrNotFound)
}
