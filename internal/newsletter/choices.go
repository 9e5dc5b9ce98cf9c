package newsletter

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/mail"
	"tidings/internal/store"
)

// Offers gives the frequencies that readers may choose, the newsletter's own
// schedule first.
func (n Newsletter) Offers() []string {
	return slices.DeleteFunc(slices.Clone(store.Cadences), func(f string) bool { return !n.offers(f) })
}

// asked checks what a visitor asks for, every field of it, and gives what is
// kept of it.
func (s *Service) asked(ctx context.Context, in SignUp) (store.SignUp, error) {
	faults := FieldErrors{}
	note := func(field string, err error) {
		if err != nil {
			faults[field] = err
		}
	}
	who, err := s.wanting(in.Email)
	note(FieldEmail, err)
	letters, err := s.chosen(in.Newsletters)
	note(FieldNewsletter, err)
	note(FieldTopics, s.checkTopics(in))
	note(FieldHour, checkHour(in.Hour))
	note(FieldZone, checkZone(in.Timezone))
	note(FieldFormat, checkFormat(in.Format))
	who.Kind, who.Network, who.Form = store.AskSignUp, s.network(ctx), in.Form
	who.Subscriber.Language, who.Subscriber.Timezone, who.Subscriber.Format = in.Language, in.Timezone, in.Format
	for _, n := range letters {
		sub, err := s.wanted(n, in)
		note(FieldFrequency, err)
		who.Subscriber.Subscriptions = append(who.Subscriber.Subscriptions, sub)
	}
	if len(faults) > 0 {
		return store.SignUp{}, faults
	}
	return who, nil
}

// checkTopics refuses a topic that the site does not have: its name would be
// the visitor's own words, in a mail to whomsoever.
func (s *Service) checkTopics(in SignUp) error {
	snap := s.Posts()
	for _, kind := range []struct {
		named []string
		terms []*catalog.Term
	}{{in.Categories, snap.Categories}, {in.Tags, snap.Tags}} {
		for _, key := range resolve(kind.named, kind.terms) {
			if !slices.ContainsFunc(kind.terms, func(t *catalog.Term) bool { return t.Key == key }) {
				return ErrTopic
			}
		}
	}
	return nil
}

// wanting is visitor for who wants newsletters, which not every address may.
func (s *Service) wanting(email string) (store.SignUp, error) {
	who, err := s.visitor(email)
	if err != nil {
		return who, err
	}
	a, err := mail.ParseAddress(email)
	if err != nil {
		return who, err
	}
	return who, s.SignUps.refuse(a)
}

// network is the keyed hash of where a visitor comes from; "" if that is not
// known.
func (s *Service) network(ctx context.Context) string {
	network := store.OriginOf(ctx).Network
	if network == "" {
		return ""
	}
	return s.Key.Address("network " + network)
}

// visitor checks the address of somebody who fills in a form.
func (s *Service) visitor(email string) (store.SignUp, error) {
	who, err := s.person(email)
	if err != nil {
		return store.SignUp{}, err
	}
	a, err := mail.ParseAddress(email)
	if err != nil {
		return store.SignUp{}, err
	}
	return store.SignUp{Subscriber: who, Mailbox: s.Key.Address("mailbox " + a.Mailbox())}, nil
}

// chosen finds newsletters by name; none named means the only one.
func (s *Service) chosen(names []string) ([]Newsletter, error) {
	if len(names) == 0 {
		names = []string{""}
	}
	var letters []Newsletter
	for _, name := range names {
		n, err := s.Newsletter(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(letters, func(l Newsletter) bool { return l.Name == n.Name }) {
			letters = append(letters, n)
		}
	}
	return letters, nil
}

// wanted makes the subscription to one newsletter.
func (s *Service) wanted(n Newsletter, in SignUp) (store.Subscription, error) {
	snap, offers := s.Posts(), n.Offers()
	sub := store.Subscription{
		Newsletter: n.Name,
		Status:     store.StatusPending,
		Categories: resolve(in.Categories, snap.Categories),
		Tags:       resolve(in.Tags, snap.Tags),
		Frequency:  in.Frequency,
	}
	if sub.Frequency == "" {
		sub.Frequency = offers[0]
	}
	if !slices.Contains(offers, sub.Frequency) {
		return sub, fmt.Errorf("%w: %s comes as %s", ErrFrequency, n.Title, strings.Join(offers, ", "))
	}
	if HasHour(sub.Frequency) {
		sub.Hour = in.Hour
	}
	return sub, nil
}

// HasHour reports whether a reader of that frequency chooses an hour.
func HasHour(frequency string) bool { return store.ByHour(frequency) }

func checkHour(hour string) error {
	n, err := strconv.Atoi(hour)
	if hour != "" && (err != nil || n < 0 || n > 23 || strconv.Itoa(n) != hour) {
		return ErrHour
	}
	return nil
}

// longestZone is more than the name of any zone has.
const longestZone = 64

func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > longestZone {
		return ErrZone
	}
	return nil
}

func checkFormat(format string) error {
	switch format {
	case "", store.FormatHTML, store.FormatText:
		return nil
	}
	return ErrFormat
}
