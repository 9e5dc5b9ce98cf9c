package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var (
	wellFormed = regexp.MustCompile(`^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w))+)$`)
	longUnits  = regexp.MustCompile(`[0-9.]+[dw]`) // what Go's durations lack
)

// ParseDuration reads a Go duration whose units may also be d (24 hours) and
// w (7 days): "30d", "1w2d12h", "1h30m", "100ms".
func ParseDuration(s string) (time.Duration, error) {
	switch {
	case isNumber(s) && !wellFormed.MatchString(s):
		return 0, errors.New("a duration needs a unit: 100ms, 30s, 5m, 12h, 30d, 2w")
	case !wellFormed.MatchString(s):
		return 0, fmt.Errorf("%q is not a duration: write 100ms, 30s, 5m, 1h30m, 30d or 2w", s)
	}
	inHours := longUnits.ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseFloat(m[:len(m)-1], 64)
		if err != nil {
			return m
		}
		if m[len(m)-1] == 'w' {
			n *= week.Hours()
		} else {
			n *= day.Hours()
		}
		return strconv.FormatFloat(n, 'f', -1, 64) + "h"
	})
	d, err := time.ParseDuration(inHours)
	if err != nil {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return d, nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// FormatDuration is the inverse of ParseDuration, in whole days from a week on.
func FormatDuration(d time.Duration) string {
	if d >= week && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
