package newsletter_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// BenchmarkWaves plans and delivers the waves of single readers, 24 a day, with
// a post a day; each sees what a month of them has left behind.
func BenchmarkWaves(b *testing.B) {
	n := weekly()
	h := freshHouse(b, n)
	start := time.Now().Truncate(24 * time.Hour)
	h.Clock = clock.Rehearse(start, 1)
	if _, err := h.Store.SeeNewsletter(context.Background(), start, n.Name); err != nil {
		b.Fatal(err)
	}
	for i := range 24 {
		h.daily(fmt.Sprint("r", i, "@example.com"), "", strconv.Itoa(i))
	}
	for day := range 1000 {
		h.publish(fmt.Sprint("post ", day), start.AddDate(0, 0, day))
	}
	slot := 0
	plan := func() {
		at := start.Add(time.Duration(slot) * time.Hour)
		h.Clock = clock.Rehearse(at, 1)
		r := newsletter.Request{Newsletter: n, Cadence: store.CadenceDaily, Slot: at.UTC().Format(time.DateOnly), DueAt: at, At: at,
			Band: store.Band{Hour: strconv.Itoa(at.UTC().Hour())}}
		if _, err := h.Plan(context.Background(), r); err != nil {
			b.Fatal(err)
		}
		h.deliver()
		slot++
	}
	for slot < 30*24 {
		plan()
	}
	for b.Loop() {
		plan()
	}
}

// BenchmarkLook looks for what is due, with a band for each hour of 24 zones.
func BenchmarkLook(b *testing.B) {
	n := weekly()
	h := freshHouse(b, n)
	if _, err := h.Store.SeeNewsletter(context.Background(), time.Now(), n.Name); err != nil {
		b.Fatal(err)
	}
	zones := []string{"", "Africa/Cairo", "America/Anchorage", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/New_York",
		"America/Sao_Paulo", "America/St_Johns", "Asia/Dhaka", "Asia/Dubai", "Asia/Karachi", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Seoul",
		"Asia/Shanghai", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/London", "Europe/Moscow",
		"Pacific/Apia", "Pacific/Auckland"}
	for i := range 24 * len(zones) {
		h.daily(fmt.Sprint("r", i, "@example.com"), zones[i/24], strconv.Itoa(i%24))
	}
	for b.Loop() {
		if _, _, err := h.Owed(context.Background(), n); err != nil {
			b.Fatal(err)
		}
	}
}
