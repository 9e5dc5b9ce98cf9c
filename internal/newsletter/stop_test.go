package newsletter_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

// A silentRelay takes messages and never answers.
type silentRelay struct{ at chan string }

func (r silentRelay) Connect(context.Context) (relay.Conn, error) { return &silentConn{r, false}, nil }

type silentConn struct {
	silentRelay
	cut bool
}

func (c *silentConn) Announce(relay.Envelope, []byte) {}
func (c *silentConn) Usable() bool                    { return !c.cut }
func (c *silentConn) Close() error                    { return nil }

func (c *silentConn) Send(ctx context.Context, env relay.Envelope, _ []byte, atDot func() error) (relay.Reply, error) {
	if err := atDot(); err != nil {
		return relay.Reply{}, &relay.Error{Phase: relay.PhaseDot, Kind: relay.Unavailable, Err: err}
	}
	c.at <- env.To
	<-ctx.Done()
	c.cut = true
	return relay.Reply{}, &relay.Error{Phase: relay.PhaseDot, Kind: relay.InDoubt, Err: ctx.Err()}
}

// A lockedStore cannot be written while another process has the lock.
type lockedStore struct {
	store.Store
	locked bool
}

func (s *lockedStore) Record(ctx context.Context, now time.Time, holder string, rs []store.Result) error {
	if !s.locked {
		return s.Store.Record(ctx, now, holder, rs)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Second):
		return store.ErrLocked
	}
}

// TestTheEndComesInTime stops a sender while the relay does not answer and the
// database is locked.
func TestTheEndComesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, weekly())
		h.Clock = clock.Clock{}
		db := &lockedStore{Store: h.Store}
		h.Store = db
		h.readers(5, "")
		h.publish("one", time.Now())
		h.plan(weekly())
		r := silentRelay{make(chan string)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.sender(r, func(c *newsletter.SenderConfig) { c.Connections = 1 }).Run(ctx) }()
		<-r.at
		db.locked = true
		begun := time.Now()
		stop()
		if err := <-done; err == nil {
			t.Error("what is not recorded was not told of")
		}
		if took := time.Since(begun); took > 28*time.Second || took < 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestAReloadCutsNothing tells a sender to begin no more: it waits for the
// answer, however long that takes, until the process is to stop.
func TestAReloadCutsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, weekly())
		h.Clock = clock.Clock{}
		h.readers(1, "")
		h.publish("one", time.Now())
		h.plan(weekly())
		r := silentRelay{make(chan string)}
		ctx, reload := context.WithCancel(t.Context())
		all, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.sender(r).RunUntil(ctx, all) }()
		<-r.at
		reload()
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		select {
		case <-done:
			t.Error("the answer was not waited for")
		default:
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
