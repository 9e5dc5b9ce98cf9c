package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/config"
	"tidings/internal/store/postgres"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/transfer"
)

func copyCommand(a *app) *cobra.Command {
	var from, to string
	var replace bool
	cmd := &cobra.Command{
		Use:   "copy --from ADDRESS --to ADDRESS",
		Short: "Copy a whole database into an empty one, of the other kind too",
		Long: "Addresses are sqlite:FILE and postgres://…, as in database.url. Stop the daemon before: what is\n" +
			"in use is refused. Everything is read once more in the end and compared. A copy that was\n" +
			"interrupted goes on where it was when it is given again; until it is complete, nothing can be\n" +
			"started on it. Then let database.url name the copy, and start the daemon.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.copyDatabase(cmd.Context(), from, to, transfer.Options{Replace: replace})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`ADDRESS` of the database that is copied")
	cmd.Flags().StringVar(&to, "to", "", "`ADDRESS` of an empty database, or of a file that is not there yet")
	cmd.Flags().BoolVar(&replace, "replace", false, "put U+FFFD in the place of characters that the target cannot keep, and tell where")
	a.jsonFlag(cmd)
	return cmd
}

// copyDatabase moves everything from one database to another.
func (a *app) copyDatabase(ctx context.Context, from, to string, o transfer.Options) error {
	if from == "" || to == "" {
		return usagef("give --from and --to, such as --from sqlite:data/tidings.db --to postgres://user@host/name")
	}
	source, closeSource, err := openSource(ctx, from, false)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	target, complete, closeTarget, err := openTarget(ctx, to, false)
	if err != nil {
		return errors.Join(fmt.Errorf("--to: %w", err), closeSource())
	}
	copied, err := a.transfer(ctx, source, target, o)
	if err == nil {
		err = complete()
	}
	if err := errors.Join(err, closeTarget(), closeSource()); err != nil {
		return err
	}
	return a.showCopied(source.Name, target.Name, copied)
}

// transfer copies with a bar on a terminal.
func (a *app) transfer(ctx context.Context, source, target transfer.Database, o transfer.Options) ([]transfer.Copied, error) {
	bar := &importBars{app: a}
	defer bar.end()
	o.Progress = func(done, total int64) { bar.show("copying", done, total) }
	return transfer.Copy(ctx, source, target, o)
}

// openSource opens the database at an address to be read.
func openSource(ctx context.Context, address string, shared bool) (transfer.Database, func() error, error) {
	if file, ok := sqliteFile(address); ok {
		return sqlite.OpenSource(ctx, file, shared)
	}
	if err := checkServer(address); err != nil {
		return transfer.Database{}, nil, err
	}
	return postgres.OpenSource(ctx, address, shared)
}

// openTarget opens an empty database at an address, or one with the beginning
// of a copy; it is of use to nobody before complete.
func openTarget(ctx context.Context, address string, fresh bool) (d transfer.Database, complete, closeIt func() error, err error) {
	if file, ok := sqliteFile(address); ok {
		return sqlite.OpenTarget(ctx, file, fresh)
	}
	if err := checkServer(address); err != nil {
		return d, nil, nil, err
	}
	d, closeIt, err = postgres.OpenTarget(ctx, address)
	return d, func() error { return nil }, closeIt, err
}

// sqliteFile gives the file of an address, as people write it in database.url.
func sqliteFile(address string) (string, bool) {
	file, ok := config.Database{URL: address}.SQLite()
	return strings.TrimPrefix(file, "//"), ok
}

func checkServer(address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return usagef("addresses of databases begin with sqlite: or postgres://")
	}
	if err := postgres.CheckAddress(address); err != nil {
		return usageError{err}
	}
	return nil
}

// copiedJSON is what a copy brought.
type copiedJSON struct {
	From   string      `json:"from"`
	To     string      `json:"to"`
	Tables []tableJSON `json:"tables"`
	Texts  []placeJSON `json:"replaced"`
}

type tableJSON struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Sum   string `json:"sum"`
}

type placeJSON struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Key    string `json:"key"`
}

func (a *app) showCopied(from, to string, copied []transfer.Copied) error {
	j := copiedJSON{From: from, To: to, Tables: []tableJSON{}, Texts: []placeJSON{}}
	var rows int64
	for _, c := range copied {
		rows += c.Rows
		j.Tables = append(j.Tables, tableJSON{c.Table, c.Rows, c.String()})
		for _, p := range c.Replaced {
			j.Texts = append(j.Texts, placeJSON{c.Table, p.Column, p.Key})
		}
	}
	if a.json {
		return printJSON(a.out, j)
	}
	for _, p := range j.Texts {
		fmt.Fprintf(a.errs, "characters replaced: %s.%s of row %s\n", p.Table, p.Column, p.Key)
	}
	a.say("%s copied to %s: %s in %s, compared and alike", from, to, plural(int(rows), "row"), plural(len(copied), "table"))
	return nil
}
