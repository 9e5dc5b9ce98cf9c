package newsletter

import (
	"context"
	"errors"
	"fmt"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// A Feed is a reader's private feed: the posts that come to them by mail, to be
// read in a feed reader instead.
type Feed struct {
	Language string               // the reader's; "" if it is not known
	By       []catalog.Expression // a post that any of these chooses is in it
}

// toFeed is the purpose of the tags of private feeds.
const toFeed = "private feed"

// Feed implements People.
func (s *Service) Feed(ctx context.Context, tag string) (Feed, error) {
	numbers, err := s.Key.ReadTag(toFeed, tag)
	if err != nil || len(numbers) != 2 {
		return Feed{}, ErrToken
	}
	who, err := s.Store.Subscriber(ctx, numbers[0])
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && who.Feed != numbers[1]:
		return Feed{}, ErrToken
	case err != nil:
		return Feed{}, fmt.Errorf("look up a private feed: %w", err)
	}
	f := Feed{Language: who.Language, By: s.subscribed(who)}
	if len(f.By) == 0 {
		return Feed{}, ErrToken
	}
	return f, nil
}

// subscribed gives what chooses the posts of each active subscription.
func (s *Service) subscribed(who store.Subscriber) (by []catalog.Expression) {
	renames := s.Posts().Renames()
	for _, sub := range who.Subscriptions {
		n, err := s.Newsletter(sub.Newsletter)
		if err != nil || sub.Status != store.StatusActive {
			continue // it was taken out of the configuration, or they left
		}
		own := Topics{Categories: sub.Categories, Tags: sub.Tags}.present(renames)
		by = append(by, n.Topics.Expression().And(own.Expression()))
	}
	return by
}

// PrivateFeed gives the address of the folder of a person's private feed, with
// feed.xml, atom.xml and feed.json in it; "" if they have none.
func (s *Service) PrivateFeed(who store.Subscriber) string {
	if who.Feed == 0 {
		return ""
	}
	return s.link("feeds", "private", s.Key.Tag(toFeed, who.ID, who.Feed)) + "/"
}

// RenewFeed gives a person a private feed, or another address for the one they
// have; the former address ends.
func (s *Service) RenewFeed(ctx context.Context, subscriber int64) (address string, err error) {
	number, err := s.Store.RenewFeed(ctx, subscriber)
	if err != nil {
		return "", err
	}
	return s.PrivateFeed(store.Subscriber{ID: subscriber, Feed: number}), nil
}

// RevokeFeed ends a person's private feed.
func (s *Service) RevokeFeed(ctx context.Context, subscriber int64) error {
	return s.Store.RevokeFeed(ctx, subscriber)
}
