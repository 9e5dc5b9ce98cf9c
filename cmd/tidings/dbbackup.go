package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/store/postgres"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/transfer"
)

func backupCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save the database to a new file, while it is in use",
		Long: "The file is an SQLite database as of one instant, whichever kind is in use, checked before it\n" +
			"gets its name. It holds everything but the secret key: keep that beside it (secret_file).",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error { return a.backup(cmd.Context(), given[0]) },
	}
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) backup(ctx context.Context, file string) error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	saved := a.clock.Now()
	if err := a.save(ctx, file, saved); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, map[string]any{"database": a.databaseName(), "file": file, "bytes": info.Size(), "saved": saved.UTC()})
	}
	a.say("%s saved to %s (%d bytes), as of %s; keep %s with it", a.databaseName(), file, info.Size(), instant(saved), a.cfg.SecretFile)
	return nil
}

func (a *app) save(ctx context.Context, file string, saved time.Time) error {
	if path, ok := a.cfg.Database.SQLite(); ok {
		bar := &importBars{app: a}
		defer bar.end()
		return sqlite.Backup(ctx, path, file, saved, func(done, total int64) { bar.show("saving", done, total) })
	}
	source, closeSource, err := postgres.OpenSource(ctx, a.cfg.Database.URL, true)
	if err != nil {
		return err
	}
	target, complete, closeTarget, err := sqlite.OpenTarget(ctx, file, true)
	if err != nil {
		return errors.Join(err, closeSource())
	}
	if _, err = a.transfer(ctx, source, target, transfer.Options{Saved: saved}); err == nil {
		err = complete()
	}
	return errors.Join(err, closeTarget(), closeSource())
}

func restoreCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the database from a backup; there must be none, or an empty one on a server",
		Long: "Stop the daemon, and move what is left of the old database away. The backup is brought up to\n" +
			"date, checked, and copied. It does not know what was mailed after it was made: nothing is\n" +
			"mailed from it until you say how to go on, with tidings db restored.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error { return a.restore(cmd.Context(), given[0]) },
	}
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) restore(ctx context.Context, file string) error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	saved, err := a.restoreFrom(ctx, file)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, map[string]any{"database": a.databaseName(), "file": file, "saved": saved.UTC()})
	}
	a.say("%s restored from %s, as of %s", a.databaseName(), file, instant(saved))
	a.say("nothing is mailed from it until you say how to go on: tidings db restored --help")
	return nil
}

func (a *app) restoreFrom(ctx context.Context, file string) (saved time.Time, err error) {
	bar := &importBars{app: a}
	defer bar.end()
	show := func(done, total int64) { bar.show("restoring", done, total) }
	if path, ok := a.cfg.Database.SQLite(); ok {
		return sqlite.Restore(ctx, file, path, show)
	}
	// The backup may be of an older version: a copy of it is brought up to date.
	dir, err := os.MkdirTemp(filepath.Dir(file), ".restoring-")
	if err != nil {
		return saved, fmt.Errorf("restore from %s: %w", file, err)
	}
	defer os.RemoveAll(dir)
	renewed := filepath.Join(dir, "tidings.db")
	if saved, err = sqlite.Restore(ctx, file, renewed, show); err != nil {
		return saved, err
	}
	source, closeSource, err := sqlite.OpenSource(ctx, renewed, false)
	if err != nil {
		return saved, err
	}
	source.Name = "sqlite:" + file // whichever the copy's name is, it is the same if this is given again
	target, closeTarget, err := postgres.OpenTarget(ctx, a.cfg.Database.URL)
	if err != nil {
		return saved, errors.Join(err, closeSource())
	}
	_, err = a.transfer(ctx, source, target, transfer.Options{})
	return saved, errors.Join(err, closeTarget(), closeSource())
}

func restoredCommand(a *app) *cobra.Command {
	var mailed []string
	cmd := &cobra.Command{
		Use:   "restored",
		Short: "Show whether the database was restored, or say how to go on",
		Long: "A database that was restored does not know what was mailed after it was saved. Until you say\n" +
			"how to go on, nothing is mailed.\n\n" +
			"  --mailed weekly,news   these newsletters have mailed since: what they had under way counts as\n" +
			"                         received (in doubt), and what was published until now is not mailed by\n" +
			"                         them unless you send it (tidings send --since). Others go on where they were\n" +
			"  --mailed all           all of them have, or you cannot tell\n" +
			"  --mailed none          nobody was mailed anything since",
		Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.restored(ctx, mailed) }),
	}
	cmd.Flags().StringSliceVar(&mailed, "mailed", nil, "`NEWSLETTERS` that have mailed since, all, or none")
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) restored(ctx context.Context, mailed []string) error {
	saved, err := a.store.Restored(ctx)
	if err != nil {
		return err
	}
	if len(mailed) == 0 {
		return a.showRestored(saved)
	}
	names, err := a.thatMailed(mailed)
	if err != nil {
		return err
	}
	doubted, err := a.store.AcceptRestored(ctx, a.clock.Now(), names...)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, map[string]any{"saved": date(saved), "mailed": append([]string{}, names...), "in_doubt": doubted})
	}
	a.say("mails go out again; %s counted as received (in doubt)", plural(doubted, "mail"))
	return nil
}

func (a *app) showRestored(saved time.Time) error {
	if a.json {
		return printJSON(a.out, map[string]any{"saved": date(saved)})
	}
	if saved.IsZero() {
		a.say("the database was not restored, or it is settled how to go on")
		return nil
	}
	a.say("as of %s: nothing is mailed until you say what was mailed since, with --mailed (see --help)", instant(saved))
	return nil
}

// thatMailed gives the newsletters that --mailed means.
func (a *app) thatMailed(names []string) ([]string, error) {
	var known []string
	for _, n := range a.cfg.Newsletters {
		known = append(known, n.Name)
	}
	switch {
	case len(names) == 1 && names[0] == "none":
		return nil, nil
	case len(names) == 1 && names[0] == "all":
		return known, nil
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, usagef("--mailed: there is no newsletter %q; there are %s, all and none", name, strings.Join(known, ", "))
		}
	}
	return names, nil
}
