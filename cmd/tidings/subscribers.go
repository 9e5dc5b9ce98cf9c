package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// runPeople is runE for commands that look at people: what is left of an import
// that was interrupted comes first.
func (a *app) runPeople(f func(ctx context.Context, given []string) error) func(*cobra.Command, []string) error {
	return a.runE(func(ctx context.Context, given []string) error {
		s, err := a.service(noPosts)
		if err != nil {
			return err
		}
		if err := s.FinishImports(ctx); err != nil {
			return err
		}
		return f(ctx, given)
	})
}

func subscribersCommand(a *app) *cobra.Command {
	return group("subscribers", "The people",
		a.subscribersList(), a.subscribersAdd(), a.subscribersShow(), a.subscribersRemove(),
		a.subscribersErase(), a.subscribersImport(), a.subscribersExport(), a.subscribersExplain(), a.subscribersReasons())
}

func (a *app) subscribersList() *cobra.Command {
	var f store.SubscriberFilter
	cmd := &cobra.Command{
		Use: "list", Short: "List subscribers", Args: noArgs,
		RunE: a.runPeople(func(ctx context.Context, _ []string) error { return a.listSubscribers(ctx, f) }),
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
	Language      string             `json:"language,omitempty"`
	Timezone      string             `json:"timezone"`
	Format        string             `json:"format"`
	QuietHours    string             `json:"quiet_hours,omitempty"`
	NextEmail     string             `json:"next_email,omitempty"`
	CreatedAt     string             `json:"created_at"`
	Suppressed    string             `json:"suppressed,omitempty"`
	Bounces       []bounceJSON       `json:"bounces,omitempty"`
	Subscriptions []subscriptionJSON `json:"subscriptions"`

	Consents []newsletter.RecordedConsent `json:"consents,omitempty"` // of one person alone
}

type subscriptionJSON struct {
	Newsletter  string   `json:"newsletter"`
	Status      string   `json:"status"`
	Categories  []string `json:"categories"`
	Tags        []string `json:"tags"`
	Frequency   string   `json:"frequency"`
	Hour        string   `json:"hour,omitempty"`
	PausedUntil string   `json:"paused_until,omitempty"`
	CreatedAt   string   `json:"created_at"`
	ConfirmedAt string   `json:"confirmed_at,omitempty"`
	EndedAt     string   `json:"ended_at,omitempty"`
	LeftBecause string   `json:"left_because,omitempty"`
}

func person(s store.Subscriber) subscriberJSON {
	j := subscriberJSON{
		Email: s.Email, Name: s.Name, Language: s.Language, Timezone: s.Timezone, Format: s.Format, QuietHours: s.QuietHours,
		NextEmail: s.NextEmail, CreatedAt: instant(s.CreatedAt), Subscriptions: []subscriptionJSON{},
	}
	for _, sub := range s.Subscriptions {
		j.Subscriptions = append(j.Subscriptions, subscriptionJSON{
			Newsletter: sub.Newsletter, Status: sub.Status, Frequency: sub.Frequency,
			Categories: append([]string{}, sub.Categories...), Tags: append([]string{}, sub.Tags...),
			Hour: sub.Hour, PausedUntil: instant(sub.PausedUntil), LeftBecause: sub.LeftBecause,
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
		RunE: a.runPeople(func(ctx context.Context, emails []string) error {
			rows := "email\n" + strings.Join(emails, "\n") + "\n"
			s, err := a.service(noPosts)
			if err != nil {
				return err
			}
			report, err := s.ImportCSV(ctx, strings.NewReader(rows), newsletter.Import{Newsletter: to, Confirmed: confirmed, Source: "command subscribers add"})
			if err != nil {
				return err
			}
			return a.showImport(report, importOptions{})
		}),
	}
	cmd.Flags().StringVar(&to, "newsletter", "", "which newsletter; needed if there are several")
	cmd.Flags().BoolVar(&confirmed, "confirmed", false, "consent is proven: do not ask")
	a.jsonFlag(cmd)
	return cmd
}

// found gives the subscriber of an address, or an error that says so.
func (a *app) found(ctx context.Context, email string) (store.Subscriber, error) {
	s, err := newsletter.FindSubscriber(ctx, a.store, email)
	if errors.Is(err, store.ErrNotFound) {
		return s, fmt.Errorf("nobody is subscribed as %s", email)
	}
	return s, err
}

func (a *app) subscribersShow() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "show EMAIL", Short: "Show one subscriber", Args: args(cobra.ExactArgs(1)),
		Long: "Shows what one subscriber has. With --all it gives all that is kept about the person, as\n" +
			"JSON: what they agreed to and when, every mail and what became of it. It is what they can\n" +
			"download from their own page.",
		RunE: a.runPeople(func(ctx context.Context, given []string) error {
			if all {
				return a.showRecord(ctx, given[0])
			}
			return a.showSubscriber(ctx, given[0])
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that is kept about the person, as JSON")
	a.jsonFlag(cmd)
	return cmd
}

// agreed gives what a person agreed to.
func (a *app) agreed(ctx context.Context, subscriber int64) ([]newsletter.RecordedConsent, error) {
	s, err := a.service(noPosts)
	if err != nil {
		return nil, err
	}
	return s.Agreed(ctx, subscriber)
}

// showRecord prints all that is kept about a person.
func (a *app) showRecord(ctx context.Context, email string) error {
	who, err := a.found(ctx, email)
	if err != nil {
		return err
	}
	s, err := a.service(noPosts)
	if err != nil {
		return err
	}
	record, err := s.Recorded(ctx, who)
	if err != nil {
		return err
	}
	return printJSON(a.out, record)
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
	if j.Consents, err = a.agreed(ctx, s.ID); err != nil {
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
		RunE: a.runPeople(func(ctx context.Context, given []string) error { return a.removeSubscriber(ctx, given[0], from) }),
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
	ctx = store.WithOrigin(ctx, store.Origin{Source: "command subscribers remove"})
	if err := a.store.Unsubscribe(ctx, a.clock.Now(), s.ID, from); err != nil {
		return err
	}
	a.say("%s gets no more mail", s.Email)
	return nil
}

func (a *app) subscribersErase() *cobra.Command {
	cmd := &cobra.Command{
		Use: "erase EMAIL", Short: "Delete all that is known of someone but a keyed hash, so that no import brings them back", Args: args(cobra.ExactArgs(1)),
		RunE: a.runPeople(func(ctx context.Context, given []string) error {
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
