package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/newsletter"
)

func (a *app) subscribersExplain() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain EMAIL [EDITION]", Short: "Say why someone got an edition or did not, or what they get next",
		Long: "Says why somebody got an edition or did not: whether they have confirmed, left, paused or\n" +
			"are suppressed, what became of their mail, and of each post why it is in or out. Without\n" +
			"EDITION it says so of the mails that are on their way and, for each newsletter, of the\n" +
			"next one. Nothing is recorded. It is no failure if nobody has this address.",
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: a.runPeople(func(ctx context.Context, given []string) error { return a.explain(ctx, given[0], given[1:]) }),
	}
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) explain(ctx context.Context, email string, edition []string) error {
	id := int64(0)
	if len(edition) > 0 {
		e, err := a.edition(ctx, edition[0])
		if err != nil {
			return err
		}
		id = e.ID
	}
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		return err
	}
	posts, err := a.foresight(ctx, a.clock.Now().UnixNano())
	if err != nil {
		return err
	}
	e, err := s.Explain(ctx, email, id, posts)
	if errors.Is(err, newsletter.ErrAddress) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, e)
	}
	return a.showExplanation(e)
}

func (a *app) showExplanation(e newsletter.Explanation) error {
	if !e.Known {
		a.say("nobody is subscribed as %s", e.Email)
	}
	if s := e.Suppression; s != nil {
		a.say("%s", strings.TrimSpace(fmt.Sprintf("%s is suppressed since %s, and never mailed: %s %s", e.Email, stamp(s.At, a.cfg.Site.Location()), s.Reason, s.Note)))
	}
	for i, answer := range e.Answers {
		if i > 0 {
			a.say("")
		}
		if err := a.showAnswer(answer); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) showAnswer(n newsletter.Answer) error {
	about := n.Newsletter
	if n.Edition != 0 {
		what := runOf(n.Cadence, n.Slot)
		if n.Manual {
			what = "by hand"
		}
		about = fmt.Sprintf("%s, edition %d (%s)", n.Newsletter, n.Edition, what)
	}
	if n.Outcome == newsletter.OutcomeLeftOut {
		about += ": not mailed"
	}
	a.say("%s: %s", about, n.Why)
	for _, g := range n.Also {
		a.say("also: %s", g.Why)
	}
	if len(n.Posts) == 0 {
		return nil
	}
	t := newTable(a.out, "IN", "PUBLISHED", "POST", "WHY")
	old := 0
	for _, p := range n.Posts {
		if p.Old {
			old++
			continue
		}
		t.row(map[bool]string{true: "yes", false: "no"}[p.In], day(p.Published), p.File, p.Why)
	}
	if old > 0 {
		t.row("no", "", plural(old, "older post"), "too old (--json lists them)")
	}
	return t.flush()
}
