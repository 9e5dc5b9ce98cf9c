package newsletter

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/token"
)

// Purposes of tokens.
const (
	toConfirm     = "confirm"
	toUnsubscribe = "unsubscribe"
)

// confirmWithin is the life of a confirmation link.
const confirmWithin = 7 * 24 * time.Hour

var _ People = (*Service)(nil)

// SignUp implements People.
func (s *Service) SignUp(ctx context.Context, in SignUp) error {
	if s.MailingOff != "" {
		return fmt.Errorf("%w: %s", ErrMailingOff, s.MailingOff)
	}
	asked, err := s.asked(ctx, in)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	queued, err := s.Store.QueueSignUp(ctx, now, asked, s.SignUps.limits(now))
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	s.Log.Info("sign-up", "newsletters", len(asked.Subscriber.Subscriptions), "queued", queued)
	return nil
}

// person checks an address and gives the subscriber record it makes.
func (s *Service) person(email string) (store.Subscriber, error) {
	a, err := mail.ParseAddress(email)
	if err != nil {
		return store.Subscriber{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return store.Subscriber{Email: a.String(), Key: s.Key.Address(a.Normal())}, nil
}

// SuppressionKey gives the key under which an address is suppressed.
func (s *Service) SuppressionKey(email string) (string, error) {
	who, err := s.person(email)
	return who.Key, err
}

// Leaving implements People.
func (s *Service) Leaving(ctx context.Context, tok string) (Subscription, error) {
	_, sub, err := s.look(ctx, toUnsubscribe, tok)
	return sub, err
}

// Unsubscribe implements People.
func (s *Service) Unsubscribe(ctx context.Context, tok string, all bool) error {
	c, err := s.Key.Verify(toUnsubscribe, tok, s.Clock.Now())
	if err != nil {
		return ErrToken
	}
	now := s.Clock.Now()
	if all {
		err = s.Store.LeaveAll(ctx, now, c.Subscriber, c.Newsletter, now.Add(-undoWithin))
	} else {
		err = s.Store.Unsubscribe(ctx, now, c.Subscriber, c.Newsletter)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // erased since, or the link of a test mail
	}
	if err != nil {
		return fmt.Errorf("unsubscribe from %s: %w", c.Newsletter, err)
	}
	s.Log.Info("unsubscribed", "newsletter", c.Newsletter, "all", all, "subscriber", c.Subscriber)
	return nil
}

// look gives what a token stands for. A token of somebody erased, or of a
// test mail, has a subscription with nothing but the newsletter.
func (s *Service) look(ctx context.Context, purpose, tok string) (token.Claim, Subscription, error) {
	c, err := s.Key.Verify(purpose, tok, s.Clock.Now())
	if err != nil {
		return c, Subscription{}, ErrToken
	}
	out := Subscription{Newsletter: c.Newsletter, Title: c.Newsletter, Status: store.StatusUnsubscribed}
	if n, err := s.Newsletter(c.Newsletter); err == nil {
		out.Title = n.Title
	}
	who, err := s.Store.Subscriber(ctx, c.Subscriber)
	if errors.Is(err, store.ErrNotFound) {
		if purpose == toConfirm {
			return c, Subscription{}, ErrToken
		}
		return c, out, nil
	}
	if err != nil {
		return c, Subscription{}, fmt.Errorf("look up a subscription: %w", err)
	}
	out.Email, out.Language = who.Email, who.Language
	if purpose == toUnsubscribe {
		out.Email = veiled(who.Email)
	}
	snap := s.Posts()
	for _, sub := range who.Subscriptions {
		if sub.Newsletter == c.Newsletter {
			out.Status, out.Since = sub.Status, sub.CreatedAt
			out.MayReturn = sub.WasActive && sub.Status == store.StatusUnsubscribed && s.Clock.Now().Sub(sub.EndedAt) <= undoWithin
			out.Categories = names(sub.Categories, snap.Categories)
			out.Tags = names(sub.Tags, snap.Tags)
		}
	}
	return c, out, nil
}

// link gives the address of a page of this daemon.
func (s *Service) link(elem ...string) string { return linkFrom(s.Site.BaseURL.String(), elem...) }

func linkFrom(base string, elem ...string) string {
	return strings.TrimSuffix(base, "/") + "/" + escape(elem)
}

func escape(elem []string) string {
	out := make([]string, len(elem))
	for i, e := range elem {
		out[i] = url.PathEscape(e)
	}
	return strings.Join(out, "/")
}
