package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/mail"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

func previewCommand(a *app) *cobra.Command {
	var o sendOptions
	var reader, format, file string
	var next, welcome bool
	cmd := &cobra.Command{
		Use:   "preview NEWSLETTER",
		Short: "Show the mail as a reader would get it now",
		Long: "Shows the mail that a send by hand would bring to a reader now, or with --next what the\n" +
			"next run by the schedule, or by the frequency that they chose, brings them. But for\n" +
			"Message-ID, the secrets in links, and the date of a send by hand, it is the mail they get.",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error {
			return a.preview(ctx, given[0], o, reader, format, file, next, welcome)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&reader, "for", "", "the reader with this `EMAIL`; without it, one who follows everything and has got nothing yet")
	f.StringVar(&format, "format", "text", "html, text or eml")
	f.StringVarP(&file, "output", "o", "", "write to this `FILE` instead of standard output")
	f.BoolVar(&next, "next", false, "with --for: what the next run brings them, not a send now")
	f.BoolVar(&welcome, "welcome", false, "what a reader gets who has just confirmed: the latest edition")
	f.StringVar(&o.since, "since", "", "also posts since this `TIME`, however old")
	f.StringVar(&o.subject, "subject", "", "subject of this edition")
	f.StringVar(&o.intro, "intro", "", "Markdown `FILE` shown above the posts")
	return cmd
}

func (a *app) preview(ctx context.Context, name string, o sendOptions, reader, format, file string, next, welcome bool) error {
	if err := oneOf("format", format, "html", "text", "eml"); err != nil {
		return err
	}
	if next && (reader == "" || o.since != "" || o.subject != "" || o.intro != "") {
		return usagef("--next needs --for EMAIL, and goes with none of --since, --subject and --intro, which are for a send by hand")
	}
	if welcome && (next || o.since != "" || o.subject != "" || o.intro != "") {
		return usagef("--welcome shows the latest edition as it is; it goes with none of --next, --since, --subject and --intro")
	}
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		return err
	}
	r, err := a.request(s, name, o)
	if err != nil {
		return err
	}
	var g store.Group
	if welcome {
		g, err = s.PreviewWelcome(ctx, r.Newsletter, reader)
	} else if next {
		g, err = a.nextMail(ctx, s, r.Newsletter, reader)
	} else if err = a.noteUnsettled(ctx, s, r); err == nil {
		g, err = s.Preview(ctx, r, reader)
	}
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
	return a.showMail(eml, format, file)
}

// nextMail gives the mail of the next run for a reader.
func (a *app) nextMail(ctx context.Context, s *newsletter.Service, n newsletter.Newsletter, reader string) (store.Group, error) {
	now := a.clock.Now()
	posts, err := a.foresight(ctx, now.UnixNano())
	if err != nil {
		return store.Group{}, err
	}
	f, err := s.Foresee(ctx, n, now, posts)
	if err != nil {
		return store.Group{}, err
	}
	g, run, err := f.NextMail(ctx, reader)
	if err == nil {
		fmt.Fprintf(a.errs, "the run of %s, %s\n", run.Key, instant(run.At))
	}
	return g, err
}

// noteUnsettled says which file a send would wait for.
func (a *app) noteUnsettled(ctx context.Context, s *newsletter.Service, r newsletter.Request) error {
	file, at, err := s.Settling(ctx, r.Newsletter, r.Since)
	if err == nil && file != "" {
		fmt.Fprintf(a.errs, "%s was changed a moment ago: a send would wait for %s more (posts.settle)\n", file, max(at.Sub(a.clock.Now()).Round(time.Second), time.Second))
	}
	return err
}

// showMail writes what is asked for of a finished message, to a file or, with
// "", to standard output.
func (a *app) showMail(eml []byte, format, file string) error {
	shown, err := part(eml, format)
	if err != nil {
		return err
	}
	if file == "" {
		_, err = a.out.Write(shown)
		return err
	}
	if err := os.WriteFile(file, shown, 0o600); err != nil {
		return fmt.Errorf("write the mail: %w", err)
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
	text := m.Text
	if format == "html" {
		text = m.HTML
	}
	return []byte(strings.ReplaceAll(text, "\r\n", "\n")), nil // the line breaks of mail are not those of files
}
