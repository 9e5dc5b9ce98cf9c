package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/clock"
	"tidings/internal/config"
	"tidings/internal/relay"
	"tidings/internal/store"
	"tidings/internal/token"
)

// An app is one run of the program: its streams, its global flags, and the
// parts that wire.go makes on demand.
type app struct {
	in        io.Reader
	out, errs io.Writer
	seams     seams

	configFile string
	logFormat  string
	logLevel   string
	json       bool
	yes        bool

	former sync.WaitGroup // generations of a daemon that was reloaded

	log   *slog.Logger
	clock clock.Clock
	cfg   *config.Config
	key   token.Key
	store store.Store
	roles roles             // of a daemon
	snap  *catalog.Snapshot // the posts as a command last read them
}

// seams are where something can be put between the parts, which only tests
// do: each takes a part and gives what is used in its place; nil: the part.
type seams struct {
	database string // instead of the configured one
	store    func(store.Store) store.Store
	relay    func(relay.Relay) relay.Relay
	clock    clock.Clock   // the machine's, as it is
	lease    time.Duration // instead of the usual one, where there are leases
}

// root gives the command tree.
func root(in io.Reader, out, errs io.Writer, s seams) *cobra.Command {
	a := &app{in: in, out: out, errs: errs, seams: s, clock: s.clock}
	cmd := &cobra.Command{
		Use:   "tidings",
		Short: "Publishes feeds of a folder of posts and mails digests of new ones",
		Long: "tidings watches a folder of Markdown posts, publishes RSS, Atom and JSON feeds for\n" +
			"everything, each category and each tag, and mails digests of new posts to the\n" +
			"people who subscribed, on a schedule or when you say so.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.startLog() },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:              noArgs,
	}
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(errs)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nsee %s --help", err, cmd.CommandPath())
	})
	flags := cmd.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "config.yaml", "configuration `FILE`")
	flags.StringVar(&a.logFormat, "log-format", "text", "text or json; logs go to standard error")
	flags.StringVar(&a.logLevel, "log-level", "info", "debug, info, warn or error")
	for _, sub := range []func(*app) *cobra.Command{
		serveCommand, buildCommand, sendCommand, planCommand, previewCommand, postsCommand, feedsCommand,
		subscribersCommand, suppressionsCommand, editionsCommand, alertsCommand, bounceCommand,
		configCommand, templatesCommand, dbCommand, initCommand, versionCommand,
	} {
		cmd.AddCommand(sub(a))
	}
	cmd.InitDefaultCompletionCmd()
	for _, sub := range cmd.Commands() {
		if sub.Name() == "completion" {
			sub.Args, sub.RunE = onlySubcommands, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return cmd
}

// onlySubcommands refuses words that are no subcommand.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q for %q; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// group gives a command that only has subcommands.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: onlySubcommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(subs...)
	return cmd
}

// args refuses a wrong number of arguments as wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usagef("%w\nusage: %s", err, cmd.UseLine())
		}
		return nil
	}
}

func noArgs(cmd *cobra.Command, given []string) error { return args(cobra.NoArgs)(cmd, given) }

func (a *app) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON document")
}

func (a *app) yesFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.yes, "yes", false, "answer the question with yes")
}

// startLog makes the logger the flags ask for.
func (a *app) startLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return usagef("--log-level %q is none of debug, info, warn, error", a.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch a.logFormat {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.errs, opts))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.errs, opts))
	default:
		return usagef("--log-format %q is neither text nor json", a.logFormat)
	}
	return nil
}

// loadConfig reads the configuration file.
func (a *app) loadConfig() (err error) {
	a.cfg, err = a.readConfig()
	return err
}

// readConfig reads the configuration file, and tries what only the parts
// themselves can find wrong. A file that cannot be read is wrong usage, like
// one that is wrong.
func (a *app) readConfig() (*config.Config, error) {
	cfg, err := a.readPlainConfig()
	if err != nil {
		return nil, err
	}
	if faults := append(unusable(cfg), templateFaults(cfg)...); len(faults) > 0 {
		return nil, faults
	}
	return cfg, nil
}

// loadPlainConfig reads the configuration file alone, for commands that work
// whatever else is wrong.
func (a *app) loadPlainConfig() (err error) {
	a.cfg, err = a.readPlainConfig()
	return err
}

func (a *app) readPlainConfig() (*config.Config, error) {
	cfg, err := config.Load(a.configFile, os.LookupEnv)
	if err != nil {
		var faults config.Faults
		if errors.As(err, &faults) {
			return nil, err
		}
		return nil, usageError{err}
	}
	if a.seams.database != "" {
		cfg.Database.URL = a.seams.database
	}
	return cfg, nil
}

// withStore loads the configuration, opens the database and runs f.
func (a *app) withStore(ctx context.Context, f func(context.Context) error) (err error) {
	if err := a.loadConfig(); err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.store.Close()) }()
	return f(ctx)
}

// runE adapts a method that needs the database to cobra.
func (a *app) runE(f func(ctx context.Context, given []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, given []string) error {
		return a.withStore(cmd.Context(), func(ctx context.Context) error { return f(ctx, given) })
	}
}

// knownNewsletter refuses a filter by a newsletter that is not configured; ""
// stands for all.
func (a *app) knownNewsletter(name string) error {
	if name == "" {
		return nil
	}
	var known []string
	for _, n := range a.cfg.Newsletters {
		known = append(known, n.Name)
	}
	return oneOf("newsletter", name, known...)
}

func oneOf(flag, value string, allowed ...string) error {
	for _, v := range allowed {
		if v == value {
			return nil
		}
	}
	return usagef("--%s %q is none of %s", flag, value, strings.Join(allowed, ", "))
}

// say writes one line for a person.
func (a *app) say(format string, v ...any) { fmt.Fprintf(a.out, format+"\n", v...) }
