package newsletter

import (
	"strconv"
	"strings"
	"time"

	"tidings/internal/schedule"
	"tidings/internal/store"
)

// parseQuiet gives the hours at which quiet begins and ends; ok is false if
// there is none.
func parseQuiet(text string) (from, to int, ok bool) {
	a, b, found := strings.Cut(text, "-")
	from, errFrom := strconv.Atoi(strings.TrimSpace(a))
	to, errTo := strconv.Atoi(strings.TrimSpace(b))
	ok = found && errFrom == nil && errTo == nil && from != to && min(from, to) >= 0 && max(from, to) <= 23
	return from, to, ok
}

// quietUntil gives the end of the quiet hours that t falls into; t itself, if
// it falls into none.
func quietUntil(text string, t time.Time, zone *time.Location) time.Time {
	from, to, ok := parseQuiet(text)
	if !ok {
		return t
	}
	h := t.In(zone).Hour()
	quiet := from <= h && h < to
	if from > to {
		quiet = h >= from || h < to
	}
	if !quiet {
		return t
	}
	end, _ := schedule.Daily(to).Next(t, zone)
	return end.At
}

// awake gives the first instant from t on at which a reader may be mailed.
func (s *Service) awake(n Newsletter, timezone, quiet string, t time.Time) time.Time {
	if quiet == "" {
		quiet = n.QuietHours
	}
	if quiet == "" {
		return t
	}
	return quietUntil(quiet, t, s.zone(n, timezone))
}

// hold gives when each reader may get what is asked for; nil if that may be at
// once for all. A run in time comes at an hour that its readers chose, be it in
// their quiet hours.
func (s *Service) hold(r Request) func(store.Reader) time.Time {
	if r.Cadence != "" && r.Cadence != store.CadenceEach && !r.welcomes() && r.Late == "" {
		return nil
	}
	return func(reader store.Reader) time.Time {
		if until := s.awake(r.Newsletter, reader.Timezone, reader.QuietHours, r.At); until.After(r.At) {
			return until.UTC()
		}
		return time.Time{}
	}
}

// grace is for how long a mail that its reader wants within their quiet hours
// may be tried; on a clock that races, as long as it takes to notice at least.
const grace = time.Hour

// holdOff gives until when a claimed mail is to wait for the end of its
// reader's quiet hours; zero if it need not. intended is when it was to be
// sent: if that is in quiet hours, at an hour of the reader's choice.
func (s *Service) holdOff(j store.Job, intended, now time.Time) time.Time {
	n, err := s.Newsletter(j.Newsletter)
	if err != nil {
		return time.Time{}
	}
	until := s.awake(n, j.Timezone, j.QuietHours, now)
	chosen := j.AtHour && s.awake(n, j.Timezone, j.QuietHours, intended).After(intended)
	if !until.After(now) || chosen && now.Sub(intended) < max(grace, s.punctual()) {
		return time.Time{}
	}
	return until
}
