package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/config"
	"tidings/internal/digest"
	"tidings/internal/publish/bucket"
	"tidings/internal/store/postgres"
)

func configCommand(a *app) *cobra.Command {
	check := &cobra.Command{Use: "check", Short: "Check the configuration and report every fault", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return a.checkConfig(cmd.Context()) }}
	show := &cobra.Command{Use: "show", Short: "Print the configuration in effect, without secrets", Args: noArgs, RunE: func(*cobra.Command, []string) error { return a.showConfig() }}
	schema := &cobra.Command{Use: "schema", Short: "Print the JSON Schema of the configuration, for editors", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		b, err := config.Schema()
		if err != nil {
			return err
		}
		_, err = a.out.Write(b)
		return err
	}}
	a.jsonFlag(check)
	a.jsonFlag(show)
	return group("config", "The configuration", check, show, schema, dkimCommand(a))
}

func (a *app) checkConfig(ctx context.Context) error {
	err := a.loadConfig()
	if err == nil {
		err = unreachable(ctx, a.cfg)
	}
	var faults config.Faults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	if err == nil {
		faults = warnings(a.cfg)
	}
	if a.json {
		if faults == nil {
			faults = config.Faults{}
		}
		if perr := printJSON(a.out, map[string]any{"file": a.configFile, "ok": err == nil, "faults": faults}); perr != nil {
			return perr
		}
		if err != nil {
			return usageError{errSaid}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(a.errs, f)
	}
	a.say("%s is in order", a.configFile)
	return nil
}

func (a *app) showConfig() error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	if a.json {
		return a.cfg.ShowJSON(a.out)
	}
	return a.cfg.Show(a.out)
}

// termFaults gives what is wrong with the terms.
func termFaults(cfg *config.Config) config.Faults {
	var faults config.Faults
	rules := termRules(cfg)
	for _, f := range catalog.CheckTerms(rules) {
		keys := []string{"terms", "", rules[f.Rule].Name}
		for _, t := range taxonomies {
			if t.kind == rules[f.Rule].Kind {
				keys[1] = t.key
			}
		}
		if f.Key != "" {
			keys = append(keys, f.Key)
		}
		faults = append(faults, cfg.Fault(config.KeyPath(keys...), f.Message))
	}
	return faults
}

// checkWithin is how long a check waits for a network.
const checkWithin = 30 * time.Second

// unreachable gives the faults that show only when somebody is asked: a bucket
// that is not there, or for which there are no keys.
func unreachable(ctx context.Context, cfg *config.Config) error {
	if !config.IsAddress(cfg.Feeds.Dir) {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, checkWithin)
	defer stop()
	if err := bucket.Check(ctx, cfg.Feeds.Dir); err != nil {
		return config.Faults{cfg.Fault("feeds.dir", err.Error())}
	}
	return nil
}

// warnings gives what is doubtful in a configuration.
func warnings(cfg *config.Config) config.Faults {
	return append(cfg.Warnings(), keyWarnings(cfg)...)
}

// unusable gives the faults that only the parts themselves can find.
func unusable(cfg *config.Config) config.Faults {
	var faults config.Faults
	if _, ok := cfg.Database.SQLite(); !ok {
		if err := postgres.CheckAddress(cfg.Database.URL); err != nil {
			faults = append(faults, cfg.Fault("database.url", err.Error()))
		}
	}
	if config.IsAddress(cfg.Feeds.Dir) {
		if err := bucket.CheckAddress(cfg.Feeds.Dir); err != nil {
			faults = append(faults, cfg.Fault("feeds.dir", err.Error()))
		}
	}
	faults = append(faults, termFaults(cfg)...)
	for _, n := range cfg.Newsletters {
		if err := digest.CheckSubject(n.Subject); err != nil {
			faults = append(faults, cfg.Fault("newsletters."+n.Name+".subject", err.Error()))
		}
	}
	if _, err := bounceTLS(cfg.Bounces.TLS); err != nil {
		faults = append(faults, cfg.Fault("bounces.tls", err.Error()))
	}
	return append(faults, keyFaults(cfg)...)
}
