package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/mail"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// sendOptions are the flags of send and preview.
type sendOptions struct {
	dryRun  bool
	to      []string
	since   string
	subject string
	intro   string
	detach  bool
}

func sendCommand(a *app) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send NEWSLETTER",
		Short: "Mail what is new, now",
		Long: "Mails every reader the posts they are due and have not got. With a daemon running on\n" +
			"the same database the two share the work; nobody is mailed twice. Returns when nothing\n" +
			"more is due within a minute.",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.send(ctx, given[0], o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be sent to how many, and send nothing")
	f.StringArrayVar(&o.to, "to", nil, "mail a test copy to `EMAIL` and record nothing; may be repeated")
	f.StringVar(&o.since, "since", "", "also posts since this `TIME`, however old: a date, an instant, or an age such as 7d")
	f.StringVar(&o.subject, "subject", "", "subject of this edition")
	f.StringVar(&o.intro, "intro", "", "Markdown `FILE` shown above the posts")
	f.BoolVar(&o.detach, "detach", false, "plan the edition and leave the sending to the daemon")
	a.jsonFlag(cmd)
	a.yesFlag(cmd)
	return cmd
}

// request reads what send and preview have in common.
func (a *app) request(s *newsletter.Service, name string, o sendOptions) (newsletter.Request, error) {
	n, err := s.Newsletter(name)
	if err != nil {
		return newsletter.Request{}, err
	}
	r := newsletter.Request{Newsletter: n, Subject: o.subject, DryRun: o.dryRun}
	if o.since != "" {
		if r.Since, err = parseTime(o.since, n.Zone, a.clock.Now()); err != nil {
			return r, err
		}
	}
	if o.intro != "" {
		text, err := os.ReadFile(o.intro)
		if err != nil {
			return r, usageError{fmt.Errorf("--intro: %w", err)}
		}
		r.Intro = string(text)
	}
	return r, nil
}

func (a *app) send(ctx context.Context, name string, o sendOptions) (err error) {
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		return err
	}
	r, err := a.request(s, name, o)
	if err != nil {
		return err
	}
	if len(o.to) > 0 {
		return a.sendTests(ctx, s, r, o.to)
	}
	if !o.dryRun && !o.detach {
		var unsettled bool
		if unsettled, err = a.finishEarlier(ctx, s, r.Newsletter.Name); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return errSaid // told to stop; the accounts are said
		}
		if unsettled {
			defer func() { err = cmp.Or(err, errSaid) }()
		}
	}
	if err := a.settled(ctx, s, r); err != nil {
		return err
	}
	if o.dryRun || !a.yes { // what would be sent: to be shown, or asked about
		dry := r
		dry.DryRun = true
		if dry.Unsettled = o.dryRun; o.dryRun {
			if err := a.noteUnsettled(ctx, s, dry); err != nil {
				return err
			}
		}
		preview, err := s.Plan(ctx, dry)
		if err != nil {
			return err
		}
		if o.dryRun {
			return a.showPlan(planned(preview))
		}
		if n := preview.Edition.Counts.Pending; n > 0 && !a.confirmed(fmt.Sprintf("Mail %s to %s?", plural(preview.Edition.Posts, "post"), plural(n, "reader"))) {
			return errSaid
		}
	}
	p, err := s.Plan(ctx, r)
	if err != nil {
		return err
	}
	return a.carryOut(ctx, s, p.Edition, o.detach)
}

// finishEarlier goes on with editions whose sending was interrupted, and says
// what became of them; unsettled means that some failed or are pending.
func (a *app) finishEarlier(ctx context.Context, s *newsletter.Service, name string) (unsettled bool, err error) {
	es, err := a.store.ListEditions(ctx, name, 0)
	if err != nil {
		return false, err
	}
	for _, e := range slices.Backward(es) {
		if e.Status != store.EditionSending || e.Counts.Pending == 0 {
			continue
		}
		if !a.confirmed(fmt.Sprintf("Edition %d was interrupted. Mail it to the %s left?", e.ID, plural(e.Counts.Pending, "reader"))) {
			return false, errSaid
		}
		if err := a.sendNow(ctx, s, e); err != nil {
			return false, err
		}
		if err := a.readPosts(context.WithoutCancel(ctx)); err != nil { // that may have taken long
			return false, err
		}
		if e, err = a.store.Edition(context.WithoutCancel(ctx), e.ID); err != nil {
			return false, err
		}
		fmt.Fprintln(a.errs, summary(account(e)))
		unsettled = unsettled || e.Counts.Failed+e.Counts.Pending > 0
	}
	return unsettled, nil
}

// sendNow sends an edition until nothing of it is due within a minute.
func (a *app) sendNow(ctx context.Context, s *newsletter.Service, e store.Edition) error {
	sender, err := a.sender(s, a.pace(), nil)
	if err != nil {
		return err
	}
	return a.sendEdition(ctx, sender, e)
}

// settled waits for files that were changed a moment ago, and reads the posts
// again after each wait: what was edited meanwhile is mailed as it is then.
func (a *app) settled(ctx context.Context, s *newsletter.Service, r newsletter.Request) error {
	for waited := !r.DryRun; waited; {
		waited = false
		err := s.Settled(ctx, r.Newsletter, r.Since, func(file string, wait time.Duration) {
			waited = true
			fmt.Fprintf(a.errs, "waiting %s until %s has been unchanged for %s (posts.settle)\n",
				max(wait.Round(time.Second), time.Second), file, s.Settle)
		})
		if err == nil && waited {
			err = a.readPosts(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// carryOut sends a planned edition, or leaves it to the daemon.
func (a *app) carryOut(ctx context.Context, s *newsletter.Service, e store.Edition, detach bool) error {
	if e.Status == store.EditionSending && !detach {
		if err := a.sendNow(ctx, s, e); err != nil {
			return err
		}
	}
	e, err := a.store.Edition(context.WithoutCancel(ctx), e.ID)
	if err != nil {
		return err
	}
	if err := a.showSent(ctx, e, detach); err != nil {
		return err
	}
	if detach || e.Counts.Failed+e.Counts.Pending == 0 {
		return nil
	}
	return errSaid
}

func (a *app) showSent(ctx context.Context, e store.Edition, detached bool) error {
	j := account(e)
	var err error
	if j.Waiting, err = a.waiting(context.WithoutCancel(ctx), e); err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, j)
	}
	switch {
	case e.Status == store.EditionSkipped:
		a.say("edition %d of %s: nothing sent: %s", e.ID, e.Newsletter, e.Reason)
		return nil
	case detached:
		a.say("edition %d of %s is planned for %s; the daemon sends it, now or when it starts", e.ID, e.Newsletter, plural(e.Counts.Pending, "reader"))
		return nil
	}
	return a.printEdition(j)
}

// sendTests mails test copies.
func (a *app) sendTests(ctx context.Context, s *newsletter.Service, r newsletter.Request, to []string) error {
	for _, address := range to { // all of them, before the first is mailed
		if _, err := mail.ParseAddress(address); err != nil {
			return usageError{fmt.Errorf("--to: %w", err)}
		}
	}
	if err := a.noteUnsettled(ctx, s, r); err != nil {
		return err
	}
	g, err := s.Preview(ctx, r, "")
	if err != nil {
		return err
	}
	relay, sign, err := a.outgoing()
	if err != nil {
		return err
	}
	for _, address := range to {
		if err := s.SendTest(ctx, relay, sign, g, r.Newsletter, address); err != nil {
			return err
		}
		if !a.json {
			a.say("test copy mailed to %s: %s", address, g.Subject)
		}
	}
	if a.json {
		return printJSON(a.out, map[string]any{"newsletter": r.Newsletter.Name, "subject": g.Subject, "posts": len(g.PostIDs), "test": to})
	}
	return nil
}
