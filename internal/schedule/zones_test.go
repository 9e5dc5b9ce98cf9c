package schedule_test

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The years whose clock changes are looked at, in every zone.
const firstYear, lastYear = 2024, 2030

// allZones gives the zones of the database that comes with Go.
func allZones(t *testing.T) []*time.Location {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("Go's own time zones are needed: %v", err)
	}
	r, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("Go's own time zones are needed: %v", err)
	}
	defer r.Close()
	var zones []*time.Location
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, "/") {
			zones = append(zones, zone(t, f.Name))
		}
	}
	return zones
}

// clockChanges gives the instants at which a zone's clocks change.
func clockChanges(z *time.Location) (changes []time.Time) {
	at := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	for {
		_, end := at.In(z).ZoneBounds()
		if end.IsZero() || end.UTC().Year() > lastYear {
			return changes
		}
		_, before := end.Add(-time.Second).In(z).Zone()
		if _, after := end.In(z).Zone(); before != after { // else only its name
			changes = append(changes, end)
		}
		at = end
	}
}

// wall is the time that a zone's clocks show, as if it were UTC's.
func wall(at time.Time, z *time.Location) time.Time {
	l := at.In(z)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

// expected gives "key@instant" of the slots in a span, by watching the clocks
// on the wall minute by minute: a slot is due when they first show its time,
// or a later one because they jumped over it.
func expected(z *time.Location, from, until time.Time, due func(wall time.Time) bool) (slots []string) {
	reached := wall(from, z)
	for at := from.Add(time.Minute); !at.After(until); at = at.Add(time.Minute) {
		for shown := wall(at, z); reached.Before(shown); {
			reached = reached.Add(time.Minute)
			if due(reached) {
				slots = append(slots, reached.Format("2006-01-02T15:04")+"@"+at.UTC().Format(time.RFC3339))
			}
		}
	}
	return slots
}

// TestEveryClockChange holds schedules of each kind against the clocks on the
// wall, around every clock change of every zone in seven years.
func TestEveryClockChange(t *testing.T) {
	zones := 0
	seen := map[string]bool{} // many zones change their clocks alike
	for _, z := range allZones(t) {
		at := clockChanges(z)
		if len(at) > 0 {
			zones++
		}
		for _, change := range at {
			alike := change.UTC().String() + wall(change.Add(-time.Minute), z).String() + wall(change, z).String()
			if !seen[alike] {
				seen[alike] = true
				checkChange(t, z, change)
			}
		}
	}
	if zones < 100 || len(seen) < 200 {
		t.Errorf("%d changes in %d zones: nothing was tested", len(seen), zones)
	}
}

func checkChange(t *testing.T, z *time.Location, change time.Time) {
	t.Helper()
	clocks := wall(change.Add(-time.Minute), z).Add(time.Minute) // when they are changed
	inside := clocks.Add(10 * time.Minute)                       // left out in spring
	before := clocks.Add(-20 * time.Minute)                      // repeated in autumn
	at := func(minute time.Time) func(time.Time) bool {
		return func(w time.Time) bool { return w.Hour() == minute.Hour() && w.Minute() == minute.Minute() }
	}
	for _, c := range []struct {
		spec string
		span time.Duration // on both sides
		due  func(time.Time) bool
	}{
		{"* * * * *", 150 * time.Minute, func(time.Time) bool { return true }},
		{"*/7 * * * *", 150 * time.Minute, func(w time.Time) bool { return w.Minute()%7 == 0 }},
		{"30 * * * *", 4 * time.Hour, func(w time.Time) bool { return w.Minute() == 30 }},
		{inside.Format("4 15 * * *"), 26 * time.Hour, at(inside)},
		{before.Format("4 15 * * *"), 26 * time.Hour, at(before)},
		{inside.Format("4 15 * * Mon"), 26 * time.Hour, func(w time.Time) bool { return at(inside)(w) && w.Weekday() == inside.Weekday() }},
	} {
		from, until := change.Add(-c.span), change.Add(c.span)
		var got []string
		for s := range spec(t, c.spec).Slots(from, until, z) {
			got = append(got, s.Key+"@"+s.At.UTC().Format(time.RFC3339))
		}
		if want := expected(z, from, until, c.due); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s, %q around %v:\ngot  %v\nwant %v", z, c.spec, change.UTC(), got, want)
		}
	}
}

func TestSkippedAndRepeated(t *testing.T) {
	for _, c := range []struct {
		spec, zone, after string
		skipped, repeated bool
	}{
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", true, false},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", false, true},
		{"30 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", false, false},
		{"59 1 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", false, false},
		{"40 1 * * *", "Australia/Lord_Howe", "2026-04-03T18:00:00Z", false, true},
		{"20 1 * * *", "Australia/Lord_Howe", "2026-04-03T18:00:00Z", false, false},
		{"30 2 * * *", "UTC", "2026-03-28T12:00:00Z", false, false},
	} {
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		z := zone(t, c.zone)
		slot, ok := spec(t, c.spec).Next(after, z)
		if !ok || slot.Skipped(z) != c.skipped || slot.Repeated(z) != c.repeated {
			t.Errorf("%q in %s: %s skipped %v, repeated %v", c.spec, c.zone, slot.Key, slot.Skipped(z), slot.Repeated(z))
		}
	}
}
