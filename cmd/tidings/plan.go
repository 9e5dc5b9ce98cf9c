package main

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
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
	if err := t.choose(f, now); err != nil {
		return err
	}
	j, err := t.foretell(ctx, f, now)
	if err != nil {
		return err
	}
	if j.Runs, err = t.following(ctx, f, o.runs); err != nil {
		return err
	}
	if j.Others, err = t.others(ctx, f, now); err != nil {
		return err
	}
	if note := eachNote(f, j.Others); note != "" && t.next && t.cadence != store.CadenceEach {
		j.Notes = append(j.Notes, note)
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
	Runs     []planRun   `json:"runs,omitempty"`     // of the same cadence
	Others   []planRun   `json:"cadences,omitempty"` // the next one of each other
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
	Cadence string     `json:"cadence"`
	Slot    string     `json:"slot"`
	At      time.Time  `json:"at"`
	Status  string     `json:"status"`
	Posts   int        `json:"posts"`
	Readers int        `json:"readers"`
	Reason  string     `json:"reason"`
	Note    string     `json:"note,omitempty"`
	Waves   []waveJSON `json:"waves,omitempty"`
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

// runOf names a run.
func runOf(cadence, slot string) string {
	switch cadence {
	case store.CadenceSchedule:
		return "run of " + slot
	case store.CadenceWelcome:
		return "welcome of new readers with " + strings.Replace(slot, "-", " ", 1)
	}
	return cadence + " run of " + slot
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
			what = "the " + runOf(j.Cadence, j.Slot)
		}
		a.say("%s: %s, at %s (%s)", j.Newsletter, what, j.Local, instant(*j.At))
	}
	if j.Status == store.EditionSkipped {
		a.say("nothing would be sent: %s", j.Reason)
	}
	a.say("%s would go to %s; %s due nothing", plural(j.Posts, "post"), plural(j.Pending, "reader"), plural(j.Empty, "reader"))
	if err := a.showWaves(j.Waves); err != nil {
		return err
	}
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
	if err := a.showRuns("the runs after it", j.Runs); err != nil {
		return err
	}
	return a.showRuns("for those who chose another frequency", j.Others)
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (a *app) showRuns(title string, runs []planRun) error {
	if len(runs) == 0 {
		return nil
	}
	a.say("\n%s", title)
	t := newTable(a.out, "CADENCE", "RUN", "INSTANT", "WAVES", "STATUS", "POSTS", "READERS", "REASON")
	for _, r := range runs {
		reason := r.Reason
		if r.Note != "" && reason != "" {
			reason += "; "
		}
		t.row(r.Cadence, r.Slot, instant(r.At), strconv.Itoa(len(r.Waves)), r.Status, strconv.Itoa(r.Posts), strconv.Itoa(r.Readers), reason+r.Note)
	}
	return t.flush()
}
