package newsletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// A turn is a reader's next one: the run of their cadence, and what it holds
// for them.
type turn struct {
	run
	found  bool      // there is one
	byHand bool      // nothing comes by itself
	made   time.Time // when it is planned
	late   bool      // it is overdue
	posts  []ExplainedPost
	due    int // of them that the mail holds
}

// next tells what a newsletter brings a person next.
func (x *explainer) next(ctx context.Context, n Newsletter) (Answer, error) {
	a := Answer{Newsletter: n.Name, Outcome: OutcomeLeftOut, Posts: []ExplainedPost{}}
	sub := x.subscription(n.Name)
	grounds, pause := x.bars(n, sub, x.now), x.pause(n, sub, x.now)
	if x.MailingOff != "" {
		grounds = append(grounds, Ground{"mailing_off", fmt.Sprintf("%s: %s", ErrMailingOff, x.MailingOff)})
	}
	if len(grounds) > 0 {
		a.tell(append(grounds, pause...))
		return a, nil
	}
	if len(pause) > 0 {
		a.tell(pause)
	}
	f, err := x.Foresee(ctx, n, x.now, x.ask)
	if err != nil {
		return a, err
	}
	t, err := x.turn(ctx, f, *sub)
	if err != nil {
		return a, err
	}
	return a, x.announce(ctx, f, &a, t, *sub)
}

// reachOf gives the cadence and the band by which a reader is mailed.
func (n Newsletter) reachOf(frequency, zone, hour string) reach {
	to := reach{cadence: n.cadenceOf(frequency)}
	if store.ByZone(to.cadence) {
		to.band.Zone = zone
	}
	if store.ByHour(to.cadence) {
		to.band.Hour = hour
	}
	return to
}

// turn finds the first run that may mail the person. One that mails each post by
// itself is passed over if the post is none of theirs.
func (x *explainer) turn(ctx context.Context, f *Forecast, sub store.Subscription) (turn, error) {
	r := f.letter.reachOf(sub.Frequency, x.who.Timezone, sub.Hour)
	if !slices.Contains(f.letter.cadences(), r.cadence) {
		return x.held(ctx, f, sub, turn{run: run{cadence: r.cadence}, byHand: true, made: later(x.now, sub.PausedUntil)})
	}
	after := x.now
	if sub.PausedUntil.After(x.now) {
		after = sub.PausedUntil.Add(-time.Nanosecond)
	} else if slot, err := f.overdue(ctx, r); err != nil {
		return turn{}, err
	} else if slot.Key != "" {
		return x.held(ctx, f, sub, turn{run: run{r.cadence, slot, r.band}, made: x.now, late: x.now.Sub(slot.At) > x.punctual()})
	}
	for {
		slot, ok, err := f.next(r, after)
		if err != nil || !ok {
			return turn{run: run{cadence: r.cadence}}, err
		}
		after = slot.At
		taken, err := x.inRun(ctx, f.letter, r.cadence, slot)
		if err != nil {
			return turn{}, err
		}
		if taken {
			continue
		}
		t, err := x.held(ctx, f, sub, turn{run: run{r.cadence, slot, r.band}, made: slot.At})
		if err != nil || r.cadence != store.CadenceEach || t.due > 0 {
			return t, err
		}
	}
}

// inRun reports whether the person has a mail of a run already: they were in
// another zone, or chose another hour, when it came there.
func (x *explainer) inRun(ctx context.Context, n Newsletter, cadence string, slot schedule.Slot) (bool, error) {
	e, err := x.Store.LastRun(ctx, n.Name, cadence, slot.Key)
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Slot != slot.Key {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	list, err := x.deliveries(ctx, n.Name)
	return slices.ContainsFunc(list, func(d store.Delivery) bool { return d.EditionID == e.ID }), err
}

// held adds what a turn holds for the person.
func (x *explainer) held(ctx context.Context, f *Forecast, sub store.Subscription, t turn) (turn, error) {
	t.found = true
	sel, err := f.selection(Request{At: t.made})
	if err != nil {
		return t, err
	}
	had, err := x.Store.Had(ctx, x.who.ID, f.letter.Name, postIDs(sel.Included))
	if err != nil {
		return t, err
	}
	mails, err := x.deliveries(ctx, f.letter.Name)
	if err != nil {
		return t, err
	}
	a := newAudience(sel.Included, nil, nil)
	a.renames = sel.posts.Renames()
	set := a.due(store.Reader{Categories: sub.Categories, Tags: sub.Tags, Seen: slices.Collect(maps.Keys(had))})
	due := pinnedFirst(a.members(set))
	t.due = len(due)
	for _, e := range due {
		t.posts = append(t.posts, explained(e, true, "new to them"))
	}
	for i, e := range sel.Included {
		switch edition := had[e.PostID]; {
		case set.has(i):
		case edition != 0:
			t.posts = append(t.posts, explained(e, false, x.gotIn(f.letter, edition, mails, true)))
		default:
			t.posts = append(t.posts, explained(e, false, otherTopics(Topics{Categories: sub.Categories, Tags: sub.Tags}, e, sel.posts)))
		}
	}
	for _, out := range sel.Excluded {
		p := explained(out.Entry, false, out.Reason)
		p.Old = strings.HasPrefix(out.Reason, tooOld) || strings.HasPrefix(out.Reason, tooEarly)
		t.posts = append(t.posts, p)
	}
	return t, nil
}

func explained(e *catalog.Entry, in bool, why string) ExplainedPost {
	return ExplainedPost{File: e.File, Title: e.Title, Published: orNone(e.Published), In: in, Why: why}
}

// otherTopics is why a post is not for a reader of some topics.
func otherTopics(t Topics, e *catalog.Entry, posts *catalog.Snapshot) string {
	theirs := topicList(names(t.Categories, posts.Categories), names(t.Tags, posts.Tags))
	its := topicList(e.Categories, e.Tags)
	if its == "" {
		its = "none"
	}
	return fmt.Sprintf("they follow other topics: %s; it is in %s", theirs, its)
}

func topicList(categories, tags []string) string {
	list := slices.Clone(categories)
	for _, tag := range tags {
		list = append(list, "#"+tag)
	}
	return strings.Join(list, ", ")
}

// announce puts a turn into words.
func (x *explainer) announce(ctx context.Context, f *Forecast, a *Answer, t turn, sub store.Subscription) error {
	paused := ""
	if a.Reason != "" {
		paused = a.Why + "; then "
	}
	a.Cadence, a.Slot, a.Posts, a.Outcome = t.cadence, t.Key, orNoPosts(t.posts), OutcomeNothing
	brings := "brings nothing for them"
	if t.due > 0 {
		a.Outcome, brings = OutcomeComes, "brings "+countPosts(t.due)
	}
	switch {
	case t.byHand:
		a.Reason, a.Why = "by_hand", paused+"it comes by hand alone: a send now "+brings
		return nil
	case !t.found && t.cadence == store.CadenceEach:
		a.Reason, a.Why = "no_post", paused+"each post of their topics comes by itself; none is foreseen"
		return nil
	case !t.found:
		a.Reason, a.Why = "no_run", paused+"no run is foreseen"
		return nil
	}
	if a.Reason == "" && t.due == 0 {
		a.Reason = "no_post"
	}
	at := t.made
	if t.cadence == store.CadenceEach || t.late {
		at = x.awake(f.letter, x.who.Timezone, x.who.QuietHours, at)
	}
	x.when(f.letter, a, at)
	a.Why = fmt.Sprintf("%sthe %s %s, at %s", paused, turnName(t.run), brings, a.Local)
	return x.reserve(ctx, f, a, t, at)
}

// reserve adds what else stands between a turn and its mail.
func (x *explainer) reserve(ctx context.Context, f *Forecast, a *Answer, t turn, at time.Time) error {
	n := f.letter
	if !t.made.After(x.now) {
		a.Why += " (it is due: tidings serve makes it)"
	}
	if at.After(t.made) {
		a.Why += ", when their quiet hours end"
	}
	if t.due == 0 {
		return nil
	}
	if t.cadence != store.CadenceEach && t.due < n.MinPosts {
		p, err := x.whole(ctx, n, t.run)
		if err != nil {
			return err
		}
		if p.Wave.Status == store.WaveSkipped {
			a.Outcome, a.Reason = OutcomeNothing, "min_posts"
			a.Why = fmt.Sprintf("the %s is to be skipped: %s", turnName(t.run), p.Wave.Reason)
			return nil
		}
	}
	if n.Approve {
		a.Why += "; it then waits for approval (approve: true)"
	}
	return nil
}

// whole foresees a run for all its readers; the zero value if it is made. It
// takes a forecast of its own, which asks for the posts in the order of time.
func (x *explainer) whole(ctx context.Context, n Newsletter, w run) (Plan, error) {
	f, err := x.Foresee(ctx, n, x.now, x.ask)
	if err != nil {
		return Plan{}, err
	}
	p, err := f.wave(ctx, w)
	if errors.Is(err, store.ErrExists) {
		return Plan{}, nil
	}
	return p, err
}

// turnName names a run.
func turnName(r run) string {
	switch r.cadence {
	case store.CadenceSchedule:
		return "run of " + r.Key
	case store.CadenceEach:
		return "next post"
	}
	return r.cadence + " mail of " + r.Key
}

func countPosts(n int) string {
	if n == 1 {
		return "1 post"
	}
	return fmt.Sprintf("%d posts", n)
}

func orNoPosts(list []ExplainedPost) []ExplainedPost {
	if list == nil {
		return []ExplainedPost{}
	}
	return list
}
