package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tidings/internal/schedule"
)

// TestDaysAcrossClockChanges tells the rule by example: an hour that is left
// out comes at the end of the gap, one that comes twice the first time, and
// that of a day which is left out as a whole on the next day.
func TestDaysAcrossClockChanges(t *testing.T) {
	hourly, err := schedule.Parse("0 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, zone   string
		spec         schedule.Spec
		after, until string
		want         []string // key = local instant
	}{
		{"spring, by half an hour", "Australia/Lord_Howe", schedule.Daily(2), "2026-10-02T14:00:00Z", "2026-10-04T14:00:00Z",
			[]string{"2026-10-03 = 2026-10-03T02:00:00+10:30", "2026-10-04 = 2026-10-04T02:30:00+11:00"}},
		{"autumn, by half an hour", "Australia/Lord_Howe", hourly, "2026-04-04T13:30:00Z", "2026-04-04T16:30:00Z",
			[]string{"2026-04-05T01:00 = 2026-04-05T01:00:00+11:00", "2026-04-05T02:00 = 2026-04-05T02:00:00+10:30", "2026-04-05T03:00 = 2026-04-05T03:00:00+10:30"}},
		{"midnight left out", "Africa/Cairo", schedule.Weekly(time.Friday, 0), "2026-04-20T00:00:00Z", "2026-05-02T00:00:00Z",
			[]string{"2026-04-24 = 2026-04-24T01:00:00+03:00", "2026-05-01 = 2026-05-01T00:00:00+03:00"}},
		{"midnight comes twice", "Africa/Cairo", schedule.Daily(23), "2026-10-28T22:00:00Z", "2026-10-30T22:00:00Z",
			[]string{"2026-10-29 = 2026-10-29T23:00:00+03:00", "2026-10-30 = 2026-10-30T23:00:00+02:00"}},
		{"a day left out, daily", "Pacific/Apia", schedule.Daily(8), "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z",
			[]string{"2011-12-29 = 2011-12-29T08:00:00-10:00", "2011-12-30 = 2011-12-31T08:00:00+14:00", "2011-12-31 = 2011-12-31T08:00:00+14:00", "2012-01-01 = 2012-01-01T08:00:00+14:00"}},
		{"a day left out, weekly", "Pacific/Apia", schedule.Weekly(time.Friday, 8), "2011-12-30T15:00:00Z", "2012-01-07T00:00:00Z",
			[]string{"2011-12-30 = 2011-12-31T08:00:00+14:00", "2012-01-06 = 2012-01-06T08:00:00+14:00"}},
		{"a day left out, monthly", "Pacific/Apia", schedule.Monthly(28, 0), "2011-11-01T00:00:00Z", "2012-01-29T00:00:00Z",
			[]string{"2011-11-28 = 2011-11-28T00:00:00-10:00", "2011-12-28 = 2011-12-28T00:00:00-10:00", "2012-01-28 = 2012-01-28T00:00:00+14:00"}},
		{"a day left out, hourly", "Pacific/Apia", hourly, "2011-12-30T09:30:00Z", "2011-12-30T11:00:00Z",
			append(gone(24, "2011-12-30T%02d:00 = 2011-12-31T00:00:00+14:00"), "2011-12-31T00:00 = 2011-12-31T00:00:00+14:00", "2011-12-31T01:00 = 2011-12-31T01:00:00+14:00")},
		{"spring, from a zone with half an hour", "America/St_Johns", schedule.Daily(2), "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z",
			[]string{"2026-03-08 = 2026-03-08T03:00:00-02:30", "2026-03-09 = 2026-03-09T02:00:00-02:30"}},
		{"autumn, from a zone with half an hour", "America/St_Johns", schedule.Daily(1), "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
			[]string{"2026-11-01 = 2026-11-01T01:00:00-02:30", "2026-11-02 = 2026-11-02T01:00:00-03:30"}},
		{"before Ramadan", "Africa/Casablanca", schedule.Monthly(15, 2), "2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z",
			[]string{"2026-02-15 = 2026-02-15T02:00:00+01:00", "2026-03-15 = 2026-03-15T02:00:00Z"}},
		{"after Ramadan", "Africa/Casablanca", schedule.Daily(2), "2026-03-21T12:00:00Z", "2026-03-23T12:00:00Z",
			[]string{"2026-03-22 = 2026-03-22T03:00:00+01:00", "2026-03-23 = 2026-03-23T02:00:00+01:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for slot := range c.spec.Slots(instantOf(t, c.after), instantOf(t, c.until), zone) {
				got = append(got, slot.Key+" = "+slot.At.In(zone).Format(time.RFC3339))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func gone(hours int, format string) (all []string) {
	for h := range hours {
		all = append(all, fmt.Sprintf(format, h))
	}
	return all
}

func instantOf(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestSlotsInParts: wherever a span of time is divided, its slots are those of
// both parts.
func TestSlotsInParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	quarters, err := schedule.Parse("*/15 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	specs := []schedule.Spec{quarters, schedule.Daily(2), schedule.Weekly(time.Friday, 0), schedule.Monthly(5, 3)}
	for _, name := range []string{"Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Europe/Berlin", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			_, change := time.Date(2010+r.IntN(17), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, zone).ZoneBounds()
			if change.IsZero() {
				change = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			from := change.Add(-time.Duration(r.IntN(48*60)) * time.Minute)
			until := change.Add(time.Duration(r.IntN(48*60)) * time.Minute)
			cut := from.Add(time.Duration(r.Int64N(int64(until.Sub(from)) + 1)))
			if r.IntN(4) == 0 {
				cut = change.Add(time.Duration(r.IntN(3)-1) * time.Nanosecond)
			}
			if cut.Before(from) || cut.After(until) {
				continue
			}
			for _, s := range specs {
				whole := slices.Collect(s.Slots(from, until, zone))
				parts := slices.AppendSeq(slices.Collect(s.Slots(from, cut, zone)), s.Slots(cut, until, zone))
				if fmt.Sprint(whole) != fmt.Sprint(parts) {
					t.Fatalf("%s in %s from %v until %v, divided at %v:\n%v\n%v", s, name, from, until, cut, whole, parts)
				}
			}
		}
	}
}
