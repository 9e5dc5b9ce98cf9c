package post

import (
	"testing"
	"time"
)

// The usual spellings must mean what the long way makes of them.
func TestUsualTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"2026-06-01", "1970-01-01", "2026-03-29", "2024-02-29", "2026-06-01T12:00:00Z", "2026-12-31T23:59:59Z", "9999-12-31",
	} {
		short, ok := usualTime(text, berlin)
		long, err := parseTime("Mon "+text, berlin) // which is not usual
		if !ok || err != nil || !short.Equal(long) || short.Location() != long.Location() {
			t.Errorf("%s: %v %v, the long way %v %v", text, short, ok, long, err)
		}
		y, m, d, _, err := dateParts(text)
		if err != nil || short.Year() != y || int(short.Month()) != m || short.Day() != d {
			t.Errorf("%s: %v, its parts are %d-%d-%d, %v", text, short, y, m, d, err)
		}
	}
	for _, text := range []string{"2026-02-30", "2026-06-01T24:00:00Z", "06/01/2026", "2026-06-01T12:00:60Z", "20260601T120000Z ..."} {
		if got, ok := usualTime(text, berlin); ok {
			t.Errorf("%s: %v", text, got)
		}
	}
}
