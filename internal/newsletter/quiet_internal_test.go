package newsletter

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"tidings/internal/store"
)

func TestQuietUntil(t *testing.T) {
	for _, c := range []struct{ hours, zone, at, want string }{
		{"22-7", "UTC", "2026-01-10T21:59:59Z", "2026-01-10T21:59:59Z"},
		{"22-7", "UTC", "2026-01-10T22:00:00Z", "2026-01-11T07:00:00Z"},
		{"22-7", "UTC", "2026-01-11T06:59:59Z", "2026-01-11T07:00:00Z"},
		{"22-7", "UTC", "2026-01-11T07:00:00Z", "2026-01-11T07:00:00Z"},
		{"9-17", "UTC", "2026-01-11T12:00:00Z", "2026-01-11T17:00:00Z"},
		{"9-17", "UTC", "2026-01-11T18:00:00Z", "2026-01-11T18:00:00Z"},
		{"22-7", "America/New_York", "2026-01-11T03:30:00Z", "2026-01-11T12:00:00Z"},
		{"22-2", "America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z"},    // 2:00 is left out: until 3:00
		{"22-2", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-04T15:30:00Z"}, // from 1:45, past the hour that is half repeated
		{"", "UTC", "2026-01-10T23:00:00Z", "2026-01-10T23:00:00Z"},
		{"5-5", "UTC", "2026-01-10T05:00:00Z", "2026-01-10T05:00:00Z"},
		{"22-24", "UTC", "2026-01-10T23:00:00Z", "2026-01-10T23:00:00Z"},
		{"night", "UTC", "2026-01-10T23:00:00Z", "2026-01-10T23:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := quietUntil(c.hours, at, zone).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("quiet hours %s in %s: at %s until %s, want %s", c.hours, c.zone, c.at, got, c.want)
		}
	}
}

// TestHoldOff: a mail that is tried again waits for the end of the quiet hours,
// but for one that its reader wanted within them, for an hour.
func TestHoldOff(t *testing.T) {
	n := Newsletter{Name: "weekly", Zone: time.UTC, QuietHours: "22-7"}
	s := &Service{Config: Config{Newsletters: []Newsletter{n}}, Deps: Deps{Log: slog.New(slog.DiscardHandler)}, zones: new(sync.Map)}
	at := func(hour, minute int) time.Time { return time.Date(2026, 1, 10, hour, minute, 0, 0, time.UTC) }
	none := time.Time{}
	for _, c := range []struct {
		zone, own     string
		intended, now time.Time
		want          time.Time
	}{
		{"", "", at(21, 59), at(21, 59), none},
		{"", "", at(21, 59), at(22, 0), at(31, 0)},
		{"", "", at(23, 0), at(23, 0), none},
		{"", "", at(23, 0), at(23, 59), none},
		{"", "", at(23, 0), at(24, 0), at(31, 0)},
		{"", "", at(7, 0), at(7, 0), none},
		{"", "1-2", at(23, 0), at(24, 0), none},             // the reader's own hours count
		{"", "12-13", at(11, 0), at(12, 30), at(13, 0)},     //
		{"Asia/Tokyo", "", at(12, 0), at(13, 0), at(22, 0)}, // there it is 22:00
		{"Nowhere/Else", "", at(12, 0), at(13, 0), none},
	} {
		j := store.Job{Newsletter: "weekly", AtHour: true, Timezone: c.zone, QuietHours: c.own}
		if got := s.holdOff(j, c.intended, c.now); !got.Equal(c.want) {
			t.Errorf("%q %q, intended %v, at %v: held until %v, want %v", c.zone, c.own, c.intended, c.now, got, c.want)
		}
	}
	// One that comes at no hour was put off until quiet hours that are no more.
	if got := s.holdOff(store.Job{Newsletter: "weekly"}, at(23, 0), at(23, 0)); !got.Equal(at(31, 0)) {
		t.Errorf("a mail by itself at 23:00: held until %v", got)
	}
}
