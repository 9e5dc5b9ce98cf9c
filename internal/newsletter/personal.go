package newsletter

import (
	"context"
	"errors"
	"fmt"

	"tidings/internal/digest"
	"tidings/internal/relay"
	"tidings/internal/store"
	"tidings/internal/token"
)

// personalMail makes a mail that somebody asked for on a page.
func (s *Service) personalMail(ctx context.Context, n store.Notice) (relay.Envelope, []byte, error) {
	letter, err := s.Newsletter(n.Newsletter)
	if err != nil {
		return relay.Envelope{}, nil, err
	}
	who, err := s.Store.Subscriber(ctx, n.SubscriberID)
	if errors.Is(err, store.ErrNotFound) {
		return relay.Envelope{}, nil, ErrToken // erased meanwhile
	}
	if err != nil {
		return relay.Envelope{}, nil, err
	}
	claim, err := s.personalClaim(who, n)
	if err != nil {
		return relay.Envelope{}, nil, err
	}
	msg, err := s.Templates.Personal(digest.PersonalInput{
		Kind: n.Kind, Site: s.site(), Newsletter: s.masthead(letter), Base: s.Site.BaseURL.String(),
		Date: n.CreatedAt, ValidUntil: claim.Expires, Location: s.zoneOf(who.Timezone), Language: who.Language,
	})
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("compose notice %d: %w", n.ID, err)
	}
	return s.fill(letter, msg, n, digest.SlotLink, s.Key.Sign(claim))
}

// personalClaim is what the link of a notice stands for.
func (s *Service) personalClaim(who store.Subscriber, n store.Notice) (token.Claim, error) {
	if n.Kind != store.NoticeAddress {
		return linkClaim(who, n.CreatedAt), nil
	}
	next, err := s.person(who.NextEmail)
	if err != nil {
		return token.Claim{}, ErrToken // it was changed meanwhile
	}
	return moveClaim(who.ID, next.Key, n.CreatedAt), nil
}
