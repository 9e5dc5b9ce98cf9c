package roster

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"time"

	"tidings/internal/store"
)

// Columns of our own files, in the order in which they are written.
var columns = []string{
	"email", "name", "status", "categories", "tags", "frequency", "timezone", "newsletters", "created_at",
	"hour", "paused_until", "format", "language", "quiet_hours", "confirmed_at", "ended_at", "suppressed",
}

// newslettersColumn is the one of them in which alike subscriptions may differ.
var newslettersColumn = slices.Index(columns, "newsletters")

// A Writer writes people in our own form, of which a [Reader] makes the same
// again. Each has a row for each set of subscriptions that are alike.
type Writer struct{ csv *csv.Writer }

// NewWriter begins with the names of the columns.
func NewWriter(w io.Writer) (*Writer, error) {
	cw := csv.NewWriter(w)
	return &Writer{cw}, wrapWrite(cw.Write(columns))
}

// Write writes a person, and the reason for which they are never mailed; "" if
// they may be.
func (w *Writer) Write(p store.Subscriber, suppressed string) error {
	var rows [][]string
	for _, sub := range p.Subscriptions {
		row := []string{
			p.Email, p.Name, sub.Status, commaCell(sub.Categories), commaCell(sub.Tags), sub.Frequency, p.Timezone,
			commaCell([]string{sub.Newsletter}), instant(sub.CreatedAt), sub.Hour, instant(sub.PausedUntil), p.Format,
			p.Language, p.QuietHours, instant(sub.ConfirmedAt), instant(sub.EndedAt), suppressed,
		}
		if at := slices.IndexFunc(rows, func(r []string) bool { return alike(r, row) }); at >= 0 {
			rows[at][newslettersColumn] += "," + row[newslettersColumn]
			continue
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if err := w.csv.Write(row); err != nil {
			return wrapWrite(err)
		}
	}
	return nil
}

// alike reports whether two rows differ in nothing but the newsletter.
func alike(a, b []string) bool {
	for i := range a {
		if i != newslettersColumn && a[i] != b[i] {
			return false
		}
	}
	return true
}

// Flush writes what is not written yet.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return wrapWrite(w.csv.Error())
}

func wrapWrite(err error) error {
	if err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return nil
}

// instant is how a time is written: as exactly as it is kept.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z07:00")
}
