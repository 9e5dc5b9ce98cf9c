package config_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/config"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"0": 0, "100ms": 100 * time.Millisecond, "1h30m": 90 * time.Minute, "30d": 30 * day, "2w": 14 * day,
		"1w2d3h4m": 9*day + 3*time.Hour + 4*time.Minute, "1.5d": 36 * time.Hour, ".5w": 84 * time.Hour, "-2d": -2 * day, "1.d": day,
	} {
		if got, err := config.ParseDuration(s); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "5", "d", "3 days", "1y", "1d 2h", "9999999d", "1e3d", "d5", "w", "1.5.5d"} {
		if got, err := config.ParseDuration(s); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", s, got)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "1m", 24 * time.Hour: "24h", 72 * time.Hour: "72h", 168 * time.Hour: "7d", 720 * time.Hour: "30d",
		169 * time.Hour: "169h", 90 * time.Minute: "1h30m", 100 * time.Millisecond: "100ms", 3605 * time.Second: "1h0m5s", 10 * time.Minute: "10m", 30 * time.Second: "30s",
	} {
		if got := config.FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestDurationsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Min(0).Draw(t, "d"))
		if rapid.Bool().Draw(t, "whole") {
			d = d.Truncate(time.Hour)
		}
		s := config.FormatDuration(d)
		if got, err := config.ParseDuration(s); err != nil || got != d {
			t.Fatalf("%v became %q and came back as %v, %v", d, s, got, err)
		}
	})
}
