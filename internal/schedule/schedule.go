// Package schedule turns a cron expression and a time zone into slots. A slot
// is a wall-clock minute: its key is the local time, so that a clock set back
// or a repeated autumn hour cannot make a second one. The package is pure; it
// uses robfig/cron's parser, and counts slots itself, because that library's
// runner loses jobs in the spring gap and doubles them in autumn.
package schedule

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// keyLayout is the form of a slot's key.
const keyLayout = "2006-01-02T15:04"

// A Spec is a parsed cron expression.
type Spec struct {
	text string
	cron cron.Schedule
}

// A Slot is one due minute of a Spec in a zone.
type Slot struct {
	Key string    // local wall-clock time, "2006-01-02T15:04"
	At  time.Time // the instant: after the gap if the minute does not exist, the first one if it comes twice
}

// Parse reads five cron fields or one of @hourly, @daily, @midnight, @weekly,
// @monthly, @yearly, @annually. It refuses @every and TZ= (zones have a key
// of their own) and expressions that never come due.
func Parse(text string) (Spec, error) {
	text = strings.TrimSpace(text)
	switch upper := strings.ToUpper(text); {
	case strings.HasPrefix(upper, "TZ="), strings.HasPrefix(upper, "CRON_TZ="):
		return Spec{}, fmt.Errorf("schedule %q: a time zone is not written here, but under the key timezone", text)
	case strings.HasPrefix(upper, "@EVERY"):
		return Spec{}, fmt.Errorf("schedule %q: @every is not offered, since its slots would depend on the start of the program; write a cron expression such as \"*/10 * * * *\"", text)
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	c, err := parser.Parse(text)
	if err != nil {
		return Spec{}, fmt.Errorf("schedule %q: %w", text, err)
	}
	s := Spec{text: text, cron: c}
	if s.cron.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Spec{}, fmt.Errorf("schedule %q: there is no such day, so it would never come due", text)
	}
	return s, nil
}

func (s Spec) String() string { return s.text }

// Slots gives the slots whose instant lies after the first time and not after
// the second, in order.
func (s Spec) Slots(after, until time.Time, zone *time.Location) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		// A local time may lie up to an hour or more before the instant it
		// stands for (a gap), so the search begins a day early.
		naive := wall(after.In(zone)).AddDate(0, 0, -1)
		for {
			naive = s.cron.Next(naive)
			if naive.IsZero() {
				return
			}
			at := instant(naive, zone)
			if at.After(until) {
				return
			}
			if at.After(after) && !yield(Slot{Key: naive.Format(keyLayout), At: at}) {
				return
			}
		}
	}
}

// Next gives the first slot after t; ok is false if there is none within
// cron's horizon of five years.
func (s Spec) Next(t time.Time, zone *time.Location) (slot Slot, ok bool) {
	for slot := range s.Slots(t, t.AddDate(6, 0, 0), zone) {
		return slot, true
	}
	return Slot{}, false
}

// ParseKey gives the instant of a slot's key.
func ParseKey(key string, zone *time.Location) (time.Time, error) {
	naive, err := time.Parse(keyLayout, key)
	if err != nil {
		return time.Time{}, fmt.Errorf("slot %q: %w", key, err)
	}
	return instant(naive, zone), nil
}

// Key gives the key of a slot at an instant: what the zone's clocks show.
func Key(t time.Time, zone *time.Location) string { return t.In(zone).Format(keyLayout) }

// Skipped reports whether the slot's minute does not exist on the zone's clocks.
func (s Slot) Skipped(zone *time.Location) bool { return Key(s.At, zone) != s.Key }

// Repeated reports whether the zone's clocks show the slot's minute once more
// after its instant.
func (s Slot) Repeated(zone *time.Location) bool {
	at := s.At.In(zone)
	_, end := at.ZoneBounds()
	if end.IsZero() {
		return false
	}
	_, before := at.Zone()
	_, after := end.Zone()
	again := s.At.Add(time.Duration(before-after) * time.Second)
	return again.After(s.At) && !again.Before(end) && Key(again, zone) == s.Key
}

// wall gives t's wall clock as if it were UTC's.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// instant gives the moment at which zone's clocks show the naive time: the
// first of two, or the first after the gap.
func instant(naive time.Time, zone *time.Location) time.Time {
	y, m, d := naive.Date()
	t := time.Date(y, m, d, naive.Hour(), naive.Minute(), 0, 0, zone)
	if wall(t).Equal(naive) {
		return firstOfTwo(t, naive)
	}
	return afterGap(t)
}

// firstOfTwo gives the earlier instant with the same wall clock, if there is
// one: zones put their clocks back by at most a few hours.
func firstOfTwo(t, naive time.Time) time.Time {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return t
	}
	_, now := t.Zone()
	_, before := start.Add(-time.Second).Zone()
	earlier := t.Add(time.Duration(now-before) * time.Second)
	if earlier.Before(start) && wall(earlier).Equal(naive) {
		return earlier
	}
	return t
}

// afterGap gives the transition next to t, which lies on one side of a gap.
func afterGap(t time.Time) time.Time {
	start, end := t.ZoneBounds()
	if end.IsZero() || !start.IsZero() && t.Sub(start) < end.Sub(t) {
		return start
	}
	return end
}
