package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

func subscribersCommand(a *app) *cobra.Command {
	return group("subscribers", "The people",
		a.subscribersList(), a.subscribersAdd(), a.subscribersShow(), a.subscribersRemove(),
		a.subscribersErase(), a.subscribersImport(), a.subscribersExport())
}

func (a *app) subscribersList() *cobra.Command {
	var f store.SubscriberFilter
	cmd := &cobra.Command{
		Use: "list", Short: "List subscribers", Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.listSubscribers(ctx, f) }),
	}
	cmd.Flags().StringVar(&f.Newsletter, "newsletter", "", "only this newsletter's")
	cmd.Flags().StringVar(&f.Status, "status", "", "only pending, active or unsubscribed")
	a.jsonFlag(cmd)
	return cmd
}

// subscriberJSON is a person as scripts see them.
type subscriberJSON struct {
	Email         string             `json:"email"`
	Name          string             `json:"name"`
	Timezone      string             `json:"timezone"`
	CreatedAt     string             `json:"created_at"`
	Suppressed    string             `json:"suppressed,omitempty"`
	Bounces       []bounceJSON       `json:"bounces,omitempty"`
	Subscriptions []subscriptionJSON `json:"subscriptions"`
}

type subscriptionJSON struct {
	Newsletter  string   `json:"newsletter"`
	Status      string   `json:"status"`
	Categories  []string `json:"categories"`
	Tags        []string `json:"tags"`
	Frequency   string   `json:"frequency"`
	CreatedAt   string   `json:"created_at"`
	ConfirmedAt string   `json:"confirmed_at,omitempty"`
	EndedAt     string   `json:"ended_at,omitempty"`
}

func person(s store.Subscriber) subscriberJSON {
	j := subscriberJSON{Email: s.Email, Name: s.Name, Timezone: s.Timezone, CreatedAt: instant(s.CreatedAt), Subscriptions: []subscriptionJSON{}}
	for _, sub := range s.Subscriptions {
		j.Subscriptions = append(j.Subscriptions, subscriptionJSON{
			Newsletter: sub.Newsletter, Status: sub.Status, Frequency: sub.Frequency,
			Categories: append([]string{}, sub.Categories...), Tags: append([]string{}, sub.Tags...),
			CreatedAt: instant(sub.CreatedAt), ConfirmedAt: instant(sub.ConfirmedAt), EndedAt: instant(sub.EndedAt),
		})
	}
	return j
}

func (a *app) listSubscribers(ctx context.Context, f store.SubscriberFilter) error {
	if err := a.knownNewsletter(f.Newsletter); err != nil {
		return err
	}
	if f.Status != "" {
		if err := oneOf("status", f.Status, store.StatusPending, store.StatusActive, store.StatusUnsubscribed); err != nil {
			return err
		}
	}
	if a.json {
		people := []subscriberJSON{}
		err := a.store.EachSubscriber(ctx, f, func(s store.Subscriber) error {
			people = append(people, person(s))
			return nil
		})
		if err != nil {
			return err
		}
		return printJSON(a.out, people)
	}
	t := newTable(a.out, "EMAIL", "NAME", "SUBSCRIPTIONS")
	err := a.store.EachSubscriber(ctx, f, func(s store.Subscriber) error {
		subs := make([]string, len(s.Subscriptions))
		for i, sub := range s.Subscriptions {
			subs[i] = sub.Newsletter + " (" + sub.Status + ")"
		}
		t.row(s.Email, s.Name, strings.Join(subs, ", "))
		return nil
	})
	return errors.Join(err, t.flush())
}

func (a *app) subscribersAdd() *cobra.Command {
	var to string
	var confirmed bool
	cmd := &cobra.Command{
		Use: "add EMAIL…", Short: "Add subscribers; they are asked to confirm", Args: args(cobra.MinimumNArgs(1)),
		RunE: a.runE(func(ctx context.Context, emails []string) error {
			rows := "email\n" + strings.Join(emails, "\n") + "\n"
			return a.importFrom(ctx, strings.NewReader(rows), newsletter.Import{Newsletter: to, Confirmed: confirmed})
		}),
	}
	cmd.Flags().StringVar(&to, "newsletter", "", "which newsletter; needed if there are several")
	cmd.Flags().BoolVar(&confirmed, "confirmed", false, "consent is proven: do not ask")
	a.jsonFlag(cmd)
	return cmd
}

// found gives the subscriber of an address, or an error that says so.
func (a *app) found(ctx context.Context, email string) (store.Subscriber, error) {
	s, err := a.store.SubscriberByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return s, fmt.Errorf("nobody is subscribed as %s", email)
	}
	return s, err
}

func (a *app) subscribersShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show EMAIL", Short: "Show one subscriber", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.showSubscriber(ctx, given[0]) }),
	}
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) showSubscriber(ctx context.Context, email string) error {
	s, err := a.found(ctx, email)
	if err != nil {
		return err
	}
	j := person(s)
	switch sup, err := a.store.Suppressed(ctx, s.Key); {
	case err == nil:
		j.Suppressed = sup.Reason
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if j.Bounces, err = a.bouncesOf(ctx, s.ID); err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, j)
	}
	a.say("%s %s", j.Email, j.Name)
	if j.Suppressed != "" {
		a.say("suppressed: %s; never mailed", j.Suppressed)
	}
	for _, b := range j.Bounces {
		a.say("%s", b)
	}
	t := newTable(a.out, "NEWSLETTER", "STATUS", "TOPICS", "SINCE", "CONFIRMED", "ENDED")
	for _, sub := range j.Subscriptions {
		topics := strings.Join(append(sub.Categories, sub.Tags...), ", ")
		if topics == "" {
			topics = "everything"
		}
		t.row(sub.Newsletter, sub.Status, topics, sub.CreatedAt, sub.ConfirmedAt, sub.EndedAt)
	}
	return t.flush()
}

func (a *app) subscribersRemove() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "remove EMAIL", Short: "End someone's subscriptions; an import does not bring them back", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.removeSubscriber(ctx, given[0], from) }),
	}
	cmd.Flags().StringVar(&from, "newsletter", "", "only this one")
	a.yesFlag(cmd)
	return cmd
}

func (a *app) removeSubscriber(ctx context.Context, email, from string) error {
	s, err := a.found(ctx, email)
	if err != nil {
		return err
	}
	if !a.confirmed(fmt.Sprintf("End the subscriptions of %s?", s.Email)) {
		return errSaid
	}
	if err := a.store.Unsubscribe(ctx, a.clock.Now(), s.ID, from); err != nil {
		return err
	}
	a.say("%s gets no more mail", s.Email)
	return nil
}

func (a *app) subscribersErase() *cobra.Command {
	cmd := &cobra.Command{
		Use: "erase EMAIL", Short: "Delete all that is known of someone but a keyed hash, so that no import brings them back", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error {
			s, err := a.found(ctx, given[0])
			if err != nil {
				return err
			}
			if !a.confirmed(fmt.Sprintf("Delete all that is known of %s? This cannot be undone.", s.Email)) {
				return errSaid
			}
			if err := a.store.EraseSubscriber(ctx, a.clock.Now(), s.ID); err != nil {
				return err
			}
			a.say("%s is erased", s.Email)
			return nil
		}),
	}
	a.yesFlag(cmd)
	return cmd
}

func (a *app) subscribersImport() *cobra.Command {
	var in newsletter.Import
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Import subscribers from a CSV file; - reads standard input", Args: args(cobra.ExactArgs(1)),
		Long: "Reads a CSV file whose first line names its columns: email, and any of name, status,\n" +
			"categories, tags, frequency, timezone, newsletters, created_at. Rows that cannot be read\n" +
			"are reported with their line; the others are applied together. Nobody who left or is\n" +
			"suppressed is brought back.",
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.importFile(ctx, given[0], in) }),
	}
	cmd.Flags().StringVar(&in.Newsletter, "newsletter", "", "for rows that name none; needed if there are several")
	cmd.Flags().BoolVar(&in.Confirmed, "confirmed", false, "consent is proven: nobody is asked to confirm")
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "report what would happen and change nothing")
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) importFile(ctx context.Context, file string, in newsletter.Import) error {
	if file == "-" {
		return a.importFrom(ctx, bufio.NewReader(a.in), in)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("import subscribers: %w", err)
	}
	defer f.Close()
	if err := a.importFrom(ctx, f, in); err != nil && !errors.Is(err, errSaid) {
		return fmt.Errorf("%s: %w", file, err)
	} else if err != nil {
		return err
	}
	return nil
}

func (a *app) subscribersExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export", Short: "Write all subscribers as CSV", Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.export(ctx, file) }),
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to this `FILE` instead of standard output")
	return cmd
}

func (a *app) export(ctx context.Context, file string) (err error) {
	s, err := a.service(noPosts)
	if err != nil {
		return err
	}
	if file == "" {
		return s.ExportCSV(ctx, a.out)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("export subscribers: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return s.ExportCSV(ctx, f)
}

// importFrom applies a CSV stream and reports what it did.
func (a *app) importFrom(ctx context.Context, r io.Reader, in newsletter.Import) error {
	s, err := a.service(noPosts)
	if err != nil {
		return err
	}
	report, err := s.ImportCSV(ctx, r, in)
	if err != nil {
		return err
	}
	if a.json {
		if report.Problems == nil {
			report.Problems = []newsletter.RowProblem{}
		}
		return printJSON(a.out, report)
	}
	for _, p := range report.Problems {
		fmt.Fprintln(a.errs, p)
	}
	would := ""
	if in.DryRun {
		would = "dry run, nothing changed: "
	}
	a.say("%s%d added, %d updated, %d unchanged, %d suppressed, %d invalid",
		would, report.Added, report.Updated, report.Unchanged, report.Suppressed, report.Invalid)
	return nil
}
