package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/mail"
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
		Use: "import FILE", Short: "Never mail the addresses in a file, one on each line", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.importSuppressions(ctx, given[0], note) }),
	}
	load.Flags().StringVar(&note, "note", "", "why, for whoever looks later")
	return group("suppressions", "Addresses that are never mailed", list, add, remove, load)
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

// importSuppressions reads one address a line; a first field of a CSV line
// will do. Bad lines are reported, and the good ones are taken.
func (a *app) importSuppressions(ctx context.Context, file, note string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("import suppressions: %w", err)
	}
	defer f.Close()
	var records []store.Suppression
	bad := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), ",")
		if text = strings.Trim(text, "\" \t"); text == "" || n == 1 && strings.EqualFold(text, "email") {
			continue
		}
		address, err := mail.ParseAddress(text)
		if err != nil {
			bad++
			fmt.Fprintf(a.errs, "%s:%d: %v\n", file, n, err)
			continue
		}
		records = append(records, a.suppression(address, note))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	added, err := a.store.Suppress(ctx, records)
	if err != nil {
		return err
	}
	a.say("%d added, %d there already, %d lines that are no address", added, len(records)-added, bad)
	if bad > 0 {
		return errSaid
	}
	return nil
}
