package newsletter

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tidings/internal/store"
)

// someone stands for the reader of a mail that is shown to nobody in particular.
const someone = "reader@example.org"

// KeptMail gives the mail of an edition that holds the most of its posts, the
// one for the web if there is one; its links are those of a test copy.
func (s *Service) KeptMail(ctx context.Context, e store.Edition) ([]byte, error) {
	groups, err := s.Store.EditionGroups(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("edition %d has no mail: it is %s (%s)", e.ID, e.Status, e.Why())
	}
	return s.keptMail(e, slices.MaxFunc(groups, func(a, b store.Group) int {
		return cmp.Or(cmp.Compare(len(a.PostIDs), len(b.PostIDs)), compareBool(a.Web, b.Web), cmp.Compare(b.Number, a.Number))
	}))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// KeptMailOf is KeptMail for one group.
func (s *Service) KeptMailOf(ctx context.Context, e store.Edition, group int) ([]byte, error) {
	g, err := s.Store.Group(ctx, e.ID, group)
	if err != nil {
		return nil, fmt.Errorf("group %d of edition %d: %w", group, e.ID, err)
	}
	return s.keptMail(e, g)
}

func (s *Service) keptMail(e store.Edition, g store.Group) ([]byte, error) {
	n, err := s.Newsletter(e.Newsletter)
	if err != nil {
		return nil, err
	}
	return s.Rendered(g, n, someone, 0)
}

// KeptMailTo gives the mail of an edition as it went, or is to go, to one
// reader, before it is signed: the same bytes.
func (s *Service) KeptMailTo(ctx context.Context, e store.Edition, email string) ([]byte, error) {
	who, err := FindSubscriber(ctx, s.Store, email)
	if err != nil {
		return nil, fmt.Errorf("subscriber %s: %w", email, err)
	}
	all, err := s.Store.DeliveriesTo(ctx, who.ID, e.Newsletter)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d store.Delivery) bool { return d.EditionID == e.ID && d.Group >= 0 })
	if i < 0 {
		return nil, fmt.Errorf("edition %d has no mail for %s; tidings subscribers explain %s %d says why", e.ID, email, email, e.ID)
	}
	_, msg, _, err := newComposer(s, nil).message(ctx, store.Job{
		DeliveryRef: store.DeliveryRef{EditionID: e.ID, Seq: all[i].Seq}, Newsletter: e.Newsletter,
		SubscriberID: who.ID, Email: who.Email, Group: all[i].Group,
	}, nil)
	return msg, err
}
