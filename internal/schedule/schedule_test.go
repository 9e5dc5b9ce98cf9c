package schedule_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/schedule"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func spec(t testing.TB, text string) schedule.Spec {
	t.Helper()
	s, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "schedule",
		"* * * *":                   "expected",
		"* * * * * *":               "expected",
		"61 * * * *":                "end of range",
		"@every 5m":                 "@every is not offered",
		"TZ=UTC 0 8 * * *":          "timezone",
		"CRON_TZ=Asia/Tokyo @daily": "timezone",
		"0 0 30 2 *":                "never come due",
		"0 0 31 4,6,9,11 *":         "never come due",
		"@fortnightly":              "unrecognized",
	} {
		_, err := schedule.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want an error with %q", text, err, want)
		}
	}
}

func TestSlotsAcrossClockChanges(t *testing.T) {
	for _, c := range []struct {
		name, spec, zone, after, until string
		want                           []string // key@UTC
	}{
		{"spring gap, New York", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z",
			[]string{"2026-03-08T02:30@2026-03-08T07:00:00Z", "2026-03-09T02:30@2026-03-09T06:30:00Z"}},
		{"autumn hour, New York", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
			[]string{"2026-11-01T01:30@2026-11-01T05:30:00Z", "2026-11-02T01:30@2026-11-02T06:30:00Z"}},
		{"weekly in a midnight gap, Cairo", "0 0 * * 5", "Africa/Cairo", "2026-04-20T00:00:00Z", "2026-05-02T00:00:00Z",
			[]string{"2026-04-24T00:00@2026-04-23T22:00:00Z", "2026-05-01T00:00@2026-04-30T21:00:00Z"}},
		{"half-hour change, Lord Howe", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-04T00:00:00Z",
			[]string{"2026-10-04T02:15@2026-10-03T15:30:00Z"}},
		{"a skipped day, Apia", "0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-31T00:00:00Z",
			[]string{"2011-12-29T09:00@2011-12-29T19:00:00Z", "2011-12-30T09:00@2011-12-30T10:00:00Z", "2011-12-31T09:00@2011-12-30T19:00:00Z"}},
		{"until is included, after is not", "0 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z",
			[]string{"2026-01-01T01:00@2026-01-01T01:00:00Z", "2026-01-01T02:00@2026-01-01T02:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, _ := time.Parse(time.RFC3339, c.after)
			until, _ := time.Parse(time.RFC3339, c.until)
			var got []string
			for s := range spec(t, c.spec).Slots(after, until, zone(t, c.zone)) {
				got = append(got, s.Key+"@"+s.At.UTC().Format(time.RFC3339))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

// Whatever the zone, a daily job has exactly one slot for every local day.
func TestDailyHasOneSlotADay(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Gaza", "Australia/Lord_Howe",
		"America/Santiago", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Europe/Dublin", "Africa/Casablanca"}
	rapid.Check(t, func(r *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		hour, minute := rapid.IntRange(0, 23).Draw(r, "hour"), rapid.IntRange(0, 59).Draw(r, "minute")
		year := rapid.IntRange(2024, 2030).Draw(r, "year")
		s := spec(t, strings.Join([]string{itoa(minute), itoa(hour), "* * *"}, " "))
		from := time.Date(year, 1, 1, 0, 0, 0, 0, z).Add(-time.Second)
		until := time.Date(year+1, 1, 1, 0, 0, 0, 0, z).Add(-time.Second)
		day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		last := time.Time{}
		for slot := range s.Slots(from, until, z) {
			if want := day.Format(time.DateOnly); !strings.HasPrefix(slot.Key, want) {
				r.Fatalf("slot %s, want one on %s", slot.Key, want)
			}
			if !slot.At.After(last) {
				r.Fatalf("slot %s does not come after the one before", slot.Key)
			}
			if at, err := schedule.ParseKey(slot.Key, z); err != nil || !at.Equal(slot.At) {
				r.Fatalf("ParseKey(%s) = %v, %v, want %v", slot.Key, at, err, slot.At)
			}
			last, day = slot.At, day.AddDate(0, 0, 1)
		}
		if day.Year() != year+1 {
			r.Fatalf("slots end before %v", day)
		}
	})
}

func itoa(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

func TestNext(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	slot, ok := spec(t, "0 8 * * MON").Next(at, time.UTC)
	if !ok || slot.Key != "2026-11-30T08:00" {
		t.Errorf("Next = %v, %v", slot, ok)
	}
	if slot, ok := spec(t, "0 0 29 2 *").Next(at, time.UTC); !ok || slot.Key != "2028-02-29T00:00" {
		t.Errorf("leap day: %v, %v", slot, ok)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 8 * * MON", "@daily", "*/5 1-3 1,15 * ?", "TZ=", "@every 1h", "0 0 31 2 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schedule.Parse(text)
		if err != nil {
			return
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if slot, ok := s.Next(at, time.UTC); ok && !slot.At.After(at) {
			t.Errorf("%q: next slot %v is not after %v", text, slot.At, at)
		}
	})
}
