package newsletter

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	s.clear(ctx, holders)
}

// inherit records what became of a dead holder's claims. A holder whose journal
// is not here, or who does not let go of it, is dead once its lease is over; then
// nobody knows what it has sent, until it tells.
func (s *Sender) inherit(ctx context.Context, holder string) error {
	ctx, cancel := s.lease.within(ctx)
	defer cancel()
	estate, err := journal.TakeOver(s.cfg.JournalDir, holder)
	if away := errors.Is(err, journal.ErrLive) || err == nil && estate.Gone() && s.lease.length > 0; away {
		if fenced, err := s.fence(ctx, holder); err != nil || !fenced {
			return err
		}
		return s.execute(ctx, holder, &journal.Estate{Lost: true}, s.store.Claimed, s.store.Inherit)
	}
	if err != nil {
		return err
	}
	if err := s.execute(ctx, holder, estate, s.store.Claimed, s.store.Record); err != nil {
		return err
	}
	s.bury(ctx, holder, estate)
	return nil
}

// execute resolves claims of a holder by what it left, and records that.
func (s *Sender) execute(ctx context.Context, holder string, estate *journal.Estate,
	claimed func(context.Context, string) ([]store.Job, error),
	record func(context.Context, time.Time, string, []store.Result) error) error {
	claims, err := claimed(ctx, holder)
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
	if err := record(ctx, s.clock.Now(), holder, results); err != nil {
		return errors.Join(err, estate.Release())
	}
	s.bounces.recordRefused(ctx, refused)
	s.log.Warn("took over from a sender that died", "sender", holder, "claims", len(claims), "in_doubt_or_refused", doubts)
	return nil
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

// clear removes journals of the dead that hold no claims. From some of them
// others have taken over before somebody could look here; now they tell.
func (s *Sender) clear(ctx context.Context, claiming []string) {
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
			s.bury(ctx, h, e)
		}
	}
}

// bury removes the journal of a dead holder that has no claims, once what it
// tells is on record.
func (s *Sender) bury(ctx context.Context, holder string, e *journal.Estate) {
	if s.lease.length > 0 {
		ctx, cancel := s.lease.within(ctx)
		defer cancel()
		disputed, err := s.store.Inherited(ctx, holder)
		if err == nil && len(disputed) > 0 {
			err = s.execute(ctx, holder, e, s.store.Inherited, s.store.Record)
		}
		if err == nil {
			err = s.store.EndLease(ctx, holder)
		}
		if err != nil {
			s.log.Error("what a dead sender knew could not be recorded; trying again", "sender", holder, "error", err)
			_ = e.Release() // an error of closing what was only read
			return
		}
	}
	_ = e.Settle() // a stale file does no harm and is found again
}
