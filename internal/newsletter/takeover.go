package newsletter

import (
	"context"
	"errors"
	"fmt"

	"tidings/internal/journal"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// takeOver resolves the claims of senders that died. Their journals tell
// which messages were never sent, which were answered, and which were on the
// wire; only the last are in doubt.
func (s *Sender) takeOver(ctx context.Context) {
	holders, err := s.store.Holders(ctx)
	if err != nil {
		s.troubled(ctx, fmt.Errorf("look for abandoned claims: %w", err))
		return
	}
	for _, h := range holders {
		if h == s.journal.Holder() {
			continue
		}
		if err := s.inherit(ctx, h); err != nil && ctx.Err() == nil {
			s.log.Error("claims of a dead sender could not be taken over", "sender", h, "error", err)
		}
	}
	s.clear(holders)
}

// inherit records what became of a dead holder's claims.
func (s *Sender) inherit(ctx context.Context, holder string) error {
	estate, err := journal.TakeOver(s.cfg.JournalDir, holder)
	if errors.Is(err, journal.ErrLive) {
		return nil
	}
	if err != nil {
		return err
	}
	claims, err := s.store.Claimed(ctx, holder)
	if err != nil {
		return errors.Join(err, estate.Release())
	}
	results := make([]store.Result, len(claims))
	var refused []store.Bounce
	doubts := 0
	for i, c := range claims {
		a := s.resolve(c, estate)
		results[i] = a.result
		if a.bounce != nil {
			refused = append(refused, *a.bounce)
		}
		if a.result.Counted && a.result.State != store.DeliverySent {
			doubts++
		}
	}
	if err := s.store.Record(ctx, s.clock.Now(), holder, results); err != nil {
		return errors.Join(err, estate.Release())
	}
	s.bounces.recordRefused(ctx, refused)
	s.log.Warn("took over from a sender that died", "sender", holder, "claims", len(claims), "in_doubt_or_refused", doubts)
	return estate.Settle()
}

// resolve gives what became of one abandoned claim. Of the relay's answer the
// journal has the code, but not the words.
func (s *Sender) resolve(c store.Job, e *journal.Estate) attempt {
	now := s.clock.Now()
	o, reached := e.Outcomes[attemptKey(c)]
	r := store.Result{DeliveryRef: c.DeliveryRef, Code: o.Code}
	switch {
	case !reached && !e.Lost:
		return attempt{result: giveBack(c, now)}
	case !o.Answered:
		r.Reason = "the sender died before the relay's answer"
		return attempt{result: s.doubt(c, r, now)}
	case o.Code/100 == 2:
		r.State, r.Counted = store.DeliverySent, true
		return attempt{result: r}
	}
	kind := relay.Temporary
	if o.Code/100 == 5 {
		kind = relay.Permanent
	}
	answer := &relay.Error{Phase: relay.PhaseDot, Kind: kind, Reply: relay.Reply{Code: o.Code},
		Err: fmt.Errorf("%d, in words that are not on record", o.Code)}
	return s.settle(c, failureOf(answer), now, false)
}

// clear removes journals of the dead that hold no claims.
func (s *Sender) clear(claiming []string) {
	all, err := journal.Holders(s.cfg.JournalDir)
	if err != nil {
		return // the folder was readable when our own journal was made in it; next time
	}
	busy := map[string]bool{s.journal.Holder(): true}
	for _, h := range claiming {
		busy[h] = true
	}
	for _, h := range all {
		if busy[h] {
			continue
		}
		if e, err := journal.TakeOver(s.cfg.JournalDir, h); err == nil {
			_ = e.Settle() // a stale file does no harm and is found again
		}
	}
}
