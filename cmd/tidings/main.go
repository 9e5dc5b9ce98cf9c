// Command tidings publishes feeds of a folder of posts and mails digests of
// new ones. The files of this package are thin: one for each command, and
// wire.go, which makes the parts from the configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones also where the system has none

	"tidings/internal/config"
	"tidings/internal/newsletter"
)

func main() { program(seams{}) }

// program is one run from beginning to end.
func program(s seams) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, s)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitLater  = 75 // EX_TEMPFAIL of sysexits.h, to mail servers: try again
)

// run executes one command line and gives the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer, s seams) int {
	cmd := root(in, out, errs, s)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var faults config.Faults
	switch {
	case errors.Is(err, errSaid):
	case errors.As(err, &faults): // a line each, which editors and people can follow
		fmt.Fprintln(errs, faults)
	default:
		fmt.Fprintln(errs, "tidings:", err)
	}
	return exitCode(err)
}

// errSaid marks a failure whose reason the command has already shown.
var errSaid = errors.New("failed")

// A usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	if isLater(err) {
		return exitLater
	}
	var usage usageError
	var faults config.Faults
	if errors.As(err, &usage) || errors.As(err, &faults) || errors.Is(err, newsletter.ErrNewsletter) {
		return exitUsage
	}
	return exitFailed
}
