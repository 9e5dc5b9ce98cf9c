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

// A Spec is a parsed cron expression, or an hour of certain days.
type Spec struct {
	text string
	cron cron.Schedule
	days func(naive time.Time) bool // which days: a slot is a day, whose key has no time; nil: by cron
	hour int                        // of those days
}

// A Slot is one due minute of a Spec in a zone.
type Slot struct {
	Key string    // local wall-clock time, "2006-01-02T15:04", or day, "2006-01-02"
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

// Daily comes due each day at an hour; its slots are days.
func Daily(hour int) Spec {
	return Spec{text: fmt.Sprintf("daily at %d", hour), hour: hour, days: func(time.Time) bool { return true }}
}

// Weekly comes due each week on a day at an hour; its slots are days.
func Weekly(day time.Weekday, hour int) Spec {
	return Spec{text: fmt.Sprintf("each %s at %d", day, hour), hour: hour, days: func(t time.Time) bool { return t.Weekday() == day }}
}

// Monthly comes due each month on a day, 1 to 28, at an hour; its slots are
// days.
func Monthly(day, hour int) Spec {
	return Spec{text: fmt.Sprintf("each %d. at %d", day, hour), hour: hour, days: func(t time.Time) bool { return t.Day() == day }}
}

// next gives the first local time after a local time that the spec wants.
func (s Spec) next(naive time.Time) time.Time {
	if s.days == nil {
		return s.cron.Next(naive)
	}
	y, m, d := naive.Date()
	t := time.Date(y, m, d, s.hour, 0, 0, 0, time.UTC)
	for !t.After(naive) || !s.days(t) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

func (s Spec) String() string { return s.text }

// Slots gives the slots whose instant lies after the first time and not after
// the second, in order.
func (s Spec) Slots(after, until time.Time, zone *time.Location) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		naive := wall(after.In(zone)).Add(-s.early())
		for {
			naive = s.next(naive)
			if naive.IsZero() {
				return
			}
			slot := s.slot(naive, zone)
			if slot.At.After(until) {
				return
			}
			if slot.At.After(after) && !yield(slot) {
				return
			}
		}
	}
}

// early is by how much a slot's local time may lie before that of its instant:
// the end of a gap, or for a day that is left out the same hour of the next.
func (s Spec) early() time.Duration {
	if s.days != nil {
		return 24 * time.Hour
	}
	return time.Minute
}

// slot gives the slot of a naive time. An hour of a day that zone's clocks
// leave out as a whole is that of the next day, rather than midnight.
func (s Spec) slot(naive time.Time, zone *time.Location) Slot {
	at := instant(naive, zone)
	if s.days == nil {
		return Slot{Key: naive.Format(keyLayout), At: at}
	}
	if day := at.In(zone).Day(); day != naive.Day() {
		at = instant(naive.AddDate(0, 0, 1), zone)
	}
	return Slot{Key: naive.Format(time.DateOnly), At: at}
}

// Next gives the first slot after t; ok is false if there is none within
// cron's horizon of five years.
func (s Spec) Next(t time.Time, zone *time.Location) (slot Slot, ok bool) {
	for slot := range s.Slots(t, t.AddDate(6, 0, 0), zone) {
		return slot, true
	}
	return Slot{}, false
}

// Slot gives the slot with a key.
func (s Spec) Slot(key string, zone *time.Location) (Slot, error) {
	layout := keyLayout
	if s.days != nil {
		layout = time.DateOnly
	}
	naive, err := time.Parse(layout, key)
	if err != nil {
		return Slot{}, fmt.Errorf("slot %q: %w", key, err)
	}
	return s.slot(s.next(naive.Add(-time.Nanosecond)), zone), nil
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

// Skipped reports whether the slot's minute, or day, does not exist on the
// zone's clocks.
func (s Slot) Skipped(zone *time.Location) bool { return !strings.HasPrefix(Key(s.At, zone), s.Key) }

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
	return again.After(s.At) && !again.Before(end) && Key(again, zone) == Key(s.At, zone) && !s.Skipped(zone)
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
