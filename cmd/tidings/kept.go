package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"tidings/internal/store"
)

// keptOptions say which mail of an edition is to be shown, and how.
type keptOptions struct {
	format, reader, file string
	group                int
}

func (o *keptOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "", "show the mail instead: html, text or eml")
	f.StringVar(&o.reader, "for", "", "the mail as it went, or is to go, to the reader with this `EMAIL`; without it, the one with the most posts")
	f.IntVar(&o.group, "group", -1, "the mail of this group of readers")
	f.StringVarP(&o.file, "output", "o", "", "write the mail to this `FILE` instead of standard output")
}

// asked reports whether the mail is wanted, not the account.
func (o keptOptions) asked() bool {
	return o.format != "" || o.reader != "" || o.file != "" || o.group >= 0
}

// showKept shows the mail of an edition as it is kept.
func (a *app) showKept(ctx context.Context, given string, o keptOptions) error {
	if o.format == "" {
		o.format = "text"
	}
	if err := oneOf("format", o.format, "html", "text", "eml"); err != nil {
		return err
	}
	if a.json || o.reader != "" && o.group >= 0 {
		return usagef("a mail is shown for a reader or a group, and not as JSON: give one of --for and --group, without --json")
	}
	e, err := a.edition(ctx, given)
	if err != nil {
		return err
	}
	eml, err := a.keptMail(ctx, e, o)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w; tidings editions show %d tells what there is", err, e.ID)
	}
	if err != nil {
		return err
	}
	return a.showMail(eml, o.format, o.file)
}

func (a *app) keptMail(ctx context.Context, e store.Edition, o keptOptions) ([]byte, error) {
	s, err := a.service(noPosts)
	if err != nil {
		return nil, err
	}
	switch {
	case o.reader != "":
		return s.KeptMailTo(ctx, e, o.reader)
	case o.group >= 0:
		return s.KeptMailOf(ctx, e, o.group)
	}
	return s.KeptMail(ctx, e)
}
