package newsletter

import (
	"context"
	"errors"
	"sync"
	"time"

	"tidings/internal/store"
)

// A lease is for how long a Sender may take its claims for its own. Others, who
// cannot see whether it lives, wait for its end by the database's clock; the
// Sender itself stops well before, by a clock that nobody sets.
type lease struct {
	length time.Duration // 0: others see whether the Sender lives

	mu    sync.Mutex
	since time.Time // when it was last asked for, before the database was
	lost  bool      // others have taken over
}

// Of a lease's length: when it is renewed, how long the database may take for
// one thing, and when the last mail is put on the wire without a renewal.
const (
	renewAfter  = 0.2
	answerAfter = 0.3
	cutAfter    = 0.6
)

// part gives a part of the lease's length.
func (l *lease) part(f float64) time.Duration { return time.Duration(f * float64(l.length)) }

// valid reports whether a mail may be put on the wire. Where the machine slept,
// its monotonic clock may have slept too; the other one has not.
func (l *lease) valid() bool {
	if l.length == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	most := l.part(cutAfter)
	return !l.lost && now.Sub(l.since) < most && now.Round(0).Sub(l.since.Round(0)) < most
}

func (l *lease) fenced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// within bounds how long one thing may take in the database.
func (l *lease) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.length == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, l.part(answerAfter))
}

// renew begins or renews the lease of a holder.
func (l *lease) renew(ctx context.Context, db store.Leases, holder string, begin bool) error {
	if l.length == 0 {
		return nil
	}
	asked := time.Now()
	ctx, cancel := l.within(ctx)
	defer cancel()
	err := db.KeepLease(ctx, holder, l.length, begin)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.since, l.lost = asked, false
	case errors.Is(err, store.ErrFenced):
		l.lost = true
	}
	return err
}

// keepLease renews the lease until ctx ends, or until it is lost.
func (s *Sender) keepLease(ctx context.Context, holder string) {
	tick := time.NewTicker(s.lease.part(renewAfter))
	defer tick.Stop()
	for !s.lease.fenced() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.lease.renew(ctx, s.store, holder, false); err != nil && ctx.Err() == nil {
			s.log.Warn("a lease could not be renewed", "sender", holder, "error", err)
		}
	}
	s.Wake()
}

// errLapsed is why nothing is sent without a lease.
var errLapsed = errors.New("the database was not reached in time: other senders may take over what this one has claimed, so nothing more is sent until it is reached again")

// enlist makes a journal and begins the lease of its holder.
func (s *Sender) enlist(ctx context.Context) error {
	if err := s.openJournal(ctx); err != nil || s.lease.length == 0 {
		return err
	}
	holder := s.journal.Holder()
	for {
		err := s.lease.renew(ctx, s.store, holder, true)
		if err == nil {
			break
		}
		if s.troubled(ctx, err); ctx.Err() != nil {
			return errors.Join(ctx.Err(), s.journal.Close())
		}
	}
	s.recovered()
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.letGo = stop
	s.keeping.Go(func() { s.keepLease(keep, holder) })
	return nil
}

// delist ends the lease of a holder without claims. One that cannot be ended now
// ends by itself.
func (s *Sender) delist(ctx context.Context) {
	if s.lease.length == 0 {
		return
	}
	s.lapse()
	ctx, cancel := s.lease.within(ctx)
	defer cancel()
	if err := s.store.EndLease(ctx, s.journal.Holder()); err != nil {
		s.log.Debug("a lease was not ended", "sender", s.journal.Holder(), "error", err)
	}
}

// lapse keeps the lease no more.
func (s *Sender) lapse() {
	if s.lease.length > 0 {
		s.letGo()
		s.keeping.Wait()
	}
}

// anew takes another name after others have taken over from this one, once all
// that it knew is recorded.
func (s *Sender) anew(ctx context.Context) error {
	s.log.Warn("others took over from this sender, which goes on under another name", "sender", s.journal.Holder())
	s.delist(ctx)
	if err := s.journal.Close(); err != nil {
		s.log.Error("the journal of the former name stays", "error", err)
	}
	return s.enlist(ctx)
}

// fence reports whether the claims of a holder may be taken over who left no
// journal here, or lives, as far as can be told from here.
func (s *Sender) fence(ctx context.Context, holder string) (bool, error) {
	if s.lease.length == 0 {
		return false, nil
	}
	return s.store.Fence(ctx, holder, s.lease.length)
}

// mostUnrecorded is how many mails may be sent whose results are not in the
// database, for each connection and at least: should this machine be lost, these
// are the copies that readers may get.
const (
	mostUnrecorded  = 4
	leastUnrecorded = 64
)

// room waits until one more mail may be sent; false if that is not to be.
func (w *worker) room() bool {
	if w.window == nil {
		return true
	}
	select {
	case w.window <- struct{}{}:
		return true
	case <-w.begin.Done():
		return false
	}
}

// makeRoom is for attempts whose results are recorded.
func (s *Sender) makeRoom(batch []attempt) {
	for _, a := range batch {
		if a.room {
			<-s.window
		}
	}
}

func newWindow(c SenderConfig) chan struct{} {
	if c.Lease == 0 {
		return nil
	}
	return make(chan struct{}, max(leastUnrecorded, mostUnrecorded*c.Connections))
}

// lapsed says that a lease could not be kept.
func (s *Sender) lapsed() error {
	if s.lease.valid() {
		return nil
	}
	return errLapsed
}
