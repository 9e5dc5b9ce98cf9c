package newsletter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/internal/store"
)

// Columns of the CSV form of subscribers, in the order of an export.
var columns = []string{"email", "name", "status", "categories", "tags", "frequency", "timezone", "newsletters", "created_at"}

// Frequencies a reader may ask for.
var frequencies = []string{"each", "daily", "weekly", "monthly", store.CadenceSchedule}

// A RowProblem is one line of a CSV file that cannot be used.
type RowProblem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func (p RowProblem) Error() string { return fmt.Sprintf("line %d: %s", p.Line, p.Message) }

// Import says how a CSV file is to be read.
type Import struct {
	Newsletter string // for rows without the column; "" means the only one
	Confirmed  bool   // consent is proven: nobody is asked to confirm
	DryRun     bool
}

// An ImportReport is what an import did, or would do.
type ImportReport struct {
	Added      int          `json:"added"`
	Updated    int          `json:"updated"`
	Unchanged  int          `json:"unchanged"`
	Suppressed int          `json:"suppressed"`
	Invalid    int          `json:"invalid"`
	Problems   []RowProblem `json:"problems"`
}

// ImportCSV reads subscribers, applies the good rows together and reports the
// others. Nobody who left or is suppressed is brought back.
func (s *Service) ImportCSV(ctx context.Context, r io.Reader, in Import) (ImportReport, error) {
	rows, problems, err := s.readCSV(r, in)
	if err != nil {
		return ImportReport{}, err
	}
	done, err := s.Store.ImportSubscribers(ctx, s.Clock.Now(), rows, in.DryRun)
	if err != nil {
		return ImportReport{}, fmt.Errorf("import subscribers: %w", err)
	}
	report := ImportReport{
		Added: done.Added, Updated: done.Updated, Unchanged: done.Unchanged, Suppressed: done.Suppressed,
		Invalid: len(problems), Problems: problems,
	}
	for _, line := range done.SuppressedLines {
		report.Problems = append(report.Problems, RowProblem{line, "left or suppressed; stays so"})
	}
	slices.SortStableFunc(report.Problems, func(a, b RowProblem) int { return a.Line - b.Line })
	return report, nil
}

// readCSV parses a whole file: good rows, and the problems of the others.
func (s *Service) readCSV(r io.Reader, in Import) ([]store.ImportRow, []RowProblem, error) {
	br := bufio.NewReader(r)
	if bom, _ := br.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = br.Discard(3)
	}
	cr := csv.NewReader(br)
	cr.FieldsPerRecord, cr.TrimLeadingSpace = -1, true
	if head, _ := br.Peek(4096); separator(head) == ';' {
		cr.Comma = ';'
	}
	head, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the file is empty; its first line must name the columns, at least email")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the header: %w", err)
	}
	at, err := header(head)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := at["newsletters"]; !ok {
		if _, err := s.Newsletter(in.Newsletter); err != nil {
			return nil, nil, err
		}
	}
	return s.readRows(cr, at, in)
}

func separator(head []byte) rune {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

// header gives the position of each known column.
func header(names []string) (map[string]int, error) {
	at := map[string]int{}
	for i, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		if _, twice := at[n]; !twice {
			at[n] = i
		}
	}
	if _, ok := at["email"]; !ok {
		return nil, fmt.Errorf("there is no column email; the first line has: %s", strings.Join(names, ", "))
	}
	return at, nil
}

func (s *Service) readRows(cr *csv.Reader, at map[string]int, in Import) ([]store.ImportRow, []RowProblem, error) {
	var rows []store.ImportRow
	var problems []RowProblem
	seen := map[string]int{} // address and newsletter → line
	for {
		record, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return rows, problems, nil
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			problems = append(problems, RowProblem{pe.StartLine, pe.Err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the file: %w", err)
		}
		line, _ := cr.FieldPos(0)
		row, err := s.row(record, at, in)
		if err == nil {
			err = duplicate(seen, row, line)
		}
		if err != nil {
			problems = append(problems, RowProblem{line, err.Error()})
			continue
		}
		row.Line = line
		rows = append(rows, row)
	}
}

func duplicate(seen map[string]int, row store.ImportRow, line int) error {
	for _, sub := range row.Subscriber.Subscriptions {
		key := row.Subscriber.Key + " " + sub.Newsletter
		if first, ok := seen[key]; ok {
			return fmt.Errorf("%s stands in line %d already", row.Subscriber.Email, first)
		}
		seen[key] = line
	}
	return nil
}

// row turns one record into what is to be stored.
func (s *Service) row(record []string, at map[string]int, in Import) (store.ImportRow, error) {
	cell := func(name string) string {
		if i, ok := at[name]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	for _, c := range record {
		if !utf8.ValidString(c) || strings.ContainsRune(c, 0) {
			return store.ImportRow{}, errors.New("not UTF-8 text; convert the file first")
		}
	}
	who, err := s.person(cell("email"))
	if err != nil {
		return store.ImportRow{}, err
	}
	who.Name, who.Timezone = cell("name"), cell("timezone")
	if _, err := time.LoadLocation(who.Timezone); err != nil {
		return store.ImportRow{}, fmt.Errorf("timezone: %w", err)
	}
	sub, err := s.subscription(cell, in.Confirmed)
	sub.Categories, sub.Tags = given(at, "categories", sub.Categories), given(at, "tags", sub.Tags)
	if err != nil {
		return store.ImportRow{}, err
	}
	who.CreatedAt = sub.CreatedAt
	who.Subscriptions, err = s.forNewsletters(sub, cell("newsletters"), in.Newsletter)
	return store.ImportRow{Subscriber: who, Confirm: sub.Status == store.StatusPending}, err
}

// given tells an empty cell, which clears a list, from a column that the file
// does not have, which leaves it as it is.
func given(at map[string]int, column string, keys []string) []string {
	if _, ok := at[column]; ok && keys == nil {
		return []string{}
	}
	return keys
}

// subscription reads the cells that describe a subscription.
func (s *Service) subscription(cell func(string) string, confirmed bool) (store.Subscription, error) {
	status, err := readStatus(cell("status"), confirmed)
	if err != nil {
		return store.Subscription{}, err
	}
	created, err := readTime(cell("created_at"))
	if err != nil {
		return store.Subscription{}, err
	}
	frequency := strings.ToLower(cell("frequency"))
	if frequency != "" && !slices.Contains(frequencies, frequency) {
		return store.Subscription{}, fmt.Errorf("frequency %q is none of %s", frequency, strings.Join(frequencies, ", "))
	}
	snap := s.Posts()
	return store.Subscription{
		Status:     status,
		Categories: resolve(list(cell("categories")), snap.Categories),
		Tags:       resolve(list(cell("tags")), snap.Tags),
		Frequency:  frequency,
		CreatedAt:  created,
	}, nil
}

// readStatus gives the state a row asks for. Without proven consent an active
// row is pending until its owner confirms.
func readStatus(text string, confirmed bool) (string, error) {
	switch strings.ToLower(text) {
	case "", store.StatusActive, "confirmed", "subscribed", "enabled":
		if confirmed {
			return store.StatusActive, nil
		}
		return store.StatusPending, nil
	case store.StatusPending, "unconfirmed":
		return store.StatusPending, nil
	case store.StatusUnsubscribed:
		return store.StatusUnsubscribed, nil
	}
	return "", fmt.Errorf("status %q is none of active, pending, unsubscribed", text)
}

// timeLayouts are the spellings of created_at.
var timeLayouts = []string{time.RFC3339, "2006-01-02 15:04:05", time.DateOnly}

func readTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, l := range timeLayouts {
		if t, err := time.Parse(l, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("created_at %q is neither an RFC 3339 instant nor a date", text)
}

func (s *Service) forNewsletters(sub store.Subscription, cell, given string) ([]store.Subscription, error) {
	wanted := list(cell)
	if len(wanted) == 0 {
		wanted = []string{given}
	}
	subs := make([]store.Subscription, len(wanted))
	for i, name := range wanted {
		n, err := s.Newsletter(name)
		if err != nil {
			return nil, err
		}
		subs[i] = sub
		subs[i].Newsletter = n.Name
	}
	return subs, nil
}

// list splits a cell at its commas; "\," is a comma within an item.
func list(cell string) []string {
	var out []string
	for _, v := range strings.Split(strings.ReplaceAll(cell, `\,`, "\x00"), ",") {
		if v = strings.TrimSpace(strings.ReplaceAll(v, "\x00", ",")); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// cellOf is the opposite of list.
func cellOf(items []string) string {
	escaped := make([]string, len(items))
	for i, v := range items {
		escaped[i] = strings.ReplaceAll(v, ",", `\,`)
	}
	return strings.Join(escaped, ",")
}

// ExportCSV writes everyone, a row for each set of equal subscriptions, so
// that an import of the file with proven consent changes nothing.
func (s *Service) ExportCSV(ctx context.Context, w io.Writer) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(columns); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	err := s.Store.EachSubscriber(ctx, store.SubscriberFilter{}, func(who store.Subscriber) error {
		return exportOne(cw, who)
	})
	cw.Flush()
	if err = errors.Join(err, cw.Error()); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

func exportOne(cw *csv.Writer, who store.Subscriber) error {
	var rows [][]string
	for _, sub := range who.Subscriptions {
		row := []string{
			who.Email, who.Name, sub.Status, cellOf(sub.Categories), cellOf(sub.Tags),
			sub.Frequency, who.Timezone, sub.Newsletter, sub.CreatedAt.UTC().Format(time.RFC3339),
		}
		if last := len(rows) - 1; last >= 0 && alike(rows[last], row) {
			rows[last][7] += "," + sub.Newsletter
			continue
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if err := cw.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// alike reports whether two rows differ in nothing but the newsletter.
func alike(a, b []string) bool {
	return slices.Equal(a[:7], b[:7]) && a[8] == b[8]
}
