package newsletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tidings/internal/roster"
	"tidings/internal/store"
)

const (
	// importTogether is how many rows are compared or staged at once.
	importTogether = 4000
	// importStale is when an import that nobody works at any more was given up.
	importStale = time.Hour
	// importEvery is how often the daemon looks for what is left of imports.
	importEvery = time.Minute
)

// Import says how a file is to be read.
type Import struct {
	Newsletter string // for rows without the column; "" means the only one
	Confirmed  bool   // consent is proven: nobody is asked to confirm
	DryRun     bool
	Source     string                             // where the people come from, for the record of their consent
	Progress   func(stage string, done, of int64) // may be nil
}

// Stages of an import.
const (
	ImportReads    = "reading"   // bytes of the file
	ImportCompares = "comparing" // rows, in a dry run
	ImportStages   = "staging"   // rows
	ImportApplies  = "applying"  // rows
)

// A RowProblem is one line of a file that cannot be used, or that changes nothing
// because its person is not to be mailed.
type RowProblem struct {
	File    string `json:"file,omitempty"` // of an archive
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func (p RowProblem) Error() string {
	return fmt.Sprintf("%v: %s", roster.Place{File: p.File, Line: p.Line}, p.Message)
}

// An ImportReport is what an import did, or would do: every row of the file is
// counted once.
type ImportReport struct {
	Format      roster.Format  `json:"format"`
	Added       int            `json:"added"`
	Updated     int            `json:"updated"`
	Unchanged   int            `json:"unchanged"`
	Suppressed  int            `json:"suppressed"`
	Duplicate   int            `json:"duplicate"`
	Invalid     int            `json:"invalid"`
	IgnoredTags map[string]int `json:"ignored_tags,omitempty"` // another product's, that are no topic here
	Problems    []RowProblem   `json:"problems"`

	IgnoredColumns []string `json:"ignored_columns,omitempty"` // that mean nothing here
}

// ImportCSV is Import of a small file.
func (s *Service) ImportCSV(ctx context.Context, r io.Reader, in Import) (ImportReport, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return ImportReport{}, fmt.Errorf("read the file: %w", err)
	}
	file, err := roster.Open(bytes.NewReader(text), int64(len(text)), "", roster.CSV)
	if err != nil {
		return ImportReport{}, err
	}
	return s.Import(ctx, file, in)
}

// Import reads a file of subscribers, applies the good rows all together, and
// reports the others. Nobody who left or is suppressed is brought back. An error
// means that nothing was applied, or, if it is an [UnfinishedError], that what is
// left is going to be.
func (s *Service) Import(ctx context.Context, file *roster.Reader, in Import) (ImportReport, error) {
	if in.Progress == nil {
		in.Progress = func(string, int64, int64) {}
	}
	im := importing{Service: s, in: in, zones: map[string]bool{}, files: []string{""}}
	im.report.Format = file.Format()
	if err := im.read(ctx, file); err != nil {
		return ImportReport{}, err
	}
	defer im.sorter.Close()
	done, err := im.bring(ctx)
	if err != nil {
		return ImportReport{}, fmt.Errorf("import subscribers: %w", err)
	}
	return im.result(done), nil
}

// An importing is one import under way.
type importing struct {
	*Service
	in     Import
	report ImportReport
	sorter *sorter
	zones  map[string]bool
	files  []string // of the archive, by the number within a row's line
	rows   int64    // that were read and are good
}

// lineBits are those of a row's line that hold the line; the file is above.
const lineBits = 40

// number gives a place as one number.
func (im *importing) number(p roster.Place) int {
	at := slices.Index(im.files, p.File)
	if at < 0 {
		at = len(im.files)
		im.files = append(im.files, p.File)
	}
	return at<<lineBits | p.Line
}

func (im *importing) place(number int) roster.Place {
	return roster.Place{File: im.files[number>>lineBits], Line: number & (1<<lineBits - 1)}
}

func (im *importing) problem(number int, format string, args ...any) {
	p := im.place(number)
	im.report.Problems = append(im.report.Problems, RowProblem{p.File, p.Line, fmt.Sprintf(format, args...)})
}

// read sorts the good rows of the file, and notes the others.
func (im *importing) read(ctx context.Context, file *roster.Reader) (err error) {
	if !file.Has("newsletters") {
		if _, err := im.Newsletter(im.in.Newsletter); err != nil {
			return err
		}
	}
	_, size := file.Progress()
	if im.sorter, err = newSorter(size); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ahead := readAhead(ctx, file)
	defer func() {
		for stop(); ; {
			if _, open := <-ahead; !open {
				return // nobody reads the file any more
			}
		}
	}()
	for lines := range ahead {
		im.in.Progress(ImportReads, lines.done, size)
		for _, l := range lines.list {
			if err = im.take(l); err != nil {
				im.sorter.Close()
				return err
			}
		}
	}
	if err = ctx.Err(); err != nil {
		im.sorter.Close()
	}
	im.report.IgnoredColumns = file.Ignored()
	return err
}

// A readLine is a line of a file, or what is wrong with it or the file.
type readLine struct {
	rec roster.Record
	err error
}

// readLines are some of them, and how much of the file has been read then.
type readLines struct {
	list []readLine
	done int64
}

// readAhead reads a file while what it gave is worked at, until its end, an error
// or the end of ctx.
func readAhead(ctx context.Context, file *roster.Reader) <-chan readLines {
	const together = 500
	ahead := make(chan readLines, 4)
	go func() {
		defer close(ahead)
		for end := false; !end; {
			lines := readLines{list: make([]readLine, 0, together)}
			for len(lines.list) < together && !end {
				rec, err := file.Next()
				var bad *roster.Problem
				end = err != nil && !errors.As(err, &bad)
				if !errors.Is(err, io.EOF) {
					lines.list = append(lines.list, readLine{rec, err})
				}
			}
			lines.done, _ = file.Progress()
			select {
			case ahead <- lines:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ahead
}

// take sorts in a good line, and notes another.
func (im *importing) take(l readLine) error {
	var bad *roster.Problem
	if errors.As(l.err, &bad) {
		im.report.Invalid++
		im.problem(im.number(bad.Place), "%s", bad.Message)
		return nil
	}
	if l.err != nil {
		return l.err
	}
	number := im.number(l.rec.Place)
	row, address, err := im.row(l.rec)
	if err != nil {
		im.report.Invalid++
		im.problem(number, "%v", err)
		return nil
	}
	row.Line = number
	im.rows++
	return im.sorter.add(address, row)
}

// bring compares the sorted rows, or applies them.
func (im *importing) bring(ctx context.Context) (store.ImportReport, error) {
	if im.in.DryRun {
		return im.compare(ctx)
	}
	if err := im.sweepImports(ctx); err != nil {
		return store.ImportReport{}, err
	}
	origin := store.Origin{Source: im.in.Source}
	id, err := im.Store.BeginImport(store.WithOrigin(ctx, origin), im.Clock.Now())
	if err != nil {
		return store.ImportReport{}, err
	}
	err = im.together(ctx, ImportStages, func(rows []store.ImportRow) error {
		return im.Store.StageImport(ctx, im.Clock.Now(), id, rows)
	})
	if err == nil {
		err = im.Store.DecideImport(ctx, im.Clock.Now(), id)
	}
	if err != nil {
		return store.ImportReport{}, errors.Join(err, im.drop(context.WithoutCancel(ctx), id))
	}
	var done int64
	if err := im.finishImports(ctx, func(rows int) {
		done += int64(rows)
		im.in.Progress(ImportApplies, min(done, im.rows), im.rows)
	}); err != nil {
		return store.ImportReport{}, &UnfinishedError{err}
	}
	return im.Store.TakeImport(ctx, id)
}

// An UnfinishedError says that an import is certain but not complete.
type UnfinishedError struct{ Err error }

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%v; a part of the rows is applied, and the rest will be by the daemon within a minute, or by the next command that looks at subscribers", e.Err)
}

func (e *UnfinishedError) Unwrap() error { return e.Err }

func (im *importing) compare(ctx context.Context) (total store.ImportReport, err error) {
	err = im.together(ctx, ImportCompares, func(rows []store.ImportRow) error {
		r, err := im.Store.ImportSubscribers(ctx, im.Clock.Now(), rows, true)
		total.Added += r.Added
		total.Updated += r.Updated
		total.Unchanged += r.Unchanged
		total.Suppressed += r.Suppressed
		total.SuppressedLines = append(total.SuppressedLines, r.SuppressedLines...)
		return err
	})
	return total, err
}

// together gives fn the rows that count, those of a person at once.
func (im *importing) together(ctx context.Context, stage string, fn func(rows []store.ImportRow) error) error {
	var batch []store.ImportRow
	var done int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := fn(batch)
		done += int64(len(batch))
		batch = batch[:0]
		im.in.Progress(stage, done, im.rows)
		return errors.Join(err, ctx.Err())
	}
	err := im.sorter.each(func(rows []store.ImportRow) error {
		count, twice, lines := settle(rows)
		for i, r := range twice {
			im.report.Duplicate++
			im.problem(r.Line, "%s stands in %v too, and that counts", r.Subscriber.Email, im.place(lines[i]))
		}
		if batch = append(batch, count...); len(batch) < importTogether {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// result completes the report.
func (im *importing) result(done store.ImportReport) ImportReport {
	r := im.report
	r.Added, r.Updated, r.Unchanged, r.Suppressed = done.Added, done.Updated, done.Unchanged, done.Suppressed
	for _, line := range done.SuppressedLines {
		im.problem(line, "left, bounced, complained or blocked: not mailed")
	}
	r.Problems = im.report.Problems
	slices.SortStableFunc(r.Problems, func(a, b RowProblem) int {
		if a.File == b.File {
			return a.Line - b.Line
		}
		return slices.Index(im.files, a.File) - slices.Index(im.files, b.File)
	})
	return r
}

// FinishImports applies what is left of imports whose process was interrupted,
// and forgets those that it left before they counted.
func (s *Service) FinishImports(ctx context.Context) error {
	left, err := s.Store.ImportsLeft(ctx)
	if err == nil && left > 0 {
		s.Log.Info("finishing an import of subscribers", "rows", left)
		err = s.finishImports(ctx, func(int) {})
	}
	if err == nil {
		err = s.sweepImports(ctx)
	}
	if err != nil {
		return fmt.Errorf("finish imports: %w", err)
	}
	return nil
}

// KeepImports does so from time to time, until ctx ends.
func (s *Service) KeepImports(ctx context.Context) error {
	for tick := time.Tick(importEvery); ; {
		s.wholeImports(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// wholeImports lets an edition see an import whole or not at all. One that
// cannot be finished keeps nobody from the mail they are due.
func (s *Service) wholeImports(ctx context.Context) {
	if err := s.FinishImports(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error("an import of subscribers is not complete; it is tried again", "error", err)
	}
}

// finishImports applies staged rows until none are left.
func (s *Service) finishImports(ctx context.Context, applied func(rows int)) error {
	pace, wants := importPace{share: leastShare}, s.wants()
	for {
		most, pause := s.importShare(ctx)
		began := time.Now()
		n, err := s.Store.ApplyImport(ctx, s.Clock.Now(), min(pace.share, most), wants)
		if err != nil || n == 0 {
			return err
		}
		pace.took(time.Since(began))
		applied(n)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// importShare tells for how long to write at the most, and how long to let others
// then. Senders come first; what cannot be found out is taken as a send under way.
func (s *Service) importShare(ctx context.Context) (most, pause time.Duration) {
	editions, err := s.Store.PendingEditions(ctx)
	if err != nil || slices.ContainsFunc(editions, func(e store.Edition) bool { return e.Status == store.EditionSending }) {
		return 30 * time.Millisecond, 30 * time.Millisecond
	}
	return 60 * time.Millisecond, 26 * time.Millisecond
}

// An importPace finds out how much can be written without keeping others from it
// for long: on a slow disk or a busy machine the end of a transaction, too, takes
// its time.
type importPace struct{ share time.Duration }

const leastShare = 10 * time.Millisecond

// took tells how long the last transaction took, waiting for its turn included.
func (p *importPace) took(d time.Duration) {
	switch {
	case d > 110*time.Millisecond:
		p.share = max(p.share/2, leastShare)
	case d < 80*time.Millisecond:
		p.share += p.share / 4
	}
}

// sweepImports forgets imports that nobody works at any more.
func (s *Service) sweepImports(ctx context.Context) error {
	if s.Clock.Rehearsing() {
		return nil // other processes go by another clock
	}
	ids, err := s.Store.StaleImports(ctx, s.Clock.Now().Add(-importStale))
	for _, id := range ids {
		err = errors.Join(err, s.drop(ctx, id))
	}
	return err
}

func (s *Service) drop(ctx context.Context, id int64) error {
	for {
		if more, err := s.Store.DropImport(ctx, id); err != nil || !more {
			return err
		}
	}
}
