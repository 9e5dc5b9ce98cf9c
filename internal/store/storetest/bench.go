package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
)

// everything is an audience in which everybody gets the posts they have not
// seen.
type everything struct{ posts []int64 }

func (a everything) Assign(r store.Reader) int {
	for _, id := range a.posts {
		if !slices.Contains(r.Seen, id) {
			return 0
		}
	}
	return -1
}

func (a everything) Groups() ([]store.Group, error) {
	return []store.Group{{PostIDs: a.posts, Subject: "News"}}, nil
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Readers gives rows of an import, each of one confirmed reader.
func Readers(n int) []store.ImportRow {
	rows := make([]store.ImportRow, n)
	for i := range rows {
		rows[i] = store.ImportRow{Line: i + 2, Subscriber: store.Subscriber{
			Email: fmt.Sprintf("reader%d@example.com", i), Key: fmt.Sprintf("%064x", i), Name: "A Reader",
			Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{"go", "sqlite"}}},
		}}
	}
	return rows
}

// Bench takes some readers through an import, five editions of a newsletter
// and the delivery of the last, and reports how many of them a second.
func Bench(b *testing.B, readers int, open func(*testing.B) store.Store) {
	ctx, now := context.Background(), time.Now()
	for b.Loop() {
		s := open(b)
		step := func(name string, rows int, fn func()) {
			start := time.Now()
			fn()
			b.ReportMetric(float64(rows)/time.Since(start).Seconds(), name+"/s")
		}
		step("imported", readers, func() { must(s.ImportSubscribers(ctx, now, Readers(readers), false))(b) })

		var posts []*store.Post
		var ids []int64
		for i := range 25 {
			posts = append(posts, &store.Post{GUID: fmt.Sprint(i)})
		}
		if err := s.SavePosts(ctx, posts); err != nil {
			b.Fatal(err)
		}
		for _, p := range posts {
			ids = append(ids, p.ID)
		}
		var last store.Edition
		for i := range 5 {
			step(fmt.Sprintf("planned%d", i+1), readers, func() {
				e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: fmt.Sprint(i)}
				last, _, _ = s.PlanEdition(ctx, now, e, ids[:5*(i+1)], everything{ids[5*i : 5*(i+1)]}, false)
			})
			if i < 4 {
				if err := s.PauseEdition(ctx, now, last.ID); err != nil {
					b.Fatal(err)
				}
			}
		}
		step("delivered", readers, func() { deliver(b, s, now) })
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func deliver(b *testing.B, s store.Store, now time.Time) {
	for {
		jobs := must(s.Claim(context.Background(), now, "bench", 200))(b)
		if len(jobs) == 0 {
			return
		}
		results := make([]store.Result, len(jobs))
		for i, j := range jobs {
			results[i] = store.Result{DeliveryRef: j.DeliveryRef, State: store.DeliverySent, Counted: true, Code: 250}
		}
		if err := s.Record(context.Background(), now, "bench", results); err != nil {
			b.Fatal(err)
		}
	}
}
