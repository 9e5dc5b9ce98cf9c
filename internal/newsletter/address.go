package newsletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
	"tidings/internal/token"
)

const (
	toMove     = "address"
	moveWithin = 7 * 24 * time.Hour
)

// AskAddress implements Own.
func (s *Service) AskAddress(ctx context.Context, tok, email string) error {
	who, fresh, err := s.owner(ctx, tok)
	switch {
	case err != nil:
		return err
	case !fresh:
		return ErrFresh
	}
	next, err := s.person(email)
	if err != nil {
		return err
	}
	if next.Key == who.Key {
		return fmt.Errorf("%w: it is the present one", ErrAddress)
	}
	now := s.Clock.Now()
	err = s.Store.AskAddress(ctx, now, who.ID, next.Email, next.Key, linkLimit, now.Add(-linksPer))
	if errors.Is(err, store.ErrNotFound) {
		return ErrToken
	}
	return err
}

// KeepAddress implements Own.
func (s *Service) KeepAddress(ctx context.Context, tok string) (Person, error) {
	who, _, err := s.owner(ctx, tok)
	if err != nil {
		return Person{}, err
	}
	kept, err := s.Store.KeepAddress(ctx, s.Clock.Now(), who.ID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !kept:
		return Person{}, ErrToken
	case err != nil:
		return Person{}, err
	}
	s.Log.Info("a change of address was stopped", "subscriber", who.ID)
	return Person{Email: who.Email, Language: who.Language}, nil
}

// moveClaim is the token of a mail to a next address: it stands for that one
// alone, since another may be asked for afterwards.
func moveClaim(subscriber int64, key string, at time.Time) token.Claim {
	return token.Claim{Purpose: toMove, Subscriber: subscriber, Newsletter: key, Expires: at.Add(moveWithin)}
}

// NextAddress implements Own.
func (s *Service) NextAddress(ctx context.Context, tok string) (Person, error) {
	_, p, err := s.moving(ctx, tok)
	return p, err
}

func (s *Service) moving(ctx context.Context, tok string) (token.Claim, Person, error) {
	c, err := s.Key.Verify(toMove, tok, s.Clock.Now())
	if err != nil {
		return c, Person{}, ErrToken
	}
	who, err := s.Store.Subscriber(ctx, c.Subscriber)
	if errors.Is(err, store.ErrNotFound) {
		return c, Person{}, ErrToken
	}
	if err != nil {
		return c, Person{}, fmt.Errorf("look up a person: %w", err)
	}
	// Whose the next address is, they may have nothing to do with the present one.
	p := Person{Email: veiled(who.Email), NextEmail: who.NextEmail, Language: who.Language}
	if who.Key == c.Newsletter { // done already
		p.Email, p.NextEmail = who.Email, who.Email
		return c, p, nil
	}
	next, err := s.person(who.NextEmail)
	if err != nil || next.Key != c.Newsletter {
		return c, Person{}, ErrToken // another one was asked for since
	}
	return c, p, nil
}

// MoveAddress implements Own.
func (s *Service) MoveAddress(ctx context.Context, tok string) (Person, error) {
	c, p, err := s.moving(ctx, tok)
	if err != nil || p.NextEmail == p.Email {
		return p, err
	}
	err = s.Store.MoveAddress(ctx, s.Clock.Now(), c.Subscriber, c.Newsletter)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrExists), errors.Is(err, store.ErrConflict):
		return Person{}, ErrToken // whosever it is now: that is not told
	case err != nil:
		return Person{}, err
	}
	s.Log.Info("address changed", "subscriber", c.Subscriber)
	return p, nil
}
