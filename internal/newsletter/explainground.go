package newsletter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/store"
)

// A Ground is one of several reasons for which somebody gets no mail.
type Ground struct {
	Reason string `json:"reason"` // one word, for scripts
	Why    string `json:"why"`
}

// tell gives an answer its grounds, the decisive one first.
func (a *Answer) tell(grounds []Ground) {
	a.Reason, a.Why, a.Also = grounds[0].Reason, grounds[0].Why, grounds[1:]
}

// bars says why a person is none of a newsletter's readers at an instant, but
// for a pause; none if they are one.
func (x *explainer) bars(n Newsletter, sub *store.Subscription, at time.Time) (grounds []Ground) {
	if reason, why := x.apart(n, sub, at); reason != "" {
		grounds = append(grounds, Ground{reason, why})
	}
	if x.suppressed != nil && !x.suppressed.At.After(at) {
		grounds = append(grounds, Ground{"suppressed", x.suppression(n)})
	}
	return grounds
}

// pause gives the person's at an instant; none if there is none.
func (x *explainer) pause(n Newsletter, sub *store.Subscription, at time.Time) []Ground {
	if sub == nil || !sub.PausedUntil.After(at) {
		return nil
	}
	return []Ground{{store.ReasonPaused, "paused until " + x.local(n, sub.PausedUntil)}}
}

// apart says why a person is not subscribed at an instant; "" if they are.
func (x *explainer) apart(n Newsletter, sub *store.Subscription, at time.Time) (reason, why string) {
	switch {
	case sub == nil:
		return "not_subscribed", "they never signed up for it"
	case sub.CreatedAt.After(at):
		return "joined_later", "they signed up only on " + x.local(n, sub.CreatedAt)
	case sub.Status == store.StatusPending && !sub.EndedAt.IsZero():
		return "left", fmt.Sprintf("they left on %s; they signed up again on %s, but have not confirmed", x.local(n, sub.EndedAt), x.local(n, x.asked(sub)))
	case sub.Status == store.StatusPending:
		return "not_confirmed", "they signed up on " + x.local(n, x.asked(sub)) + ", and have not confirmed"
	case sub.Status == store.StatusUnsubscribed && !sub.EndedAt.After(at):
		return "left", "they left on " + x.local(n, sub.EndedAt) + because(sub.LeftBecause)
	case sub.ConfirmedAt.After(at):
		return "joined_later", "they confirmed only on " + x.local(n, sub.ConfirmedAt)
	}
	if left := x.awayAt(n, at); !left.IsZero() {
		return "left", "they left on " + x.local(n, left) + ", and came back only afterwards"
	}
	return "", ""
}

// asked gives when a person last asked for a newsletter.
func (x *explainer) asked(sub *store.Subscription) time.Time {
	for _, c := range slices.Backward(x.consents) {
		if c.Newsletter == sub.Newsletter && c.Event == store.ConsentAsked {
			return c.At
		}
	}
	return sub.CreatedAt
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func (x *explainer) suppression(n Newsletter) string {
	s := x.suppressed
	words := map[string]string{
		store.ReasonManual:       "the maintainer suppressed the address",
		store.ReasonBounce:       "mail to the address came back",
		store.ReasonComplaint:    "they complained about a mail",
		store.ReasonErased:       "they had themselves erased",
		store.ReasonUnsubscribed: "they left everything",
	}
	return strings.TrimSpace(fmt.Sprintf("suppressed since %s: %s %s", x.local(n, s.At), words[s.Reason], s.Note))
}

// awayAt gives when a person had left who was away at an instant, and is back.
func (x *explainer) awayAt(n Newsletter, at time.Time) (left time.Time) {
	for _, c := range x.consents {
		switch {
		case c.Newsletter != n.Name || c.At.After(at):
		case c.Event == store.ConsentLeft:
			left = c.At
		case c.Event != store.ConsentAsked:
			left = time.Time{}
		}
	}
	return left
}
