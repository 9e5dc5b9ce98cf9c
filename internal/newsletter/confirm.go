package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/store"
	"tidings/internal/token"
)

// A confirmation token names its newsletters with commas between them, which
// no name has.
const between = ","

// confirmClaim gives what a confirmation link stands for.
func (s *Service) confirmClaim(subscriber int64, newsletters []string, asked time.Time) token.Claim {
	return token.Claim{
		Purpose: toConfirm, Subscriber: subscriber, Newsletter: strings.Join(newsletters, between),
		Expires: asked.Add(min(confirmWithin, s.SignUps.unconfirmed())).Truncate(time.Second),
	}
}

// ofSignUp begins what a confirmation token names that stands for the wishes of
// one sign-up, by its number: no list of newsletters begins with a comma.
const ofSignUp = between

// wishClaim gives what the confirmation link of a sign-up stands for.
func (s *Service) wishClaim(subscriber, signUp int64, asked time.Time) token.Claim {
	return s.confirmClaim(subscriber, []string{"", strconv.FormatInt(signUp, 10)}, asked)
}

// signUpOf gives the number of the sign-up that a claim stands for; 0 for one
// that stands for what is pending.
func signUpOf(c token.Claim) int64 {
	number, ok := strings.CutPrefix(c.Newsletter, ofSignUp)
	if !ok {
		return 0
	}
	id, _ := strconv.ParseInt(number, 10, 64) // it is authentic
	return id
}

// Confirmation implements People.
func (s *Service) Confirmation(ctx context.Context, tok string) ([]Subscription, error) {
	c, err := s.Key.Verify(toConfirm, tok, s.Clock.Now())
	if err != nil {
		return nil, ErrToken
	}
	return s.confirmable(ctx, c)
}

// confirmable gives the subscriptions of a claim that are pending or active.
func (s *Service) confirmable(ctx context.Context, c token.Claim) ([]Subscription, error) {
	who, err := s.Store.Subscriber(ctx, c.Subscriber)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrToken
	}
	if err != nil {
		return nil, fmt.Errorf("look up a sign-up: %w", err)
	}
	if id := signUpOf(c); id != 0 {
		return s.wished(ctx, who, id)
	}
	var subs []Subscription
	for _, sub := range who.Subscriptions {
		if sub.Status != store.StatusUnsubscribed && slices.Contains(strings.Split(c.Newsletter, between), sub.Newsletter) {
			subs = append(subs, s.shown(who, sub))
		}
	}
	if len(subs) == 0 {
		return nil, ErrToken // left since, or forgotten: an old link does not bring anyone back
	}
	return subs, nil
}

// wished shows what a sign-up asked for: as it would be, or once it is confirmed
// as it is. ErrToken if its owner has left all of it since.
func (s *Service) wished(ctx context.Context, who store.Subscriber, signUp int64) ([]Subscription, error) {
	wishes, err := s.Store.Wishes(ctx, who.ID, signUp)
	if err != nil {
		return nil, err
	}
	var subs []Subscription
	for _, w := range wishes {
		if !w.Confirmed {
			subs = append(subs, s.shownWish(who, w))
			continue
		}
		for _, sub := range who.Subscriptions {
			if sub.Newsletter == w.Newsletter && sub.Status == store.StatusActive {
				subs = append(subs, s.shown(who, sub))
			}
		}
	}
	if len(subs) == 0 {
		return nil, ErrToken
	}
	return subs, nil
}

// shownWish is a wish as its owner sees it.
func (s *Service) shownWish(who store.Subscriber, w store.Wish) Subscription {
	if w.Personal {
		who.Language, who.Timezone, who.Format = w.Language, w.Timezone, w.Format
	}
	return s.shown(who, store.Subscription{
		Newsletter: w.Newsletter, Status: store.StatusPending, Categories: w.Categories, Tags: w.Tags,
		Frequency: w.Frequency, Hour: w.Hour, CreatedAt: w.AskedAt, AskedAt: w.AskedAt,
	})
}

// Confirm implements People.
func (s *Service) Confirm(ctx context.Context, tok string) ([]Subscription, error) {
	c, err := s.Key.Verify(toConfirm, tok, s.Clock.Now())
	if err != nil {
		return nil, ErrToken
	}
	if id := signUpOf(c); id != 0 {
		err = s.Store.ConfirmWishes(ctx, s.Clock.Now(), c.Subscriber, id)
	} else {
		err = s.Store.Confirm(ctx, s.Clock.Now(), c.Subscriber, strings.Split(c.Newsletter, between)...)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrToken
	}
	if err != nil {
		return nil, fmt.Errorf("confirm a subscription to %s: %w", c.Newsletter, err)
	}
	s.tellJoined()
	s.Log.Info("confirmed", "newsletters", c.Newsletter, "subscriber", c.Subscriber)
	return s.confirmable(ctx, c)
}

// shown is a subscription as its owner sees it.
func (s *Service) shown(who store.Subscriber, sub store.Subscription) Subscription {
	snap := s.Posts()
	out := Subscription{
		Newsletter: sub.Newsletter, Title: sub.Newsletter, Status: sub.Status, Email: who.Email, Language: who.Language,
		Categories: names(sub.Categories, snap.Categories), Tags: names(sub.Tags, snap.Tags),
		Frequency: sub.Frequency, Hour: sub.Hour, Timezone: who.Timezone, Format: who.Format, Since: sub.CreatedAt,
	}
	if n, err := s.Newsletter(sub.Newsletter); err == nil {
		out.Title = n.Title
		if out.Timezone == "" && n.Zone != nil {
			out.Timezone = n.Zone.String()
		}
		if out.Hour == "" && HasHour(out.Frequency) {
			out.Hour = strconv.Itoa(n.Hour)
		}
	}
	return out
}
