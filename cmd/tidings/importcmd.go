package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"tidings/internal/newsletter"
	"tidings/internal/roster"
)

// importOptions are the flags of subscribers import.
type importOptions struct {
	newsletter.Import
	format string
	report string
}

// shownProblems is how many lines are told of on a terminal.
const shownProblems = 20

func (a *app) subscribersImport() *cobra.Command {
	var o importOptions
	formats := make([]string, len(roster.Formats))
	for i, f := range roster.Formats {
		formats[i] = string(f)
	}
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Import subscribers from a file; - reads standard input", Args: args(cobra.ExactArgs(1)),
		Long: "Reads the exports of listmonk, Mailchimp, Substack, Ghost and Buttondown, CSV or ZIP as\n" +
			"they come, and any CSV file whose first line names its columns: email, and any of name,\n" +
			"status, categories, tags, frequency, hour, timezone, language, newsletters, created_at and\n" +
			"the others that an export has. Lines that cannot be read are reported; the others are\n" +
			"applied together. Nobody who left or is suppressed is brought back.",
		RunE: a.runPeople(func(ctx context.Context, given []string) error {
			if err := oneOf("format", o.format, formats...); err != nil {
				return err
			}
			return a.importFile(ctx, given[0], o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.Newsletter, "newsletter", "", "for lines that name none; needed if there are several")
	f.BoolVar(&o.Confirmed, "confirmed", false, "consent is proven: nobody is asked to confirm")
	f.BoolVar(&o.DryRun, "dry-run", false, "report what would happen and change nothing")
	f.StringVar(&o.format, "format", string(roster.Auto), "what made the file: "+strings.Join(formats, ", "))
	f.StringVar(&o.report, "report", "", "write every line that is not used, and why, to this `FILE`")
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) importFile(ctx context.Context, file string, o importOptions) error {
	f, err := a.openInput(file)
	if err != nil {
		return fmt.Errorf("import subscribers: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("import subscribers: %w", err)
	}
	r, err := roster.Open(f, info.Size(), file, roster.Format(o.format))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		a.log.Warn("the posts cannot be read, so tags of other products become no topics", "error", err)
		if s, err = a.service(noPosts); err != nil {
			return err
		}
	}
	defer bound(importMemory)()
	bars := importBars{app: a}
	o.Progress = bars.show
	o.Source = "file " + filepath.Base(file)
	report, err := s.Import(ctx, r, o.Import)
	bars.end()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return a.showImport(report, o)
}

// openInput opens a file that can be read twice; standard input is kept in a
// temporary one, which has no name.
func (a *app) openInput(file string) (*os.File, error) {
	if file != "-" {
		return os.Open(file)
	}
	f, err := os.CreateTemp("", "tidings-input-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = io.Copy(f, a.in)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// importBars show how far an import is, a bar for each stage.
type importBars struct {
	app   *app
	stage string
	bar   *progressbar.ProgressBar
}

func (b *importBars) show(stage string, done, of int64) {
	if stage != b.stage {
		b.end()
		b.stage, b.bar = stage, b.app.stageBar(stage, of)
	}
	_ = b.bar.Set64(done) // a bar that cannot be drawn stops nothing
}

func (b *importBars) end() {
	if b.bar != nil {
		_ = b.bar.Exit()
	}
}

// stageBar gives a progress bar, or on anything but a terminal one that is silent.
func (a *app) stageBar(stage string, of int64) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(a.errs),
		progressbar.OptionSetVisibility(isTerminal(a.errs) && !a.json),
		progressbar.OptionSetDescription(fmt.Sprintf("%-9s", stage)),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(lookEvery),
	}
	if stage == newsletter.ImportReads {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"))
	}
	return progressbar.NewOptions64(max(of, 1), options...)
}

// showImport tells what an import did, or would do.
func (a *app) showImport(r newsletter.ImportReport, o importOptions) error {
	if o.report != "" {
		if err := writeProblems(o.report, r.Problems); err != nil {
			return err
		}
	}
	if a.json {
		if r.Problems == nil {
			r.Problems = []newsletter.RowProblem{}
		}
		return printJSON(a.out, r)
	}
	for _, p := range r.Problems[:min(len(r.Problems), shownProblems)] {
		fmt.Fprintln(a.errs, p)
	}
	if more := len(r.Problems) - shownProblems; more > 0 {
		fmt.Fprintf(a.errs, "and %s more: --report FILE or --json has all of them\n", plural(more, "line"))
	}
	if len(r.IgnoredColumns) > 0 {
		fmt.Fprintln(a.errs, "columns that mean nothing here, ignored:", someOf(r.IgnoredColumns))
	}
	if len(r.IgnoredTags) > 0 {
		fmt.Fprintln(a.errs, "tags that are no topic of this site, ignored:", counts(r.IgnoredTags))
	}
	would := ""
	if o.DryRun {
		would = "dry run, nothing changed: "
	}
	a.say("%s%d added, %d updated, %d unchanged, %d suppressed, %d duplicate, %d invalid (%s)",
		would, r.Added, r.Updated, r.Unchanged, r.Suppressed, r.Duplicate, r.Invalid, r.Format)
	return nil
}

// counts gives "vip (120), customer (3)", the most frequent first.
func counts(of map[string]int) string {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%s (%d)", n, of[n]))
	}
	return someOf(list)
}

// someOf names the first of many.
func someOf(names []string) string {
	const shown = 10
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(", and %d others", more)
	}
	return text
}

func writeProblems(file string, problems []newsletter.RowProblem) error {
	return writeTo(file, "the report of the import", func(w io.Writer) error {
		for _, p := range problems {
			if _, err := fmt.Fprintln(w, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *app) subscribersExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export", Short: "Write all subscribers as CSV", Args: noArgs,
		RunE: a.runPeople(func(ctx context.Context, _ []string) error {
			s, err := a.service(noPosts)
			if err != nil {
				return err
			}
			return a.writeOutput(file, "subscribers", func(w io.Writer) error { return s.ExportCSV(ctx, w) })
		}),
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to this `FILE` instead of standard output")
	return cmd
}

// writeOutput writes to a file that its owner alone can read, or to standard
// output. A file that was not written whole is not left to be taken for one that
// was.
func (a *app) writeOutput(file, what string, write func(io.Writer) error) error {
	if file == "" {
		return buffered(a.out, write)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() { // a pipe, a device
		return writeTo(file, what, write)
	}
	part := file + ".part"
	err := writeTo(part, what, write)
	if err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		os.Remove(part)
	}
	return err
}

func writeTo(file, what string, write func(io.Writer) error) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("export %s: %w", what, err)
	}
	if err := errors.Join(buffered(f, write), f.Close()); err != nil {
		return fmt.Errorf("export %s: %w", what, err)
	}
	return nil
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	out := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(write(out), out.Flush())
}
