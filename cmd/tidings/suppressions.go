package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/mail"
	"tidings/internal/roster"
	"tidings/internal/store"
)

func suppressionsCommand(a *app) *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the addresses that are never mailed", Args: noArgs, RunE: a.runE(a.listSuppressions)}
	a.jsonFlag(list)
	var note string
	add := &cobra.Command{
		Use: "add EMAIL…", Short: "Never mail these addresses", Args: args(cobra.MinimumNArgs(1)),
		RunE: a.runE(func(ctx context.Context, emails []string) error { return a.suppress(ctx, emails, note) }),
	}
	add.Flags().StringVar(&note, "note", "", "why, for whoever looks later")
	remove := &cobra.Command{Use: "remove EMAIL…", Short: "Let these addresses be mailed again", Args: args(cobra.MinimumNArgs(1)), RunE: a.runE(a.unsuppress)}
	load := &cobra.Command{
		Use: "import FILE", Short: "Never mail the addresses in a file; - reads standard input", Args: args(cobra.ExactArgs(1)),
		Long: "Reads addresses one on each line, or a CSV file with a column email, and any of key, reason,\n" +
			"note and at, as an export has them.",
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.importSuppressions(ctx, given[0], note) }),
	}
	load.Flags().StringVar(&note, "note", "", "why, for whoever looks later; a line's own counts more")
	var file string
	export := &cobra.Command{
		Use: "export", Short: "Write the addresses that are never mailed as CSV", Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error {
			return a.writeOutput(file, "suppressions", func(w io.Writer) error {
				return roster.WriteSuppressions(w, func(fn func(store.Suppression) error) error { return a.store.EachSuppression(ctx, fn) })
			})
		}),
	}
	export.Flags().StringVarP(&file, "output", "o", "", "write to this `FILE` instead of standard output")
	return group("suppressions", "Addresses that are never mailed", list, add, remove, load, export)
}

func (a *app) listSuppressions(ctx context.Context, _ []string) error {
	type row struct {
		Email  string    `json:"email,omitempty"`
		Key    string    `json:"key"`
		Reason string    `json:"reason"`
		Note   string    `json:"note,omitempty"`
		At     time.Time `json:"at"`
	}
	rows := []row{}
	err := a.store.EachSuppression(ctx, func(s store.Suppression) error {
		rows = append(rows, row{s.Email, s.Key, s.Reason, s.Note, s.At})
		return nil
	})
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, rows)
	}
	t := newTable(a.out, "EMAIL", "REASON", "SINCE", "NOTE")
	for _, r := range rows {
		email := r.Email
		if email == "" {
			email = "(erased " + r.Key[:8] + "…)"
		}
		t.row(email, r.Reason, stamp(r.At, a.cfg.Site.Location()), r.Note)
	}
	return t.flush()
}

func (a *app) suppress(ctx context.Context, emails []string, note string) error {
	records := make([]store.Suppression, len(emails))
	for i, e := range emails {
		address, err := mail.ParseAddress(e)
		if err != nil {
			return usageError{err}
		}
		records[i] = a.suppression(address, note)
	}
	added, err := a.store.Suppress(ctx, records)
	if err != nil {
		return err
	}
	a.say("%d added, %d there already", added, len(records)-added)
	return nil
}

func (a *app) suppression(address mail.Address, note string) store.Suppression {
	return store.Suppression{
		Key: a.key.Address(address.Normal()), Email: address.String(),
		Reason: store.ReasonManual, Note: note, At: a.clock.Now(),
	}
}

func (a *app) unsuppress(ctx context.Context, emails []string) error {
	for _, e := range emails {
		address, err := mail.ParseAddress(e)
		if err != nil {
			return usageError{err}
		}
		err = a.store.Unsuppress(ctx, a.key.Address(address.Normal()))
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s is not suppressed", address)
		}
		if err != nil {
			return err
		}
		a.say("%s may be mailed again", address)
	}
	return nil
}

// suppressTogether is how many addresses are taken in one transaction.
const suppressTogether = 1000

// importSuppressions reads a file of addresses. Bad lines are reported, and the
// good ones are taken.
func (a *app) importSuppressions(ctx context.Context, file, note string) error {
	f, err := a.openInput(file)
	if err != nil {
		return fmt.Errorf("import suppressions: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("import suppressions: %w", err)
	}
	var records []store.Suppression
	added, known, bad := 0, 0, 0
	flush := func() error {
		n, err := a.store.Suppress(ctx, records)
		added, known, records = added+n, known+len(records)-n, records[:0]
		return err
	}
	err = roster.ReadSuppressions(f, info.Size(), func(s roster.Suppression, err error) error {
		var x store.Suppression
		if err == nil {
			x, err = a.suppressionOf(s, note)
		}
		if err != nil {
			bad++
			fmt.Fprintf(a.errs, "%s: %v\n", file, err)
			return nil
		}
		if records = append(records, x); len(records) < suppressTogether {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	a.say("%d added, %d there already, %d lines that are no address", added, known, bad)
	if bad > 0 {
		return errSaid
	}
	return nil
}

// suppressionOf reads a line. Of an address that was erased only the key is kept.
func (a *app) suppressionOf(s roster.Suppression, note string) (store.Suppression, error) {
	x := store.Suppression{Key: s.Key, Reason: cmp.Or(s.Reason, store.ReasonManual), Note: cmp.Or(s.Note, note), At: s.At}
	if s.Email != "" {
		address, err := mail.ParseAddress(s.Email)
		if err != nil {
			return x, &roster.Problem{Place: s.Place, Message: err.Error()}
		}
		x.Key, x.Email = a.key.Address(address.Normal()), address.String()
	}
	if x.Reason == store.ReasonErased {
		x.Email, x.Note = "", ""
	}
	if x.At.IsZero() {
		x.At = a.clock.Now()
	}
	return x, nil
}
