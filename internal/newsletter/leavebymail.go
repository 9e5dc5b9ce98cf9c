package newsletter

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"tidings/internal/bounce"
	"tidings/internal/store"
)

// leaving is the purpose of the tags in addresses that end a subscription.
const leaving = "leave by mail"

// leaveAddress gives the address to which a mail ends one reader's subscription
// (RFC 2369 §3.2); "" where nobody reads what comes back.
func (s *Service) leaveAddress(subscriber int64, newsletter string) string {
	if s.ReturnPath == "" {
		return ""
	}
	return s.returnPath("", s.Key.Tag(leaving, subscriber, number(newsletter)))
}

// number stands for a newsletter in a tag, which holds numbers alone.
func number(newsletter string) int64 {
	h := fnv.New32a()
	h.Write([]byte(newsletter))
	return int64(h.Sum32())
}

// leaver gives whom an address, that leaveAddress made, takes off which
// newsletter; ok is false for all others.
func (s *Service) leaver(address string) (subscriber int64, newsletter string, ok bool) {
	numbers, err := s.Key.ReadTag(leaving, s.tagOf(address))
	if err != nil || len(numbers) != 2 {
		return 0, "", false
	}
	for _, n := range s.Newsletters {
		if number(n.Name) == numbers[1] {
			return numbers[0], n.Name, true
		}
	}
	return 0, "", false
}

// ReportLeft is what became of a mail that ended a subscription.
const ReportLeft = "left"

// leave ends a subscription by a mail to its address. Whoever knows that has
// the mail it stands in; but an answer that a program gives to everything, or a
// mail that comes back, is nobody's word.
func (b *Bounces) leave(ctx context.Context, subscriber int64, newsletter string, report bounce.Report) (Verdict, error) {
	v := Verdict{Kind: report.Kind}
	if report.Kind != bounce.Other {
		return b.ignore(v, "it is no mail of a person who wants to leave"), nil
	}
	ctx = store.WithOrigin(ctx, store.Origin{Source: "mail"})
	who, err := b.service.Store.Subscriber(ctx, subscriber)
	if err == nil {
		err = b.service.Store.Unsubscribe(ctx, b.service.Clock.Now(), subscriber, newsletter)
	}
	if errors.Is(err, store.ErrNotFound) {
		return b.ignore(v, "its reader was erased"), nil
	}
	if err != nil {
		return v, fmt.Errorf("unsubscribe from %s: %w", newsletter, err)
	}
	v.Email, v.Result = who.Email, ReportLeft
	b.metrics.report(v.Result)
	b.service.Log.Info("unsubscribed by mail", "newsletter", newsletter, "subscriber", subscriber)
	return v, nil
}
