package newsletter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/store"
)

// A meeting is an edition as one person meets it.
type meeting struct {
	edition  store.Edition
	letter   Newsletter
	sub      *store.Subscription // nil: they never had one
	delivery *store.Delivery     // nil: they have none
	waves    []store.Wave
	own      *store.Wave // that of the person's time zone and hour; nil: none is on record
	turn     time.Time   // of their zone and hour, if it is on no record; zero: none is known
	planned  time.Time   // when its readers are counted, where the person is
	then     choice      // at that time
}

// edition tells what an edition brought a person, or why nothing.
func (x *explainer) edition(ctx context.Context, e store.Edition) (Answer, error) {
	a := Answer{Newsletter: e.Newsletter, Edition: e.ID, Cadence: e.Cadence, Slot: e.Slot, Manual: e.Manual, Outcome: OutcomeLeftOut}
	m, err := x.meet(ctx, e)
	if err != nil {
		return a, err
	}
	group := -1
	if m.delivery == nil {
		a.tell(x.absent(m, &a))
	} else {
		group = m.delivery.Group
		if err := x.delivered(ctx, m, &a); err != nil {
			return a, err
		}
	}
	a.Posts, err = x.editionPosts(ctx, m, group)
	return a, err
}

func (x *explainer) meet(ctx context.Context, e store.Edition) (m meeting, err error) {
	m = meeting{edition: e, sub: x.subscription(e.Newsletter), planned: e.CreatedAt}
	if m.letter, err = x.Newsletter(e.Newsletter); err != nil {
		m.letter = Newsletter{Name: e.Newsletter, Zone: time.UTC} // it was taken out of the configuration
	}
	list, err := x.deliveries(ctx, e.Newsletter)
	if err != nil {
		return m, err
	}
	if i := slices.IndexFunc(list, func(d store.Delivery) bool { return d.EditionID == e.ID }); i >= 0 {
		m.delivery = &list[i]
	}
	if m.waves, err = x.Store.EditionWaves(ctx, e.ID); err != nil || m.sub == nil {
		return m, err
	}
	band := m.band(x.who.Timezone)
	if i := slices.IndexFunc(m.waves, func(w store.Wave) bool { return w.Band == band }); i >= 0 {
		m.own, m.planned = &m.waves[i], m.waves[i].CreatedAt
	} else if m.turn = x.turnOf(m, band); !m.turn.IsZero() {
		m.planned = m.turn
	}
	if e.Cadence == store.CadenceWelcome {
		m.planned = later(m.planned, m.sub.ConfirmedAt) // it grows with its readers
	}
	m.then = x.chosen(*m.sub, m.planned)
	return m, nil
}

// band is the person's among the readers of the edition's cadence.
func (m meeting) band(zone string) store.Band {
	n := Newsletter{} // offers every frequency
	return n.reachOf(m.edition.Cadence, zone, m.sub.Hour).band
}

// delivered tells what became of a person's mail.
func (x *explainer) delivered(ctx context.Context, m meeting, a *Answer) error {
	d := m.delivery
	a.Outcome = d.State
	a.Delivery = &ExplainedDelivery{State: d.State, Attempts: d.Attempts, NextAt: orNone(d.NextAt), Resent: d.Resent, Code: d.Code, Answer: d.Reason}
	x.when(m.letter, a, d.UpdatedAt)
	a.Reason, a.Why = x.fate(m, a)
	if d.State == store.DeliveryPending {
		if grounds := x.doomed(m); len(grounds) > 0 {
			grounds[0].Why = "it will not be mailed: " + grounds[0].Why
			a.At, a.Local = nil, ""
			a.tell(grounds)
		}
	}
	bounces, err := x.Store.SubscriberBounces(ctx, x.who.ID, 1000)
	for _, b := range bounces {
		if b.EditionID == m.edition.ID {
			text := strings.TrimSpace(fmt.Sprintf("%s %s %s", b.Class, b.Status, b.Note))
			a.Delivery.Bounces = append(a.Delivery.Bounces, text)
			a.Why += fmt.Sprintf("; on %s it came back: %s", x.local(m.letter, b.At), text)
		}
	}
	return err
}

// tries says how often something was tried, and what the relay answered.
func tries(d store.Delivery) string {
	text := "after 1 attempt"
	if d.Attempts != 1 {
		text = fmt.Sprintf("after %d attempts", d.Attempts)
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

func (x *explainer) fate(m meeting, a *Answer) (reason, why string) {
	d := *m.delivery
	switch d.State {
	case store.DeliverySent:
		why = "sent on " + a.Local
		if d.Resent {
			why += "; it was sent more than once, because an answer of the relay was lost"
		}
		return "sent", why
	case store.DeliveryClaimed:
		return "sending", "it is being sent"
	case store.DeliveryFailed:
		return "failed", fmt.Sprintf("given up on %s %s; its posts are due again", a.Local, tries(d))
	case store.DeliveryInDoubt:
		return "answer_lost", fmt.Sprintf("the relay's answer was lost on %s, so that it may have arrived or not; its posts are not mailed again (tidings editions retry %d does)", a.Local, d.EditionID)
	case store.DeliverySuppressed:
		why = fmt.Sprintf("%s before their turn (%s)", released(d.Reason), a.Local)
		if d.Reason == store.ReasonChanged {
			why += "; what they still want of it is due to them again"
		}
		return d.Reason, why
	case store.DeliveryEmpty:
		return "no_post", "nothing in it was left for them"
	}
	return x.pending(m, a)
}

func released(reason string) string {
	switch reason {
	case store.ReasonUnsubscribed:
		return "they left"
	case store.ReasonPaused:
		return "they paused their mail"
	case store.ReasonErased:
		return "they were erased"
	case store.ReasonChanged:
		return "they chose other topics or another frequency"
	}
	return "the address was suppressed (" + reason + ")"
}

// doomed says why a mail that waits will not go out, by the rules of a claim;
// none if it will.
func (x *explainer) doomed(m meeting) []Ground {
	e, at := m.edition, later(x.now, m.delivery.NextAt)
	grounds := x.bars(m.letter, m.sub, at)
	if e.Status != store.EditionSending {
		return grounds // nobody knows when it goes on
	}
	if !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(at) {
		grounds = append(grounds, Ground{"expired", "the edition expires before that, on " + x.local(m.letter, e.ExpiresAt)})
	}
	return append(grounds, x.pause(m.letter, m.sub, at)...)
}

// pending tells what a mail waits for.
func (x *explainer) pending(m meeting, a *Answer) (reason, why string) {
	d, e := *m.delivery, m.edition
	if d.NextAt.IsZero() {
		d.NextAt = x.now
	}
	x.when(m.letter, a, d.NextAt)
	switch {
	case e.Status == store.EditionPlanned:
		return "approval", fmt.Sprintf("it waits for approval: tidings editions resume %d", e.ID)
	case e.Status == store.EditionPaused:
		return "edition_paused", fmt.Sprintf("a maintainer paused the edition: tidings editions resume %d", e.ID)
	case d.NextAt.After(x.now) && (d.Attempts > 0 || d.Reason != ""):
		return "retry", fmt.Sprintf("to be tried again at %s, %s", a.Local, tries(d))
	case d.NextAt.After(x.now):
		return "held", fmt.Sprintf("held until %s, when their quiet hours end", a.Local)
	}
	return "queued", "it is to be sent now; a running daemon, or the next send, does"
}
