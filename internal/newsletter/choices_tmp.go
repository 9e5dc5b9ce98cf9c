package newsletter

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/store"
)

var (
	ErrFrequency = errors.New("not a frequency of that newsletter")
	ErrHour      = errors.New("not an hour from 0 to 23")
	ErrZone      = errors.New("not a time zone")
	ErrFormat    = errors.New("not a format of mails")
)

const (
	FieldEmail     = "email"
	FieldHour      = "hour"
	FieldZone      = "timezone"
	FieldFormat    = "format"
	FieldFrequency = "frequency"
)

type FieldErrors map[string]error

func (e FieldErrors) Error() string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, field+": "+e[field].Error())
	}
	return strings.Join(parts, "; ")
}

func (e FieldErrors) Unwrap() []error { return slices.Collect(maps.Values(e)) }

func (n Newsletter) Offers() []string {
	return []string{store.CadenceSchedule, "each", "daily", "weekly", "monthly"}
}

func HasHour(frequency string) bool {
	return frequency == "daily" || frequency == "weekly" || frequency == "monthly"
}

func checkHour(hour string) error {
	n, err := strconv.Atoi(hour)
	if hour != "" && (err != nil || n < 0 || n > 23 || strconv.Itoa(n) != hour) {
		return ErrHour
	}
	return nil
}

func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > 64 {
		return ErrZone
	}
	return nil
}

func checkFormat(format string) error {
	switch format {
	case "", store.FormatHTML, store.FormatText:
		return nil
	}
	return ErrFormat
}
