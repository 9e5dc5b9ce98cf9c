package main

import (
	"context"

	"github.com/spf13/cobra"

	"tidings/internal/store/sqlite"
)

func dbCommand(a *app) *cobra.Command {
	migrate := &cobra.Command{
		Use: "migrate", Short: "Bring the database to this program's schema (serve does it too)", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	}
	check := &cobra.Command{
		Use: "check", Short: "Check the database: structure, and whether every account balances", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.checkDatabase(cmd.Context()) },
	}
	a.jsonFlag(migrate)
	a.jsonFlag(check)
	return group("db", "The database", migrate, check)
}

func (a *app) migrate(ctx context.Context) error {
	file, err := a.configuredDatabase()
	if err != nil {
		return err
	}
	from, to, err := sqlite.Migrate(ctx, file)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, map[string]int64{"from": from, "to": to})
	}
	if from == to {
		a.say("%s is at schema version %d already", file, to)
		return nil
	}
	a.say("%s brought from schema version %d to %d", file, from, to)
	return nil
}

func (a *app) checkDatabase(ctx context.Context) error {
	file, err := a.configuredDatabase()
	if err != nil {
		return err
	}
	problems, err := sqlite.Check(ctx, file)
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(a.out, map[string]any{"ok": len(problems) == 0, "problems": append([]string{}, problems...)})
	} else {
		for _, p := range problems {
			a.say("%s", p)
		}
		a.say("%s: %s", file, plural(len(problems), "problem"))
	}
	if err == nil && len(problems) > 0 {
		err = errSaid
	}
	return err
}

func (a *app) configuredDatabase() (string, error) {
	if err := a.loadConfig(); err != nil {
		return "", err
	}
	return a.databaseFile()
}
