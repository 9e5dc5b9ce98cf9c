package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/store"
)

// Why a welcome holds nothing.
const (
	noIssueYet  = "no edition was mailed yet"
	issueIsGone = "none of its posts may be mailed any more"
)

// noIssue is the slot of the record of those who joined before there was any
// edition.
const noIssue = "none"

// welcomeSlot names the edition that brings new readers another one.
func welcomeSlot(edition int64) string {
	if edition == 0 {
		return noIssue
	}
	return fmt.Sprintf("edition-%d", edition)
}

// listed is the cadence whose editions lists of past ones show; "" for all.
func (n Newsletter) listed() string {
	if n.Schedule != nil {
		return store.CadenceSchedule
	}
	return ""
}

// A latest is the edition that new readers are welcomed with.
type latest struct {
	edition int64 // 0: there is none
	posts   []int64
}

// latest finds it: the one that the web archive shows, or would, as its newest.
func (s *Service) latest(ctx context.Context, n Newsletter) (latest, error) {
	list, _, err := s.Store.PastEditions(ctx, n.Name, n.listed(), 0, 1)
	if err != nil || len(list) == 0 {
		return latest{}, err
	}
	g, _, err := s.Store.WebGroup(ctx, list[0].ID)
	return latest{list[0].ID, g.PostIDs}, err
}

// everSince is a time before all posts: of the latest edition, their age does
// not matter.
var everSince = time.Time{}.Add(time.Second)

// welcomeSelection sorts the posts of the latest edition: what may not be mailed
// now, such as one that is held, is left out. settled is when the last of those
// has settled whose file has just changed; zero: all have.
func (s *Service) welcomeSelection(n Newsletter, l latest, now time.Time, settle time.Duration) (sel Selection, settled time.Time) {
	sel.posts = s.Posts()
	for _, e := range sel.posts.Entries {
		if !slices.Contains(l.posts, e.PostID) {
			continue
		}
		why := n.exclude(e, Window{Since: everSince, Now: now}, settle)
		if why == "" {
			sel.Included = append(sel.Included, e)
			continue
		}
		if strings.HasPrefix(why, unsettled) {
			settled = later(settled, e.Changed.Add(settle))
		}
		sel.Excluded = append(sel.Excluded, Excluded{e, why})
	}
	return sel, settled
}

// Welcome mails the latest edition to whoever has confirmed their subscription
// and was not welcomed yet; ok is false if there is nobody, or the files of its
// posts have to settle first, which they have at again.
func (s *Service) Welcome(ctx context.Context, n Newsletter) (p Plan, ok bool, again time.Time, err error) {
	if s.MailingOff != "" || !n.Welcome {
		return p, false, again, nil
	}
	r, l, err := s.welcomeRequest(ctx, n)
	if err != nil {
		return p, false, again, err
	}
	waiting, err := s.Store.Newcomers(ctx, r.At, n.Name, r.Since)
	if err != nil || waiting == 0 {
		return p, false, again, err
	}
	sel, again := s.welcomeSelection(n, l, r.At, s.Settle)
	if !again.IsZero() {
		return p, false, again, nil
	}
	p, err = s.planOf(ctx, r, sel, 0, nil)
	if errors.Is(err, store.ErrNotFound) {
		return p, false, again, nil // another process was first
	}
	return p, err == nil, again, err
}

// welcomeRequest asks for the welcome of who confirmed since an edition made
// then would have expired.
func (s *Service) welcomeRequest(ctx context.Context, n Newsletter) (Request, latest, error) {
	l, err := s.latest(ctx, n)
	if err != nil {
		return Request{}, l, fmt.Errorf("look up the latest edition of %s: %w", n.Name, err)
	}
	now := s.Clock.Now()
	return Request{Newsletter: n, Cadence: store.CadenceWelcome, Slot: welcomeSlot(l.edition), At: now, Since: now.Add(-s.Expires)}, l, nil
}

// nothingToWelcome says why an edition of a slot mails nobody.
func nothingToWelcome(slot string, sel Selection) string {
	switch {
	case slot == noIssue:
		return noIssueYet
	case len(sel.Included) == 0:
		return issueIsGone
	}
	return nobodyNew
}

// PreviewWelcome composes the mail that welcomes a reader who would confirm now;
// with an empty address, one who follows everything.
func (s *Service) PreviewWelcome(ctx context.Context, n Newsletter, email string) (store.Group, error) {
	r, l, err := s.welcomeRequest(ctx, n)
	if err != nil {
		return store.Group{}, err
	}
	sel, _ := s.welcomeSelection(n, l, r.At, 0)
	if len(sel.Included) == 0 {
		return store.Group{}, fmt.Errorf("a new reader of %s would get nothing: %s", n.Name, nothingToWelcome(r.Slot, sel))
	}
	if email == "" {
		return s.compose(r, 0, variant{}, sel.Included, sel.posts)
	}
	sub, err := s.Store.SubscriberByEmail(ctx, email)
	if err != nil {
		return store.Group{}, fmt.Errorf("subscriber %s: %w", email, err)
	}
	r.DryRun, r.Slot = true, "preview" // that of the edition may be taken
	p, err := s.planOf(ctx, r, sel, sub.ID, nil)
	if err == nil && len(p.Groups) == 0 {
		err = errors.New("there is nothing in the latest edition that they have not got, or that is in their topics")
	}
	if err != nil {
		return store.Group{}, fmt.Errorf("preview the welcome for %s: %w", email, err)
	}
	return p.Groups[0], nil
}

// tellJoined wakes the Scheduler.
func (s *Service) tellJoined() {
	select {
	case s.joined <- struct{}{}:
	default: // it is to be woken already
	}
}

// welcome makes the edition for new readers of a newsletter.
func (s *Scheduler) welcome(ctx context.Context, n Newsletter) error {
	p, ok, again, err := s.service.Welcome(ctx, n)
	if err != nil {
		return fmt.Errorf("welcome new readers of %s: %w", n.Name, err)
	}
	s.wake(again)
	if ok {
		s.report(p)
	}
	return nil
}

// welcomed tells a newcomer's part in an edition for new readers that they are
// not in.
func (x *explainer) welcomed(m meeting) Ground {
	switch {
	case m.sub != nil && !m.sub.JoinedAt.IsZero():
		return Ground{"to_come", "it welcomes new readers, and they are yet to be welcomed: tidings serve does, within half a minute"}
	case m.edition.Status == store.EditionCancelled:
		return Ground{"cancelled", "it welcomes new readers, and was cancelled"}
	}
	return Ground{"not_new", "it welcomes new readers with the latest edition, and they were none then, or nothing in it was left for them"}
}

// greeting tells of the welcome that is about to be made; ok is false if none is.
func (x *explainer) greeting(ctx context.Context, n Newsletter) (a Answer, ok bool, err error) {
	sub := x.subscription(n.Name)
	if !n.Welcome || x.MailingOff != "" || sub == nil || sub.JoinedAt.IsZero() || len(x.bars(n, sub, x.now)) > 0 {
		return a, false, nil
	}
	r, l, err := x.welcomeRequest(ctx, n)
	if err != nil || l.edition == 0 || !sub.JoinedAt.After(r.Since) {
		return a, false, err
	}
	a = Answer{
		Newsletter: n.Name, Cadence: r.Cadence, Slot: r.Slot, Outcome: OutcomeComes, Reason: "welcome", Posts: []ExplainedPost{},
		Why: fmt.Sprintf("they have just confirmed, and are welcomed with what edition %d has for them; tidings serve does", l.edition),
	}
	if pause := x.pause(n, sub, x.now); len(pause) > 0 {
		a.Outcome = OutcomeLeftOut
		a.tell(pause)
	}
	return a, true, nil
}
