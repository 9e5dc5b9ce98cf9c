package alert

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/pace"
	"tidings/internal/store"
)

// approvals are the alerts of editions that wait for a maintainer.
func (w *Watch) approvals(_ context.Context, v *view) ([]store.Alert, error) {
	var all []store.Alert
	for _, e := range v.pending {
		if e.Status != store.EditionPlanned || v.now.Sub(e.CreatedAt) < approveIn {
			continue
		}
		until := stamp(e.ExpiresAt, w.Zone)
		happens := "tidings mails nothing of it until you release it. At " + until + " it expires: then nobody gets it, and its posts are due again only once it is cancelled."
		if !v.now.Before(e.ExpiresAt) {
			happens = "It expired at " + until + ": nobody gets it any more. Its posts are due again once it is cancelled."
		}
		all = append(all, store.Alert{
			Key: fmt.Sprintf("approval %d", e.ID), Kind: Approval, Passing: true, Since: e.CreatedAt,
			Subject: fmt.Sprintf("Edition %d of %s waits for your approval", e.ID, e.Newsletter),
			Text: text(
				fmt.Sprintf("Edition %d of the newsletter %s, %s for %s, has been waiting for approval since %s.", e.ID, e.Newsletter,
					plural(e.Posts, "post"), plural(e.Counts.Pending, "reader"), stamp(e.CreatedAt, w.Zone)),
				happens,
				"Look at it, and release or cancel it:\n"+command(edition("show", e)+" --format text", edition("resume", e), edition("cancel", e))),
		})
	}
	return all, nil
}

// edition is a command about an edition.
func edition(verb string, e store.Edition) string {
	return fmt.Sprintf("tidings editions %s %d", verb, e.ID)
}

// A state is what an edition had come to, and since when.
type state struct {
	counts store.Counts
	next   time.Time // when its next mail is due
	since  time.Time
}

// stalled are the alerts of editions with mails due of which nothing is
// recorded, for no known reason.
func (w *Watch) stalled(ctx context.Context, v *view) ([]store.Alert, error) {
	var all []store.Alert
	states := map[int64]state{}
	for _, e := range v.pending {
		if e.Status != store.EditionSending {
			continue
		}
		s, err := w.stateOf(ctx, e, v)
		if err != nil {
			return nil, err
		}
		if states[e.ID] = s; v.now.Sub(s.since) >= atLeast(w.Service.Clock, patience, 30*time.Second) {
			all = append(all, w.stall(e, s))
		}
	}
	w.states = states
	return all, nil
}

func stallKey(e store.Edition) string { return fmt.Sprintf("stalled %d", e.ID) }

// stateOf gives what an edition has come to. What has a reason to wait counts
// as getting on.
func (w *Watch) stateOf(ctx context.Context, e store.Edition, v *view) (state, error) {
	next, claimed, err := w.Service.Store.EditionDue(ctx, e.ID)
	s := state{e.Counts, next, v.now}
	due := claimed > 0 || !next.IsZero() && !next.After(v.now)
	if err != nil || !due || v.excused || v.open[pace.RelayCircuit(w.Relay)] || v.open[pace.NewsletterCircuit(e.Newsletter)] {
		return s, err
	}
	before, known := w.states[e.ID]
	if known && before.counts == s.counts && before.next.Equal(next) {
		s.since = before.since
	} else if since := w.former[stallKey(e)]; !known && !since.IsZero() {
		s.since = since // known from before a restart
	}
	return s, nil
}

func (w *Watch) stall(e store.Edition, s state) store.Alert {
	return store.Alert{
		Key: stallKey(e), Kind: Stalled, Since: s.since,
		Subject: fmt.Sprintf("Edition %d of %s does not get on", e.ID, e.Newsletter),
		Text: text(
			fmt.Sprintf("%s of edition %d of the newsletter %s could be sent, but nothing was recorded of any since %s, and there is no known reason.",
				plural(e.Counts.Pending, "mail"), e.ID, e.Newsletter, stamp(s.since, w.Zone)),
			"tidings goes on by itself as soon as it can; mails that are not sent by "+stamp(e.ExpiresAt, w.Zone)+" fail, and their posts are in the next digest.",
			"Look at its log and at the mail server, which may hold the connections without an answer. A restart does no harm: nobody is forgotten, and nobody mailed twice.\n"+
				command(edition("show", e))),
	}
}

// outcomes are the alerts of mails that were not delivered.
func (w *Watch) outcomes(_ context.Context, v *view) ([]store.Alert, error) {
	var all []store.Alert
	for _, e := range v.editions {
		c := e.Counts
		mails := c.Eligible - c.Empty
		if v.now.Sub(e.CreatedAt) > recent || e.Status == store.EditionCancelled {
			continue
		}
		if mails >= fewest && float64(c.Failed) > manyFailed*float64(mails) {
			all = append(all, w.failures(e, mails))
		}
		if e.Status == store.EditionFinished && c.InDoubt > 0 && e.InDoubt == store.Hold {
			all = append(all, w.doubts(e))
		}
	}
	return all, nil
}

func (w *Watch) failures(e store.Edition, mails int) store.Alert {
	return store.Alert{
		Key: fmt.Sprintf("failed %d", e.ID), Kind: Edition, Passing: true, Since: e.CreatedAt,
		Subject: fmt.Sprintf("Many mails of edition %d of %s failed", e.ID, e.Newsletter),
		Text: text(
			fmt.Sprintf("%d of the %s of edition %d of the newsletter %s, made at %s, failed: the mail server refused them for good, or they expired.",
				e.Counts.Failed, plural(mails, "mail"), e.ID, e.Newsletter, stamp(e.CreatedAt, w.Zone)),
			"tidings does not try them again. Their posts are due again: these readers get them with the next digest, if they are not too old by then.",
			"See why, and, if the cause is mended, send them again:\n"+command(edition("show", e)+" --deliveries failed", edition("retry", e))),
	}
}

func (w *Watch) doubts(e store.Edition) store.Alert {
	return store.Alert{
		Key: fmt.Sprintf("in doubt %d", e.ID), Kind: Edition, Passing: true, Since: e.FinishedAt,
		Subject: fmt.Sprintf("%s of edition %d of %s in doubt", plural(e.Counts.InDoubt, "mail"), e.ID, e.Newsletter),
		Text: text(
			fmt.Sprintf("The answer of the mail server to %s of edition %d of the newsletter %s was lost: nobody knows whether they arrived.",
				plural(e.Counts.InDoubt, "mail"), e.ID, e.Newsletter),
			"tidings holds them, as in_doubt: hold asks for, and counts their posts as mailed.",
			"See whose they are. The log of the mail server may tell what became of them; to send them again, to some perhaps for the second time:\n"+
				command(edition("show", e)+" --deliveries in_doubt", edition("retry", e))),
	}
}

// bounces are the alerts of editions of which so much bounced that it is not
// believed.
func (w *Watch) bounces(ctx context.Context, v *view) ([]store.Alert, error) {
	var all []store.Alert
	held, err := w.Service.Store.HeldBounces(ctx, v.now.Add(-recent))
	if err != nil {
		return nil, err
	}
	for _, b := range held {
		e, err := w.Service.Store.Edition(ctx, b.EditionID)
		if err != nil {
			return nil, err
		}
		all = append(all, store.Alert{
			Key: fmt.Sprintf("bounces %d", e.ID), Kind: Bounces, Passing: true, Since: b.Since,
			Subject: fmt.Sprintf("Suspiciously many addresses of edition %d of %s bounced", e.ID, e.Newsletter),
			Text: text(
				fmt.Sprintf("Within minutes, so many addresses of edition %d of the newsletter %s were said not to exist that at %s tidings ceased to believe it. Large mail hosts do say so of everybody when something of theirs is broken.",
					e.ID, e.Newsletter, stamp(b.Since, w.Zone)),
				"From then on, hard bounces of this edition suppress nobody; they count like a full mailbox. Those before it stay suppressed.",
				"See which domains they are of. If their host was at fault, lift the suppressions of that time; if your list is old, nothing is to be done: addresses that are really gone bounce again.\n"+
					command(edition("show", e), "tidings suppressions list", "tidings suppressions remove ADDRESS")),
		})
	}
	return all, nil
}

func number(n int) string { return strconv.Itoa(n) }

// plural gives "1 post", "2 posts".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}
