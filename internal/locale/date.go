package locale

import (
	"strconv"
	"strings"
	"time"
)

// dates is how a language writes a day.
type dates struct {
	Long        string   `yaml:"long"`  // "{month} {day}, {year}"
	Short       string   `yaml:"short"` // the same with the short name of the month
	Months      []string `yaml:"months"`
	ShortMonths []string `yaml:"short_months"`
}

// Date writes a day briefly: "Apr 7, 2025". A zero time gives "".
func (l *Language) Date(t time.Time) string { return l.date(t, l.dates.Short, l.dates.ShortMonths) }

// LongDate writes a day in full: "April 7, 2025". A zero time gives "".
func (l *Language) LongDate(t time.Time) string { return l.date(t, l.dates.Long, l.dates.Months) }

func (l *Language) date(t time.Time, form string, months []string) string {
	if t.IsZero() {
		return ""
	}
	return strings.NewReplacer(
		"{day}", l.Number(t.Day()),
		"{month}", months[t.Month()-1],
		"{number}", l.Number(int(t.Month())),
		"{year}", l.year(t.Year()),
	).Replace(form)
}

// year writes a year, which nobody groups by thousands, in the language's
// digits.
func (l *Language) year(y int) string {
	var b strings.Builder
	for _, digit := range strconv.Itoa(y) {
		b.WriteString(l.Number(int(digit - '0')))
	}
	return b.String()
}
