package main

import (
	"strconv"
	"strings"
	"time"

	"tidings/internal/schedule"
)

// parseAhead is parseTime for what is to come: an age counts forward, and a
// minute may be given as editions name it, "2025-01-31T08:00".
func parseAhead(text string, zone *time.Location, now time.Time) (time.Time, error) {
	if t, err := schedule.ParseKey(text, zone); err == nil {
		return t, nil
	}
	if d, ok := parseAge(text); ok {
		return now.Add(d), nil
	}
	return parseTime(text, zone, now)
}

// parseTime reads TIME as users write it: a date in the zone, an RFC 3339
// instant, or an age such as 7d or 36h.
func parseTime(text string, zone *time.Location, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, nil
	}
	if d, ok := parseAge(text); ok {
		return now.Add(-d), nil
	}
	return time.Time{}, usagef("%q is no time: write a date (2025-01-31), an RFC 3339 instant, or an age (7d, 36h)", text)
}

func parseAge(text string) (time.Duration, bool) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.Atoi(number)
			if err == nil && n >= 0 && n <= 36500 {
				return time.Duration(n) * length, true
			}
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}

// stamp shows an instant; "" if there is none.
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// instant shows a time to scripts; "" if there is none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
