package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// undoWithin is how long a person can take back that they left.
const undoWithin = 7 * 24 * time.Hour

// Why people leave, as their page offers it.
var WhyLeft = []string{"too_many", "not_interesting", "never_asked", "feed_instead", "other"}

// Return takes back that a token's person left, with everything that ended at
// the same time. It gives the subscription of the token; ErrToken if there is
// nothing to take back.
func (s *Service) Return(ctx context.Context, tok string) (Subscription, error) {
	c, _, err := s.look(ctx, toUnsubscribe, tok)
	if err != nil {
		return Subscription{}, err
	}
	now := s.Clock.Now()
	names, err := s.Store.Return(ctx, now, c.Subscriber, c.Newsletter, now.Add(-undoWithin))
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && len(names) == 0:
		return Subscription{}, ErrToken
	case err != nil:
		return Subscription{}, fmt.Errorf("take back leaving %s: %w", c.Newsletter, err)
	}
	s.Log.Info("returned", "newsletters", names, "subscriber", c.Subscriber)
	_, sub, err := s.look(ctx, toUnsubscribe, tok)
	return sub, err
}

// SayWhy notes why a token's person left; a reason that is not offered counts
// as another one.
func (s *Service) SayWhy(ctx context.Context, tok, because string) error {
	c, err := s.Key.Verify(toUnsubscribe, tok, s.Clock.Now())
	if err != nil {
		return ErrToken
	}
	if !slices.Contains(WhyLeft, because) {
		because = "other"
	}
	return s.Store.SayWhy(ctx, c.Subscriber, c.Newsletter, because)
}
