package post

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Years outside of these are mistakes, and some documents cannot hold them.
const (
	firstYear = 1970
	lastYear  = 9999
)

const dateExample = `write it like "2024-05-07", "2024-05-07 09:30" or "2024-05-07T09:30:00+02:00"`

var errDate = errors.New("it is no date that can be read; " + dateExample)

var (
	isoDate    = regexp.MustCompile(`^(\d{4,})[-/.](\d{1,2})[-/.](\d{1,2})(?:[Tt]|[\s,]+|$)(.*)$`)
	compact    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:[Tt](\d{2})(\d{2})(\d{2})?(\D.*)?)?$`)
	epoch      = regexp.MustCompile(`^\d{10}(\d{3})?$`)
	weekday    = regexp.MustCompile(`^(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[.,]*\s+`)
	monthFirst = regexp.MustCompile(`^([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4,})(?:\s*,?\s+(?:at\s+)?|$)(.*)$`)
	dayFirst   = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+([A-Za-z]{3,9})\.?,?[\s-]+(\d{4,})(?:\s*,?\s+(?:at\s+)?|$)(.*)$`)
	clockTime  = regexp.MustCompile(`^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9})\d*)?)?\s*([AaPp][Mm]\b)?\s*(.*)$`)
	offset     = regexp.MustCompile(`^(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?(?:\s+\(?[A-Za-z ]+\)?)?$`)
)

// parseTime reads a date in any of the spellings that front matter holds. A
// date without a clock time is midnight; one without a zone is in loc. What
// could mean two things, such as 05/07/2024, is refused.
func parseTime(text string, loc *time.Location) (time.Time, error) {
	text = strings.TrimSpace(text)
	if t, ok := usualTime(text, loc); ok {
		return inYears(t)
	}
	text = weekday.ReplaceAllString(text, "")
	if m := epoch.FindStringSubmatch(text); m != nil {
		return inYears(unixTime(text, m[1] != ""))
	}
	year, month, day, rest, err := dateParts(text)
	if err != nil {
		return time.Time{}, err
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, fmt.Errorf("the calendar has no such day; %s", dateExample)
	}
	clock, err := parseClock(rest, loc)
	if err != nil {
		return time.Time{}, err
	}
	return inYears(time.Date(year, time.Month(month), day, clock.hour, clock.minute, clock.second, clock.nanosecond, clock.zone))
}

// usualTime reads the two commonest spellings, at a fraction of the cost.
func usualTime(text string, loc *time.Location) (time.Time, bool) {
	var t time.Time
	var err error
	switch len(text) {
	case len("2006-01-02"):
		t, err = time.ParseInLocation("2006-01-02", text, loc)
	case len("2006-01-02T15:04:05Z"):
		t, err = time.Parse("2006-01-02T15:04:05Z", text)
	default:
		return t, false
	}
	return t, err == nil
}

func unixTime(text string, millis bool) time.Time {
	n, _ := strconv.ParseInt(text, 10, 64)
	if millis {
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// inYears refuses a time whose year is out of range; the last one must not be
// left in UTC either, which feeds and mails convert to.
func inYears(t time.Time) (time.Time, error) {
	if t.Year() < firstYear || t.UTC().Year() > lastYear {
		return time.Time{}, fmt.Errorf("the year %d is not between %d and %d", t.Year(), firstYear, lastYear)
	}
	return t, nil
}

// dateParts cuts the date off the front and leaves the clock time.
func dateParts(text string) (year, month, day int, rest string, err error) {
	var y, m, d string
	if p := isoDate.FindStringSubmatch(text); p != nil {
		y, m, d, rest = p[1], p[2], p[3], p[4]
	} else if p := compact.FindStringSubmatch(text); p != nil {
		y, m, d = p[1], p[2], p[3]
		if p[4] != "" {
			rest = p[4] + ":" + p[5] + ":" + (p[6] + "00")[:2] + p[7]
		}
	} else if p := monthFirst.FindStringSubmatch(text); p != nil {
		y, m, d, rest = p[3], monthNumber(p[1]), p[2], p[4]
	} else if p := dayFirst.FindStringSubmatch(text); p != nil {
		y, m, d, rest = p[3], monthNumber(p[2]), p[1], p[4]
	}
	if y == "" || m == "" {
		return 0, 0, 0, "", errDate
	}
	if year, err = strconv.Atoi(y); err != nil || year < firstYear || year > lastYear {
		return 0, 0, 0, "", fmt.Errorf("the year %s is not between %d and %d", y, firstYear, lastYear)
	}
	month, _ = strconv.Atoi(m)
	day, _ = strconv.Atoi(d)
	return year, month, day, rest, nil
}

// monthNumber knows the English names and their beginnings of three letters
// or more; "" for any other word.
func monthNumber(name string) string {
	name = strings.ToLower(name)
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), name) {
			return strconv.Itoa(int(m))
		}
	}
	return ""
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// A clock is a time of day with its zone.
type clock struct {
	hour, minute, second, nanosecond int
	zone                             *time.Location
}

func parseClock(text string, loc *time.Location) (clock, error) {
	c := clock{zone: loc}
	if text = strings.TrimSpace(text); text == "" {
		return c, nil
	}
	m := clockTime.FindStringSubmatch(text)
	if m == nil {
		return c, errDate
	}
	c.hour, _ = strconv.Atoi(m[1])
	c.minute, _ = strconv.Atoi(m[2])
	c.second, _ = strconv.Atoi("0" + m[3])
	c.nanosecond, _ = strconv.Atoi((m[4] + "000000000")[:9])
	if m[5] != "" {
		if c.hour < 1 || c.hour > 12 {
			return c, errDate
		}
		c.hour %= 12
		if m[5][0] == 'p' || m[5][0] == 'P' {
			c.hour += 12
		}
	}
	if c.hour > 23 || c.minute > 59 || c.second > 59 {
		return c, errors.New("no clock shows this time; " + dateExample)
	}
	var err error
	c.zone, err = parseZone(m[6], loc)
	return c, err
}

// parseZone reads an offset, UTC, or the name of a zone. Abbreviations other
// than UTC are refused, since many stand for several zones.
func parseZone(text string, loc *time.Location) (*time.Location, error) {
	text = strings.TrimSpace(text)
	switch strings.ToUpper(text) {
	case "":
		return loc, nil
	case "Z", "UTC", "GMT", "Z UTC":
		return time.UTC, nil
	}
	if m := offset.FindStringSubmatch(text); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi("0" + m[3])
		seconds := (hours*60 + minutes) * 60
		if hours > 14 || minutes > 59 {
			return nil, fmt.Errorf("no zone is %s from UTC; %s", text, dateExample)
		}
		if seconds == 0 {
			return time.UTC, nil
		}
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("", seconds), nil
	}
	if strings.Contains(text, "/") {
		if zone, err := time.LoadLocation(text); err == nil {
			return zone, nil
		}
	}
	return nil, fmt.Errorf("%q after the time is no zone that can be read; %s", text, dateExample)
}
