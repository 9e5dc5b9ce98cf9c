package main

import (
	"context"

	"github.com/spf13/cobra"

	"tidings/internal/store"
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
	accept := false
	clock := &cobra.Command{
		Use: "clock", Short: "Show when the database was last in use, by its own account",
		Long: "Nothing is mailed while the machine's clock is more than five minutes behind the instant\n" +
			"at which the database was last in use: what is due cannot be told then. Mend the clock,\n" +
			"or, if it was ahead before and is right now, say --accept.",
		Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.databaseClock(ctx, accept) }),
	}
	clock.Flags().BoolVar(&accept, "accept", false, "go by the machine's clock from now on; runs that mailed nobody and are still to come are made again in their time")
	for _, c := range []*cobra.Command{migrate, check, clock} {
		a.jsonFlag(c)
	}
	return group("db", "The database", migrate, check, clock, backupCommand(a), restoreCommand(a), restoredCommand(a), copyCommand(a))
}

// databaseClock compares the machine's clock with the database's.
func (a *app) databaseClock(ctx context.Context, accept bool) error {
	now := a.clock.Now()
	if accept {
		if err := a.store.AcceptClock(ctx, now); err != nil {
			return err
		}
	}
	used, err := a.store.LastUsed(ctx)
	if err != nil {
		return err
	}
	behind := used.Sub(now) > store.ClockSlack
	if a.json {
		return printJSON(a.out, map[string]any{"last_used": date(used), "now": now.UTC(), "behind": behind})
	}
	if used.IsZero() {
		a.say("nothing was mailed yet")
		return nil
	}
	a.say("last in use: %s", instant(used))
	a.say("the clock:   %s", instant(now))
	if behind {
		a.say("the clock is behind: nothing is mailed until it is right, or until you say: tidings db clock --accept")
	}
	return nil
}

func (a *app) migrate(ctx context.Context) error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	from, to, err := a.migrateStore(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, map[string]int64{"from": from, "to": to})
	}
	if from == to {
		a.say("%s is at schema version %d already", a.databaseName(), to)
		return nil
	}
	a.say("%s brought from schema version %d to %d", a.databaseName(), from, to)
	return nil
}

func (a *app) checkDatabase(ctx context.Context) error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	problems, err := a.checkStore(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(a.out, map[string]any{"ok": len(problems) == 0, "problems": append([]string{}, problems...)})
	} else {
		for _, p := range problems {
			a.say("%s", p)
		}
		a.say("%s: %s", a.databaseName(), plural(len(problems), "problem"))
	}
	if err == nil && len(problems) > 0 {
		err = errSaid
	}
	return err
}
