package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

var zones = []string{
	"", "Africa/Cairo", "America/Anchorage", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/New_York",
	"America/Sao_Paulo", "America/St_Johns", "Asia/Dhaka", "Asia/Dubai", "Asia/Karachi", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Seoul",
	"Asia/Shanghai", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/London", "Europe/Moscow",
	"Pacific/Apia", "Pacific/Auckland",
}

// BenchBands has so many readers, nine tenths of whom share one
// zone and hour and the others 24 zones: what a look at them costs, and waves of
// many and of few.
func BenchBands(b *testing.B, readers int, open func(*testing.B) store.Store) {
	ctx, now := context.Background(), time.Now()
	s := open(b)
	defer s.Close()
	rows := Readers(readers)
	for i := range rows {
		p := &rows[i].Subscriber
		p.Subscriptions[0].Frequency = store.CadenceDaily
		if i%10 == 0 {
			p.Timezone, p.Subscriptions[0].Hour = zones[i/10%len(zones)], fmt.Sprint(i/240%24)
		}
	}
	start := time.Now()
	must(s.ImportSubscribers(ctx, now, rows, false))(b)
	b.Logf("imported in %v", time.Since(start))
	post := &store.Post{GUID: "p"}
	if err := s.SavePosts(ctx, []*store.Post{post}); err != nil {
		b.Fatal(err)
	}
	b.Run("look", func(b *testing.B) {
		for b.Loop() {
			c := must(s.Cadence(ctx, "weekly", store.CadenceDaily, []string{store.CadenceDaily}))(b)
			b.ReportMetric(float64(len(c.Bands)), "bands")
		}
	})
	slot := 0
	for name, band := range map[string]store.Band{"many": {}, "few": {Zone: "Asia/Tokyo", Hour: "7"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				slot++
				e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceDaily, Slot: fmt.Sprint(slot)}
				w := store.Wave{Band: band, Frequencies: []string{store.CadenceDaily}}
				e, w, _, err := s.PlanWave(ctx, now, e, w, []int64{post.ID}, everything{[]int64{post.ID}}, false)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(w.Readers), "readers")
				b.StopTimer()
				if w.Due > 0 {
					if err := s.CancelEdition(ctx, now, e.ID); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
			}
		})
	}
}
