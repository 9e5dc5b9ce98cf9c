package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tidings/internal/mail"
	"tidings/internal/store"
)

func previewCommand(a *app) *cobra.Command {
	var o sendOptions
	var reader, format, file string
	cmd := &cobra.Command{
		Use:   "preview NEWSLETTER",
		Short: "Show the mail as a reader would get it now",
		Args:  args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error {
			return a.preview(ctx, given[0], o, reader, format, file)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&reader, "for", "", "the reader with this `EMAIL`; without it, one who follows everything and has got nothing yet")
	f.StringVar(&format, "format", "text", "html, text or eml")
	f.StringVarP(&file, "output", "o", "", "write to this `FILE` instead of standard output")
	f.StringVar(&o.since, "since", "", "also posts since this `TIME`, however old")
	f.StringVar(&o.subject, "subject", "", "subject of this edition")
	f.StringVar(&o.intro, "intro", "", "Markdown `FILE` shown above the posts")
	return cmd
}

func (a *app) preview(ctx context.Context, name string, o sendOptions, reader, format, file string) error {
	if err := oneOf("format", format, "html", "text", "eml"); err != nil {
		return err
	}
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		return err
	}
	r, err := a.request(s, name, o)
	if err != nil {
		return err
	}
	g, err := s.Preview(ctx, r, reader)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("nobody is subscribed as %s", reader)
	}
	if err != nil {
		return err
	}
	to, id := reader, int64(0)
	if reader == "" {
		to = "reader@example.org"
	} else if who, err := a.found(ctx, reader); err != nil {
		return err
	} else {
		to, id = who.Email, who.ID
	}
	eml, err := s.Rendered(g, r.Newsletter, to, id)
	if err != nil {
		return err
	}
	shown, err := part(eml, format)
	if err != nil {
		return err
	}
	if file == "" {
		_, err = a.out.Write(shown)
		return err
	}
	if err := os.WriteFile(file, shown, 0o600); err != nil {
		return fmt.Errorf("write the preview: %w", err)
	}
	return nil
}

// part gives what is asked for of a finished message.
func part(eml []byte, format string) ([]byte, error) {
	if format == "eml" {
		return eml, nil
	}
	m, err := mail.Read(eml)
	if err != nil {
		return nil, fmt.Errorf("read the composed mail: %w", err)
	}
	if format == "html" {
		return []byte(m.HTML), nil
	}
	return []byte(m.Text), nil
}
