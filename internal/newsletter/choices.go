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

// What is wrong with what somebody chose.
var (
	ErrFrequency = errors.New("not a frequency of that newsletter")
	ErrHour      = errors.New("not an hour from 0 to 23")
	ErrZone      = errors.New("not a time zone")
	ErrFormat    = errors.New("not a format of mails")
)

// Fields of forms, as FieldErrors names them.
const (
	FieldEmail     = "email"
	FieldFrequency = "frequency"
	FieldHour      = "hour"
	FieldZone      = "timezone"
	FieldFormat    = "format"
)

// FieldErrors is what is wrong with a form, by field.
type FieldErrors map[string]error

func (e FieldErrors) Error() string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, field+": "+e[field].Error())
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the errors to errors.Is.
func (e FieldErrors) Unwrap() []error { return slices.Collect(maps.Values(e)) }

// Offers gives the frequencies that readers may choose, the newsletter's own
// schedule first.
func (n Newsletter) Offers() []string {
	return slices.DeleteFunc(slices.Clone(store.Cadences), func(f string) bool { return !n.offers(f) })
}

// HasHour reports whether a reader of that frequency chooses an hour.
func HasHour(frequency string) bool {
	return store.ByHour(frequency)
}

func checkHour(hour string) error {
	n, err := strconv.Atoi(hour)
	if hour != "" && (err != nil || n < 0 || n > 23 || strconv.Itoa(n) != hour) {
		return ErrHour
	}
	return nil
}

// longestZone is more than the name of any zone has.
const longestZone = 64

func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > longestZone {
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
