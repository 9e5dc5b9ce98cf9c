package newsletter

import (
	"context"
	"fmt"
	"time"
)

const (
	forgetEvery = time.Hour
	forgetBatch = 500 // subscriptions in one transaction, so that others need not wait
)

// Retain forgets what was not confirmed in time, again and again until ctx
// ends.
func (s *Service) Retain(ctx context.Context) error {
	told := false
	for ctx.Err() == nil {
		n, err := s.Forget(ctx)
		if n > 0 {
			s.Log.Info("unconfirmed subscriptions were forgotten", "number", n)
		}
		if err != nil && ctx.Err() == nil && !told {
			s.Log.Error("unconfirmed subscriptions cannot be forgotten; trying again", "error", err)
		}
		told = err != nil
		_ = s.Clock.Sleep(ctx, forgetEvery) // ends early with ctx
	}
	return nil
}

// Forget deletes the subscriptions that nobody confirmed in time, with the
// people of whom nothing else is known, and gives how many.
func (s *Service) Forget(ctx context.Context) (forgotten int, err error) {
	now := s.Clock.Now()
	if err := s.Store.ForgetSignUps(ctx, now.Add(-addressDay)); err != nil {
		return 0, err
	}
	if err := s.Store.ForgetMoves(ctx, now.Add(-moveWithin)); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		n, done, err := s.Store.ForgetUnconfirmed(ctx, now, now.Add(-s.SignUps.unconfirmed()), forgetBatch)
		if err != nil {
			return forgotten, fmt.Errorf("forget unconfirmed subscriptions: %w", err)
		}
		if forgotten += n; done {
			return forgotten, nil
		}
	}
	return forgotten, ctx.Err()
}
