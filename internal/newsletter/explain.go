package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// An Explanation says why a person got an edition or did not, or what comes to
// them next and why.
type Explanation struct {
	Email       string              `json:"email"`
	Known       bool                `json:"known"` // there is somebody with this address
	Suppression *recordedSuppressed `json:"suppression,omitempty"`
	Answers     []Answer            `json:"answers"`
}

// What comes of a newsletter's next run for a person; of an edition, it is the
// state of the delivery, or OutcomeLeftOut.
const (
	OutcomeComes   = "comes"
	OutcomeNothing = "nothing" // for them in it
	OutcomeLeftOut = "left_out"
)

// An Answer is about one edition, or about what a newsletter brings next.
type Answer struct {
	Newsletter string             `json:"newsletter"`
	Edition    int64              `json:"edition,omitempty"` // 0: about what comes next
	Cadence    string             `json:"cadence,omitempty"`
	Slot       string             `json:"slot,omitempty"`
	Manual     bool               `json:"manual,omitempty"`
	Outcome    string             `json:"outcome"`
	Reason     string             `json:"reason,omitempty"` // one word, for scripts
	Why        string             `json:"why"`
	Also       []Ground           `json:"also,omitempty"` // what else would have kept it from them
	At         *time.Time         `json:"at,omitempty"`   // when it came, or comes
	Local      string             `json:"local_time,omitempty"`
	Delivery   *ExplainedDelivery `json:"delivery,omitempty"`
	Posts      []ExplainedPost    `json:"posts"` // those in the mail first, in its order
}

// ExplainedDelivery is what became of a mail so far.
type ExplainedDelivery struct {
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	NextAt   *time.Time `json:"next_at,omitempty"`
	Resent   bool       `json:"resent_in_doubt,omitempty"`
	Code     int        `json:"code,omitempty"`
	Answer   string     `json:"answer,omitempty"` // of the relay, or another reason
	Bounces  []string   `json:"bounces,omitempty"`
}

// ExplainedPost is a post that is in a person's mail, or not, and why.
type ExplainedPost struct {
	File      string     `json:"file"`
	Title     string     `json:"title"`
	Published *time.Time `json:"published,omitempty"`
	In        bool       `json:"in"`
	Why       string     `json:"why"`
	Old       bool       `json:"-"` // too old for the newsletter
}

// Explain says why a person got an edition or did not; with edition 0, what each
// newsletter brings them next. posts gives them as they will be, as for Foresee.
// ErrAddress; store.ErrNotFound if there is no such edition.
func (s *Service) Explain(ctx context.Context, email string, edition int64, posts func(at time.Time) (*catalog.Snapshot, error)) (Explanation, error) {
	given, err := s.person(email)
	if err != nil {
		return Explanation{}, err
	}
	x := &explainer{Service: s, now: s.Clock.Now(), ask: posts, mails: map[string][]store.Delivery{}}
	if err := x.lookUp(ctx, given); err != nil {
		return Explanation{}, err
	}
	e := Explanation{Email: given.Email, Known: x.who.ID != 0, Answers: []Answer{}}
	if sup := x.suppressed; sup != nil {
		e.Suppression = &recordedSuppressed{sup.At, sup.Reason, sup.Note}
	}
	if edition != 0 {
		about, err := s.Store.Edition(ctx, edition)
		if err == nil && e.Known {
			e.Answers, err = oneAnswer(x.edition(ctx, about))
		}
		return e, err
	}
	if e.Known {
		e.Answers, err = x.comings(ctx)
	}
	return e, err
}

func oneAnswer(a Answer, err error) ([]Answer, error) { return []Answer{a}, err }

// An explainer is what is known of one person.
type explainer struct {
	*Service
	now        time.Time
	ask        func(at time.Time) (*catalog.Snapshot, error)
	who        store.Subscriber   // ID 0: nobody
	suppressed *store.Suppression // nil: not
	consents   []store.Consent    // oldest first
	mails      map[string][]store.Delivery
}

// deliveries gives the person's of a newsletter, the newest edition first.
func (x *explainer) deliveries(ctx context.Context, newsletter string) ([]store.Delivery, error) {
	if list, ok := x.mails[newsletter]; ok {
		return list, nil
	}
	list, err := x.Store.DeliveriesTo(ctx, x.who.ID, newsletter)
	if err == nil {
		x.mails[newsletter] = list
	}
	return list, err
}

func (x *explainer) lookUp(ctx context.Context, given store.Subscriber) error {
	sup, err := x.Store.Suppressed(ctx, given.Key)
	switch {
	case err == nil:
		x.suppressed = &sup
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	x.who, err = FindSubscriber(ctx, x.Store, given.Email)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		x.consents, err = x.Store.Consents(ctx, x.who.ID)
	}
	return err
}

// comings tells of each newsletter what is under way, and what comes next.
func (x *explainer) comings(ctx context.Context) ([]Answer, error) {
	var all []Answer
	for _, n := range x.Newsletters {
		under, err := x.underWay(ctx, n)
		if err != nil {
			return nil, err
		}
		if a, ok, err := x.greeting(ctx, n); err != nil {
			return nil, err
		} else if ok {
			under = append(under, a)
		}
		next, err := x.next(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("explain what comes of %s: %w", n.Name, err)
		}
		all = append(append(all, under...), next)
	}
	for _, sub := range x.who.Subscriptions {
		if _, err := x.Newsletter(sub.Newsletter); err != nil {
			all = append(all, Answer{
				Newsletter: sub.Newsletter, Outcome: OutcomeLeftOut, Reason: "no_newsletter",
				Why: "the configuration has no newsletter of this name", Posts: []ExplainedPost{},
			})
		}
	}
	return all, nil
}

// underWay tells of the mails of a newsletter that are on their way.
func (x *explainer) underWay(ctx context.Context, n Newsletter) (all []Answer, err error) {
	list, err := x.deliveries(ctx, n.Name)
	for _, d := range slices.Backward(list) {
		if err != nil || d.State != store.DeliveryPending && d.State != store.DeliveryClaimed {
			continue
		}
		var e store.Edition
		if e, err = x.Store.Edition(ctx, d.EditionID); err == nil {
			var a Answer
			a, err = x.edition(ctx, e)
			all = append(all, a)
		}
	}
	return all, err
}

// subscription gives the person's; nil if they never had one.
func (x *explainer) subscription(newsletter string) *store.Subscription {
	for i, sub := range x.who.Subscriptions {
		if sub.Newsletter == newsletter {
			return &x.who.Subscriptions[i]
		}
	}
	return nil
}

// local shows an instant as the person's clock does.
func (x *explainer) local(n Newsletter, t time.Time) string {
	return t.In(x.zone(n, x.who.Timezone)).Format("2006-01-02 15:04 MST")
}

// when gives an answer an instant.
func (x *explainer) when(n Newsletter, a *Answer, t time.Time) {
	t = t.UTC()
	a.At, a.Local = &t, x.local(n, t)
}

// A choice is what a reader wants of a newsletter.
type choice struct {
	Topics
	frequency string
	changed   time.Time // when they changed it since; zero: it is as it was
}

// chosen gives a reader's choice at an instant, as far as it is on record.
func (x *explainer) chosen(sub store.Subscription, at time.Time) choice {
	now := choice{Topics: Topics{Categories: sub.Categories, Tags: sub.Tags}, frequency: sub.Frequency}
	then := now
	for _, c := range x.consents {
		switch {
		case c.Newsletter != sub.Newsletter || c.Frequency == "":
		case !c.At.After(at):
			then = choice{Topics: Topics{Categories: c.Categories, Tags: c.Tags}, frequency: c.Frequency}
		case then.changed.IsZero():
			then.changed = c.At
		}
	}
	if then.changed.IsZero() {
		return now
	}
	return then
}
