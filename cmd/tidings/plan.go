package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// planOptions are the flags of plan.
type planOptions struct {
	at, since string
	runs      int
}

func planCommand(a *app) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan NEWSLETTER",
		Short: "Tell ahead what an edition will hold, and who gets it",
		Long: "Tells what the next scheduled run will hold, or a send at another time: each post with\n" +
			"why it is in or out, the groups of readers who get the same mail, and the runs after it.\n" +
			"Posts dated until then count as published; everything else counts as it is now. Nothing\n" +
			"is recorded. The time of a run means that run; any other, or --since, a send by hand.",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.plan(ctx, given[0], o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "the `TIME` to plan for: a date, an instant, a run as editions name it (2025-01-31T08:00), or a span from now such as 7d; default: the next run")
	f.StringVar(&o.since, "since", "", "a send by hand of posts since this `TIME`, however old: a date, an instant, or an age such as 7d")
	f.IntVar(&o.runs, "runs", 3, "how many runs after it to tell")
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) plan(ctx context.Context, name string, o planOptions) error {
	if o.runs < 0 {
		return usagef("--runs must not be negative")
	}
	s, err := a.serviceWithPosts(ctx)
	if err != nil {
		return err
	}
	now := a.clock.Now()
	t, err := a.planTarget(s, name, o, now)
	if err != nil {
		return err
	}
	posts, err := a.foresight(ctx, min(t.at.UnixNano(), now.UnixNano()))
	if err != nil {
		return err
	}
	f, err := s.Foresee(ctx, t.letter, now, posts)
	if err != nil {
		return err
	}
	j, err := t.foretell(ctx, f, now)
	if err != nil {
		return err
	}
	if j.Runs, err = t.following(ctx, f, o.runs); err != nil {
		return err
	}
	return a.showPlan(j)
}

// foresight gives the posts as they will be, from an instant on.
func (a *app) foresight(ctx context.Context, from int64) (func(time.Time) (*catalog.Snapshot, error), error) {
	c, err := a.catalogConfig()
	if err != nil {
		return nil, err
	}
	f, err := catalog.Foresee(ctx, c, time.Unix(0, from))
	if err != nil {
		return nil, err
	}
	return func(at time.Time) (*catalog.Snapshot, error) { return f.At(ctx, at) }, nil
}

// A planTarget is what is to be told.
type planTarget struct {
	letter newsletter.Newsletter
	at     time.Time     // zero: a send by hand as soon as possible
	slot   schedule.Slot // Key "": by hand
	since  time.Time
}

// planTarget reads what the flags ask for.
func (a *app) planTarget(s *newsletter.Service, name string, o planOptions, now time.Time) (t planTarget, err error) {
	if t.letter, err = s.Newsletter(name); err != nil {
		return t, err
	}
	n := t.letter
	if o.since != "" {
		if t.since, err = parseTime(o.since, n.Zone, now); err != nil {
			return t, fmt.Errorf("--since: %w", err)
		}
	}
	switch {
	case o.at != "":
		if t.at, err = parseAhead(o.at, n.Zone, now); err != nil {
			return t, fmt.Errorf("--at: %w", err)
		}
		if n.Schedule != nil && t.since.IsZero() {
			for slot := range n.Schedule.Slots(t.at.Add(-time.Nanosecond), t.at, n.Zone) {
				t.slot = slot
			}
		}
	case n.Schedule != nil && t.since.IsZero():
		t.slot, _ = n.Schedule.Next(now, n.Zone)
		t.at = t.slot.At
	}
	if t.at.IsZero() {
		t.at = now
	}
	return t, nil
}

// foretell makes the report of a target, after the runs before it.
func (t planTarget) foretell(ctx context.Context, f *newsletter.Forecast, now time.Time) (j planJSON, err error) {
	var overdue schedule.Slot
	if t.letter.Schedule != nil && !t.at.Before(now) {
		if overdue, err = f.Overdue(ctx); err == nil {
			err = f.Until(ctx, t.at)
		}
		if err != nil {
			return j, err
		}
	}
	var p newsletter.Plan
	if t.slot.Key != "" {
		p, err = f.Run(ctx, t.slot)
	} else {
		if t.at.Equal(now) {
			if t.at, err = f.Settled(t.since); err != nil {
				return j, err
			}
		}
		p, err = f.ByHand(ctx, t.at, t.since)
	}
	if errors.Is(err, store.ErrExists) {
		return j, fmt.Errorf("the run of %s is made already: tidings editions list --newsletter %s", t.slot.Key, t.letter.Name)
	}
	if err != nil {
		return j, err
	}
	j = planned(p)
	j.At, j.Local, j.Zone = &t.at, t.at.In(t.letter.Zone).Format("Mon 2006-01-02 15:04 MST"), t.letter.Zone.String()
	j.Notes = append(j.Notes, t.notes(f, overdue, p)...)
	return j, nil
}

// notes are what else must be known of a plan.
func (t planTarget) notes(f *newsletter.Forecast, overdue schedule.Slot, p newsletter.Plan) (notes []string) {
	say := func(format string, v ...any) { notes = append(notes, fmt.Sprintf(format, v...)) }
	if note := clockNote(t.slot, t.letter.Zone); note != "" {
		say("%s", note)
	}
	if overdue.Key != "" {
		say("the run of %s is overdue: tidings serve makes it at once, before this", overdue.Key)
	}
	if f.FirstSeen.IsZero() {
		say("serve or send has not seen this newsletter yet; posts count from when one does, here from now")
	}
	if t.slot.Key == "" && t.letter.Schedule != nil {
		say("this is a send by hand, to which min_posts and approve do not apply")
	}
	if p.Edition.Status == store.EditionPlanned {
		say("it waits for approval (approve: true), for at most %s: tidings editions resume ID", p.Edition.ExpiresAt.Sub(p.Edition.CreatedAt))
	}
	return notes
}

// clockNote says what clock changes do to a slot; "" if nothing.
func clockNote(slot schedule.Slot, zone *time.Location) string {
	switch {
	case slot.Key == "":
		return ""
	case slot.Skipped(zone):
		return fmt.Sprintf("%s does not exist, because the clocks are set forward: the run is at %s", slot.Key, slot.At.In(zone).Format("15:04 MST"))
	case slot.Repeated(zone):
		return fmt.Sprintf("%s comes twice, because the clocks are set back: the run is the first time, %s", slot.Key, slot.At.In(zone).Format("15:04 MST"))
	}
	return ""
}

// following tells the next runs after the target.
func (t planTarget) following(ctx context.Context, f *newsletter.Forecast, n int) ([]planRun, error) {
	runs := []planRun{}
	if t.letter.Schedule == nil {
		return runs, nil
	}
	at := t.at
	for len(runs) < n {
		slot, ok := t.letter.Schedule.Next(at, t.letter.Zone)
		if !ok {
			break
		}
		at = slot.At
		p, err := f.Run(ctx, slot)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return nil, err
		}
		e := p.Edition
		runs = append(runs, planRun{slot.Key, slot.At.UTC(), e.Status, e.Posts, e.Counts.Pending, e.Reason, clockNote(slot, t.letter.Zone)})
	}
	return runs, nil
}

// planJSON is what plan and a dry run report.
type planJSON struct {
	editionJSON
	At       *time.Time  `json:"at,omitempty"`
	Local    string      `json:"local_time,omitempty"`
	Zone     string      `json:"timezone,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
	Included []planPost  `json:"included"`
	Excluded []planPost  `json:"excluded"`
	Groups   []planGroup `json:"groups"`
	Runs     []planRun   `json:"runs,omitempty"`
}

type planPost struct {
	File      string     `json:"file"`
	Title     string     `json:"title"`
	Published *time.Time `json:"published,omitempty"`
	Readers   int        `json:"readers"`
	Reason    string     `json:"reason"`
}

type planGroup struct {
	Subject string   `json:"subject"`
	Posts   int      `json:"posts"`
	Readers int      `json:"readers"`
	Files   []string `json:"files"`
}

type planRun struct {
	Slot    string    `json:"slot"`
	At      time.Time `json:"at"`
	Status  string    `json:"status"`
	Posts   int       `json:"posts"`
	Readers int       `json:"readers"`
	Reason  string    `json:"reason"`
	Note    string    `json:"note,omitempty"`
}

// planned turns a plan into its report.
func planned(p newsletter.Plan) planJSON {
	j := planJSON{editionJSON: account(p.Edition), Included: []planPost{}, Excluded: []planPost{}, Groups: []planGroup{}}
	files, readers := map[int64]string{}, map[int64]int{}
	for _, e := range p.Selection.Included {
		files[e.PostID] = filepath.ToSlash(e.File)
	}
	for i, g := range p.Groups {
		group := planGroup{g.Subject, len(g.PostIDs), p.Readers[i], []string{}}
		for _, id := range g.PostIDs {
			group.Files = append(group.Files, files[id])
			readers[id] += p.Readers[i]
		}
		j.Groups = append(j.Groups, group)
	}
	for _, e := range p.Selection.Included {
		why := "new to " + plural(readers[e.PostID], "reader")
		if len(p.Groups) == 0 {
			why = p.Edition.Reason
		}
		j.Included = append(j.Included, planPost{files[e.PostID], e.Title, date(e.Published), readers[e.PostID], why})
	}
	for _, x := range p.Selection.Excluded {
		j.Excluded = append(j.Excluded, planPost{filepath.ToSlash(x.Entry.File), x.Entry.Title, date(x.Entry.Published), 0, x.Reason})
	}
	slices.SortStableFunc(j.Excluded, func(x, y planPost) int { return later(y.Published).Compare(later(x.Published)) })
	return j
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// later is a date to sort by: none comes last.
func later(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (a *app) showPlan(j planJSON) error {
	if a.json {
		return printJSON(a.out, j)
	}
	if j.At != nil {
		what := "a send by hand"
		if !j.Manual {
			what = "the run of " + j.Slot
		}
		a.say("%s: %s, at %s (%s)", j.Newsletter, what, j.Local, instant(*j.At))
	}
	if j.Status == store.EditionSkipped {
		a.say("nothing would be sent: %s", j.Reason)
	}
	a.say("%s would go to %s; %s due nothing", plural(j.Posts, "post"), plural(j.Pending, "reader"), plural(j.Empty, "reader"))
	for _, note := range j.Notes {
		a.say("note: %s", note)
	}
	for _, g := range j.Groups {
		a.say("subject: %s (%s to %s)", g.Subject, plural(g.Posts, "post"), plural(g.Readers, "reader"))
	}
	a.say("")
	t := newTable(a.out, "IN", "PUBLISHED", "READERS", "POST", "WHY")
	for _, p := range j.Included {
		t.row("yes", day(p.Published), strconv.Itoa(p.Readers), p.File, p.Reason)
	}
	for _, p := range j.Excluded {
		t.row("no", day(p.Published), "", p.File, p.Reason)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return a.showRuns(j.Runs)
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (a *app) showRuns(runs []planRun) error {
	if len(runs) == 0 {
		return nil
	}
	a.say("\nthe runs after it")
	t := newTable(a.out, "RUN", "INSTANT", "STATUS", "POSTS", "READERS", "REASON")
	for _, r := range runs {
		reason := r.Reason
		if r.Note != "" && reason != "" {
			reason += "; "
		}
		t.row(r.Slot, instant(r.At), r.Status, strconv.Itoa(r.Posts), strconv.Itoa(r.Readers), reason+r.Note)
	}
	return t.flush()
}
