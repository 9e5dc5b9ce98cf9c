package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/store"
)

func editionsCommand(a *app) *cobra.Command {
	var of string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List what was and is being sent, newest first", Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.listEditions(ctx, of, limit) }),
	}
	list.Flags().StringVar(&of, "newsletter", "", "only this newsletter")
	list.Flags().IntVar(&limit, "limit", 50, "at most this many; 0 for all")
	a.jsonFlag(list)
	var state string
	var kept keptOptions
	show := &cobra.Command{
		Use: "show ID", Short: "Show the account of an edition, or its mail", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error {
			if kept.asked() {
				return a.showKept(ctx, given[0], kept)
			}
			return a.showEdition(ctx, given[0], state)
		}),
	}
	kept.flags(show.Flags())
	show.Flags().StringVar(&state, "deliveries", "", "also list the deliveries in this `STATE`: pending, claimed, sent, failed, suppressed, empty, in_doubt, or all")
	a.jsonFlag(show)
	cancel := &cobra.Command{
		Use: "cancel ID", Short: "End an edition: nobody else gets it", Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(a.cancelEdition),
	}
	a.yesFlag(cancel)
	return group("editions", "What was and is being sent", list, show, cancel,
		a.editionChange("pause ID", "Stop sending an edition for now", "paused", a.pauseEdition),
		a.editionChange("resume ID", "Go on with a paused edition, or release one that waits for approval", "released", a.resumeEdition),
		a.editionChange("retry ID", "Send again to those where it failed or is in doubt", "to be tried again", a.retryEdition),
	)
}

// editionJSON is the account of an edition as scripts see it.
type editionJSON struct {
	ID            int64      `json:"id"`
	Newsletter    string     `json:"newsletter"`
	Status        string     `json:"status"`
	Posts         int        `json:"posts"`
	Eligible      int        `json:"eligible"`
	Sent          int        `json:"sent"`
	Failed        int        `json:"failed"`
	Suppressed    int        `json:"suppressed"`
	Empty         int        `json:"empty"`
	InDoubt       int        `json:"in_doubt"`
	Pending       int        `json:"pending"`
	ResentInDoubt int        `json:"resent_in_doubt"`
	Reason        string     `json:"reason"`
	Cadence       string     `json:"cadence"`
	Slot          string     `json:"slot"`
	Manual        bool       `json:"manual"`
	DueAt         *time.Time `json:"due_at,omitempty"`
	LateSeconds   int        `json:"late_seconds,omitempty"`
	Missed        bool       `json:"missed,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	FinishedAt    *time.Time `json:"finished_at,omitempty"`
	Subjects      []string   `json:"subjects,omitempty"`
	Waves         []waveJSON `json:"waves,omitempty"`
	Waiting       []waiting  `json:"waiting,omitempty"`
	*Returns
	Deliveries []delivery `json:"deliveries,omitempty"`
}

type delivery struct {
	Email    string    `json:"email"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	NextAt   time.Time `json:"next_at"`
	Code     int       `json:"code,omitempty"`
	Reason   string    `json:"reason,omitempty"`
}

func account(e store.Edition) editionJSON {
	c := e.Counts
	j := editionJSON{
		ID: e.ID, Newsletter: e.Newsletter, Status: e.Status, Posts: e.Posts,
		Eligible: c.Eligible, Sent: c.Sent, Failed: c.Failed, Suppressed: c.Suppressed, Empty: c.Empty,
		InDoubt: c.InDoubt, Pending: c.Pending, ResentInDoubt: c.ResentInDoubt,
		Reason: e.Why(), Cadence: e.Cadence, Slot: e.Slot, Manual: e.Manual, Missed: e.Missed, CreatedAt: e.CreatedAt,
	}
	if !e.DueAt.IsZero() {
		j.DueAt = &e.DueAt
	}
	if e.Late != "" {
		j.LateSeconds = int(e.CreatedAt.Sub(e.DueAt).Seconds())
	}
	if !e.FinishedAt.IsZero() {
		j.FinishedAt = &e.FinishedAt
	}
	return j
}

func (a *app) listEditions(ctx context.Context, newsletter string, limit int) error {
	if err := a.knownNewsletter(newsletter); err != nil {
		return err
	}
	es, err := a.store.ListEditions(ctx, newsletter, limit)
	if err != nil {
		return err
	}
	rows := make([]editionJSON, len(es))
	for i, e := range es {
		rows[i] = account(e)
	}
	if a.json {
		return printJSON(a.out, rows)
	}
	t := newTable(a.out, "ID", "NEWSLETTER", "CADENCE", "MADE", "STATUS", "POSTS", "SENT", "FAILED", "PENDING", "REASON")
	for _, r := range rows {
		t.row(strconv.FormatInt(r.ID, 10), r.Newsletter, r.Cadence, stamp(r.CreatedAt, a.cfg.Site.Location()), r.Status,
			strconv.Itoa(r.Posts), strconv.Itoa(r.Sent), strconv.Itoa(r.Failed), strconv.Itoa(r.Pending), held(r))
	}
	return t.flush()
}

// held gives why an edition is as it is; of one that waits for a maintainer,
// what for.
func held(e editionJSON) string {
	if e.Status == store.EditionPlanned {
		return cmp.Or(e.Reason, fmt.Sprintf("waits for approval: editions show %d, then resume or cancel", e.ID))
	}
	return e.Reason
}

// edition finds the edition named on the command line.
func (a *app) edition(ctx context.Context, given string) (store.Edition, error) {
	id, err := strconv.ParseInt(given, 10, 64)
	if err != nil {
		return store.Edition{}, usagef("%q is no edition: give its number, as editions list shows it", given)
	}
	e, err := a.store.Edition(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return e, fmt.Errorf("there is no edition %d; editions list shows all", id)
	}
	return e, err
}

func (a *app) showEdition(ctx context.Context, given, state string) error {
	e, err := a.edition(ctx, given)
	if err != nil {
		return err
	}
	j := account(e)
	groups, err := a.store.EditionGroups(ctx, e.ID)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if !slices.Contains(j.Subjects, g.Subject) {
			j.Subjects = append(j.Subjects, g.Subject)
		}
	}
	if j.Waves, err = a.waves(ctx, e); err != nil {
		return err
	}
	if j.Waiting, err = a.waiting(ctx, e); err != nil {
		return err
	}
	if j.Returns, err = a.returns(ctx, e.ID); err != nil {
		return err
	}
	if state != "" {
		if j.Deliveries, err = a.deliveries(ctx, e.ID, state); err != nil {
			return err
		}
	}
	if a.json {
		return printJSON(a.out, j)
	}
	return a.printEdition(j)
}

func (a *app) deliveries(ctx context.Context, id int64, state string) ([]delivery, error) {
	if state == "all" {
		state = ""
	} else if err := oneOf("deliveries", state, store.DeliveryPending, store.DeliveryClaimed, store.DeliverySent,
		store.DeliveryFailed, store.DeliverySuppressed, store.DeliveryEmpty, store.DeliveryInDoubt, "all"); err != nil {
		return nil, err
	}
	ds := []delivery{}
	err := a.store.EachDelivery(ctx, id, state, func(d store.Delivery) error {
		ds = append(ds, delivery{d.Email, d.State, d.Attempts, d.NextAt, d.Code, d.Reason})
		return nil
	})
	return ds, err
}

// summary tells the account of an edition, and who goes on with what is left.
func summary(e editionJSON) string {
	text := fmt.Sprintf("edition %d, %s for %s: %d sent, %d failed, %d suppressed, %d empty, %d in doubt, %d pending",
		e.ID, plural(e.Posts, "post"), plural(e.Eligible, "reader"), e.Sent, e.Failed, e.Suppressed, e.Empty, e.InDoubt, e.Pending)
	if e.ResentInDoubt > 0 {
		text += fmt.Sprintf("\n%d were sent again because the first answer was lost", e.ResentInDoubt)
	}
	if e.Pending > 0 && e.Status == store.EditionSending {
		text += "\na running daemon goes on with what is pending, and so does the next send"
	}
	return text
}

func (a *app) printEdition(e editionJSON) error {
	a.say("edition %d of %s, %s", e.ID, e.Newsletter, e.Status)
	if e.DueAt != nil {
		a.say("%s, due %s", runOf(e.Cadence, e.Slot), stamp(*e.DueAt, a.cfg.Site.Location()))
	} else if e.Cadence == store.CadenceWelcome {
		a.say("%s", runOf(e.Cadence, e.Slot))
	}
	if e.Status == store.EditionPlanned {
		a.say("it waits for your approval: tidings editions show %d --format text shows the mail; then tidings editions resume %d, or cancel %d", e.ID, e.ID, e.ID)
	}
	if e.Reason != "" {
		a.say("reason: %s", e.Reason)
	}
	for _, s := range e.Subjects {
		a.say("subject: %s", s)
	}
	a.say("%s", summary(e))
	if err := a.showWaves(e.Waves); err != nil {
		return err
	}
	for _, w := range e.Waiting {
		a.say("waiting for %s since %s, next try in %s: %s", w.For, stamp(w.Since, a.cfg.Site.Location()), max(0, w.NextTry.Sub(a.clock.Now())).Round(time.Second), w.Reason)
	}
	a.sayReturns(e.Returns)
	if e.Deliveries == nil {
		return nil
	}
	t := newTable(a.out, "EMAIL", "STATE", "ATTEMPTS", "REASON")
	for _, d := range e.Deliveries {
		t.row(d.Email, d.State, strconv.Itoa(d.Attempts), d.Reason)
	}
	return t.flush()
}

// editionChange gives a subcommand that changes an edition's state.
func (a *app) editionChange(use, short, done string, change func(context.Context, store.Edition) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error {
			e, err := a.edition(ctx, given[0])
			if err != nil {
				return err
			}
			if err := change(ctx, e); err != nil {
				return err
			}
			a.say("edition %d %s", e.ID, done)
			return nil
		}),
	}
}

func (a *app) pauseEdition(ctx context.Context, e store.Edition) error {
	return a.store.PauseEdition(ctx, a.clock.Now(), e.ID)
}

func (a *app) resumeEdition(ctx context.Context, e store.Edition) error {
	return a.store.ResumeEdition(ctx, a.clock.Now(), e.ID)
}

func (a *app) retryEdition(ctx context.Context, e store.Edition) error {
	now := a.clock.Now()
	n, err := a.store.RetryEdition(ctx, now, e.ID, now.Add(a.cfg.Delivery.Expires))
	if err == nil {
		a.say("%s pending again; a running daemon, or the next send, takes them", plural(n, "delivery"))
	}
	return err
}

func (a *app) cancelEdition(ctx context.Context, given []string) error {
	e, err := a.edition(ctx, given[0])
	if err != nil {
		return err
	}
	if !a.confirmed(fmt.Sprintf("End edition %d of %s? %s will not get it.", e.ID, e.Newsletter, plural(e.Counts.Pending, "reader"))) {
		return errSaid
	}
	if err := a.store.CancelEdition(ctx, a.clock.Now(), e.ID); err != nil {
		return err
	}
	a.say("edition %d cancelled", e.ID)
	return nil
}
