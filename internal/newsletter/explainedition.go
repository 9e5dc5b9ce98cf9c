package newsletter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/catalog"
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
	planned  time.Time   // when its readers were counted, where the person is
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
		a.Reason, a.Why = x.absent(m, &a)
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
	list, err := x.Store.DeliveriesTo(ctx, x.who.ID, e.Newsletter)
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
	}
	m.then = x.chosen(*m.sub, m.planned)
	return m, nil
}

// band is the person's among the readers of the edition's cadence.
func (m meeting) band(zone string) store.Band {
	n := Newsletter{} // offers every frequency
	return n.reachOf(m.edition.Cadence, zone, m.sub.Hour).band
}

// absent says why a person has no part in an edition.
func (x *explainer) absent(m meeting, a *Answer) (reason, why string) {
	e, n := m.edition, m.letter
	reason, why = x.barred(n, m.sub, m.planned)
	nobody := (e.Status == store.EditionSkipped || e.Status == store.EditionFailed) && len(m.waves) == 0
	switch {
	case reason != "" && reason != store.ReasonPaused:
		return reason, why
	case !e.Manual && n.cadenceOf(m.then.frequency) != e.Cadence:
		return "frequency", fmt.Sprintf("they are mailed by %q, and this is an edition of %q", n.cadenceOf(m.then.frequency), e.Cadence)
	case nobody:
		return e.Status, "it mailed nobody: " + e.Why()
	case m.own != nil && m.own.Status != store.WaveMade:
		return m.own.Status, fmt.Sprintf("nothing was mailed in their time zone at their hour: %s", m.own.Reason)
	case reason != "":
		return reason, why
	case len(m.waves) > 0 && m.own == nil:
		return x.awaited(m, a)
	}
	return "changed", fmt.Sprintf("they were none of its readers when it was planned on %s; what they have chosen was changed since, or what was mailed to them", x.local(n, m.planned))
}

// awaited tells of an edition that has not come where the person is.
func (x *explainer) awaited(m meeting, a *Answer) (reason, why string) {
	e, n := m.edition, m.letter
	band := m.band(x.who.Timezone)
	if e.Status == store.EditionCancelled {
		return "cancelled", "it was cancelled before their turn"
	}
	if e.Cadence == store.CadenceSchedule && n.Schedule == nil || e.Cadence == store.CadenceEach {
		return "changed", "it is not made where they are"
	}
	slot, err := n.spec(e.Cadence, band).Slot(e.Slot, x.zone(n, band.Zone))
	switch {
	case err != nil:
		return "changed", "its run is none of the present schedule"
	case slot.At.After(x.now):
		x.when(n, a, slot.At)
		return "to_come", "their turn is at " + a.Local
	}
	if reason, why := x.barred(n, m.sub, slot.At); reason != "" {
		return reason, fmt.Sprintf("their turn was at %s; %s", x.local(n, slot.At), why)
	}
	return "not_on_record", fmt.Sprintf("their turn was at %s, and is not on record: they came to this time zone or hour since, or tidings serve has yet to make it", x.local(n, slot.At))
}

// delivered tells what became of a person's mail.
func (x *explainer) delivered(ctx context.Context, m meeting, a *Answer) error {
	d := m.delivery
	a.Outcome = d.State
	a.Delivery = &ExplainedDelivery{State: d.State, Attempts: d.Attempts, NextAt: orNone(d.NextAt), Resent: d.Resent, Code: d.Code, Answer: d.Reason}
	x.when(m.letter, a, d.UpdatedAt)
	a.Reason, a.Why = x.fate(m, a)
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
		return d.Reason, fmt.Sprintf("%s before their turn (%s)", released(d.Reason), a.Local)
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
	}
	return "the address was suppressed (" + reason + ")"
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

// editionPosts gives an edition's posts, with why each is in the person's mail or
// is not.
func (x *explainer) editionPosts(ctx context.Context, m meeting, group int) ([]ExplainedPost, error) {
	list, err := x.Store.EditionPosts(ctx, m.edition.ID, group)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, p := range list {
		ids[i] = p.PostID
	}
	had, err := x.Store.Had(ctx, x.who.ID, m.edition.Newsletter, ids)
	if err != nil {
		return nil, err
	}
	entries := map[int64]*catalog.Entry{}
	snap := x.Posts()
	for _, e := range snap.Entries {
		entries[e.PostID] = e
	}
	posts := make([]ExplainedPost, len(list))
	for i, p := range list {
		why := "new to them"
		if !p.In {
			why = m.leftOut(p, had[p.PostID], entries[p.PostID], snap)
		}
		posts[i] = ExplainedPost{File: p.File, Title: p.Title, Published: orNone(p.Published), In: p.In, Why: why}
	}
	return posts, nil
}

// leftOut says why a post of the edition is not in the person's mail; e is nil
// if the post is not shown any more.
func (m meeting) leftOut(p store.EditionPost, had int64, e *catalog.Entry, snap *catalog.Snapshot) string {
	topics := m.then.present(snap.Renames())
	switch {
	case had != 0 && had < m.edition.ID:
		return fmt.Sprintf("already in edition %d", had)
	case had != 0 && had != m.edition.ID:
		return fmt.Sprintf("in edition %d", had)
	case e == nil:
		return "it is not published any more"
	case !m.letter.Topics.Match(e.Post):
		return "not in this newsletter's categories or tags"
	case !topics.Match(e.Post):
		return otherTopics(topics, snap)
	case p.Published.After(m.planned):
		return "published after their turn was planned"
	case m.delivery == nil:
		return "of their topics, and they do not have it"
	}
	return "of their topics, but not due to them when their mail was planned"
}
