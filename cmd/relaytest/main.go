// Command relaytest is a mail server to rehearse failures with: it takes mail
// and keeps it to itself, and answers as its rules say. docs/relaytest.md
// tells how to use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"tidings/internal/relay/relaytest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	opts, certificate, err := parse(args, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(errs, "relaytest:", err)
		return exitUsage
	}
	if err := serve(ctx, opts, certificate, out); err != nil {
		fmt.Fprintln(errs, "relaytest:", err)
		return exitFailed
	}
	return exitDone
}

// serve runs a server until ctx ends, and says what it did.
func serve(ctx context.Context, opts relaytest.Options, certificate string, out io.Writer) error {
	if certificate != "" {
		c, err := relaytest.NewCertificate("localhost")
		if err != nil {
			return err
		}
		if err := os.WriteFile(certificate, c.PEM, 0o644); err != nil {
			return fmt.Errorf("write the certificate: %w", err)
		}
		opts.TLS = c.Server
	}
	s, err := relaytest.New(opts)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.Addr())
	began := time.Now()
	<-ctx.Done()
	fmt.Fprintf(out, "%d messages accepted, %d cut short, over %d connections, in %s\n",
		s.Count(), s.Truncated(), s.Connections(), time.Since(began).Round(time.Millisecond))
	return s.Close()
}

// parse reads the command line; certificate is the file to write one to.
func parse(args []string, errs io.Writer) (opts relaytest.Options, certificate string, err error) {
	f := flag.NewFlagSet("relaytest", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&opts.Addr, "listen", "127.0.0.1:0", "`ADDRESS` to listen at; port 0: a free one")
	f.StringVar(&opts.LogFile, "log", "", "append a line of JSON for each accepted message to `FILE`")
	rules := f.String("rules", "", "`FILE` of rules, YAML or JSON")
	chaos := f.Float64("chaos", 0, "let each fault befall each point with this `PROBABILITY`")
	f.Uint64Var(&opts.Seed, "seed", 0, "of what is left to chance")
	f.BoolVar(&opts.NoPipelining, "no-pipelining", false, "do not offer PIPELINING")
	f.BoolVar(&opts.DropEarly, "drop-early", false, "offer PIPELINING, but forget commands that come before their turn")
	f.IntVar(&opts.Connections, "connections", 0, "serve `N` connections at a time, and turn others away; 0: any number")
	f.BoolVar(&opts.SMTPUTF8, "smtputf8", false, "offer SMTPUTF8")
	f.IntVar(&opts.Size, "size", 0, "offer SIZE with this limit in `BYTES`")
	f.StringVar(&certificate, "tls", "", "offer STARTTLS with a new certificate for 127.0.0.1 and localhost, and write that to `FILE`")
	f.BoolVar(&opts.ImplicitTLS, "implicit-tls", false, "with --tls: speak TLS from the first byte instead")
	user := f.String("user", "", "want a login as `NAME:PASSWORD`")
	if err := f.Parse(args); err != nil {
		return opts, "", err
	}
	switch {
	case f.NArg() > 0:
		return opts, "", fmt.Errorf("unknown argument %q; see --help", f.Arg(0))
	case opts.ImplicitTLS && certificate == "":
		return opts, "", errors.New("--implicit-tls needs --tls FILE")
	case *chaos < 0 || *chaos > 1:
		return opts, "", fmt.Errorf("--chaos %v is not between 0 and 1", *chaos)
	}
	opts.Discard = true // a process that runs for days must not remember every mail
	if name, password, ok := strings.Cut(*user, ":"); ok {
		opts.Users = map[string]string{name: password}
	} else if *user != "" {
		return opts, "", fmt.Errorf("--user %q: want NAME:PASSWORD", *user)
	}
	if *rules != "" {
		if opts.Rules, err = readRules(*rules); err != nil {
			return opts, "", err
		}
	}
	if *chaos > 0 {
		opts.Rules = append(opts.Rules, relaytest.Chaos(*chaos)...)
	}
	return opts, certificate, nil
}

// readRules reads a list of rules, strictly.
func readRules(file string) ([]relaytest.Rule, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	var rules []relaytest.Rule
	if err := yaml.UnmarshalWithOptions(text, &rules, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("rules %s: %w", filepath.Base(file), err)
	}
	for i, r := range rules {
		if !slices.Contains(relaytest.Points, r.At) {
			return nil, fmt.Errorf("rules %s: rule %d: at %q is none of %s", filepath.Base(file), i+1, r.At, strings.Join(relaytest.Points, ", "))
		}
	}
	return rules, nil
}
