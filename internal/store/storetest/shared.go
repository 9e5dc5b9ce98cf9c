package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"tidings/internal/store"
)

// RunShared holds an engine to the contract where several processes share a
// database. open gives two stores on one empty database.
func RunShared(t *testing.T, open func(*testing.T) (a, b store.Store)) {
	t.Run("Claims", func(t *testing.T) {
		a, b := open(t)
		testSharedClaims(t, a, b)
	})
	t.Run("Slots", func(t *testing.T) {
		a, b := open(t)
		testSharedSlots(t, a, b)
	})
	t.Run("Pace", func(t *testing.T) {
		a, b := open(t)
		testSharedPace(t, a, b)
	})
	t.Run("Import", func(t *testing.T) {
		a, b := open(t)
		testSharedImport(t, a, b)
	})
}

// testSharedClaims lets senders in two processes empty an edition.
func testSharedClaims(t *testing.T, a, b store.Store) {
	const readers = 300
	f := &fixture{Store: a, t: t, ctx: t.Context(), now: epoch}
	var rows []store.ImportRow
	for i := range readers {
		p := person(fmt.Sprintf("r%d@example.com", i))
		p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}}
		rows = append(rows, store.ImportRow{Subscriber: p})
	}
	_, err := f.ImportSubscribers(f.ctx, f.now, rows, false)
	f.check(err)
	e := f.plan("weekly", f.posts(1)...)

	var senders sync.WaitGroup
	claimed := make(chan int64, readers+1)
	for i, s := range []store.Store{a, b, a, b} {
		senders.Go(func() {
			if err := sendAll(t, s, words("sender", i), claimed); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	close(claimed)
	seen := map[int64]bool{}
	for seq := range claimed {
		if seen[seq] {
			t.Errorf("delivery %d was claimed twice", seq)
		}
		seen[seq] = true
	}
	f.equal("claimed", len(seen), readers)
	f.account(e.ID, store.EditionFinished, store.Counts{Eligible: readers, Sent: readers})
}

// sendAll claims and records until nothing is left.
func sendAll(t *testing.T, s store.Store, holder string, claimed chan<- int64) error {
	for {
		jobs, err := s.Claim(t.Context(), epoch, holder, 7)
		if err != nil || len(jobs) == 0 {
			return err
		}
		var rs []store.Result
		for _, j := range jobs {
			claimed <- j.Seq
			rs = append(rs, store.Result{DeliveryRef: j.DeliveryRef, State: store.DeliverySent})
		}
		if err := s.Record(t.Context(), epoch, holder, rs); err != nil {
			return err
		}
	}
}

// testSharedSlots lets two processes plan the same slots: each has one winner.
func testSharedSlots(t *testing.T, a, b store.Store) {
	f := &fixture{Store: a, t: t, ctx: t.Context(), now: epoch}
	f.reader("a@example.com", "weekly")
	posts := f.posts(1)
	const slots = 20
	var planners sync.WaitGroup
	won := make(chan string, 2*slots)
	for _, s := range []store.Store{a, b} {
		planners.Go(func() {
			for i := range slots {
				e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: words(i)}
				_, _, err := s.PlanEdition(t.Context(), epoch, e, posts, &due{posts: posts}, false)
				switch {
				case err == nil:
					won <- e.Slot
				case !errors.Is(err, store.ErrExists):
					t.Error(err)
				}
			}
		})
	}
	planners.Wait()
	close(won)
	f.equal("plans", len(won), slots)
	list, err := f.ListEditions(f.ctx, "weekly", 0)
	f.check(err)
	mailing := 0
	for _, e := range list {
		if e.Status == store.EditionSending {
			mailing++
		}
	}
	f.equal("editions, of them mailing", words(len(list), mailing), words(slots, 1))
}
