package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// checkCron accepts what has local slots to enumerate: five fields or one of
// the descriptors @hourly … @yearly.
func checkCron(s string) string {
	s = strings.TrimSpace(s)
	switch upper := strings.ToUpper(s); {
	case strings.HasPrefix(upper, "@EVERY"):
		return fmt.Sprintf("%q: @every counts from whenever the daemon starts; write a cron expression, such as \"0 8 * * MON\"", s)
	case strings.HasPrefix(upper, "TZ="), strings.HasPrefix(upper, "CRON_TZ="):
		return fmt.Sprintf("%q: the time zone has a key of its own, timezone", s)
	}
	schedule, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(s)
	if err != nil {
		cause, _, _ := strings.Cut(err.Error(), ": strconv.")
		cause, _, _ = strings.Cut(cause, ": [")
		return fmt.Sprintf("%q is not a cron expression (minute hour day-of-month month day-of-week, such as \"0 8 * * MON\"; or @daily …): %s%s",
			s, cause, sundayHint(cause))
	}
	if neverFires(schedule) {
		return fmt.Sprintf("%q never comes: there is no such day", s)
	}
	return ""
}

// sundayHint helps those whose cron lets the week end with a 7.
func sundayHint(cause string) string {
	if strings.Contains(cause, "(7) above maximum (6)") {
		return "; Sunday is 0"
	}
	return ""
}

// neverFires looks for a first tick. The parser lets a field of commas alone
// through as an empty set, which it would search for minute by minute. The
// search starts where leap years lie close.
func neverFires(s cron.Schedule) bool {
	if spec, ok := s.(*cron.SpecSchedule); ok && (spec.Minute == 0 || spec.Hour == 0 || spec.Dom == 0 || spec.Month == 0 || spec.Dow == 0) {
		return true
	}
	return s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero()
}
