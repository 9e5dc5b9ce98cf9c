package newsletter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/clock"
	"tidings/internal/journal"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/store"
)

const (
	claimSize   = 200                   // deliveries claimed at a time, at least, while there are so many
	mostOut     = 4 * claimSize         // deliveries claimed and not recorded: work for as long as recording and claiming take
	commitEvery = 10 * time.Millisecond // results are recorded in groups
	commitMost  = 500
	lookEvery   = time.Second // for what another process planned
	lookLeast   = 50 * time.Millisecond
	wireWithin  = 25 * time.Second // for messages on the wire at shutdown
	drainWithin = 27 * time.Second // for what became of them to be recorded, too
	seekEvery   = 5 * time.Second  // for claims of dead processes
	retryCommit = time.Second      // after a failed write to the database
)

// SenderConfig is a Sender's settings.
type SenderConfig struct {
	Connections int
	MaxMessages int        // over one connection; 0: no limit
	Pace        *pace.Gate // shared with the Messenger; nil: one without limits
	RetryBase   time.Duration
	MaxAttempts int // 0: no limit but the edition's expiry
	JournalDir  string
	// Lease is for how long claims are a Sender's own where others cannot see
	// its journal; 0: everybody sees everybody's. All Senders of a database
	// agree on it.
	Lease time.Duration
}

// A Sender sends what is due: claims deliveries, hands them to the relay over
// several connections and records what became of each. Several Senders, in
// one process or many, share the work of one database.
type Sender struct {
	cfg     SenderConfig
	store   store.Store
	relay   relay.Relay
	compose *composer
	clock   clock.Clock
	log     *slog.Logger
	pace    *pace.Gate
	metrics *Metrics
	bounces *Bounces

	journal *journal.Journal
	lines   lines
	jobs    chan store.Job
	warm    chan store.Job // for workers that have a connection and nothing to do
	results chan attempt
	wake    chan struct{}
	hunger  appetite
	lease   lease
	window  chan struct{} // one for each mail that may have been sent and is not recorded; nil: no limit
	letGo   func()        // ends keeping the lease
	keeping sync.WaitGroup
	trouble atomic.Pointer[error] // why nothing is sent at present
}

// An attempt is what one try at a delivery came to.
type attempt struct {
	key    journal.Key // zero Edition: the dot was not reached
	result store.Result
	bounce *store.Bounce // what it adds to the reader's bounces; nil: nothing
	room   bool          // it takes room in the window
}

// NewSender makes a Sender; sign may be nil, and so may metrics.
func NewSender(s *Service, c SenderConfig, r relay.Relay, sign func([]byte) ([]byte, error), m *Metrics) *Sender {
	if m == nil {
		m = NewMetrics(nil)
	}
	if c.Pace == nil {
		c.Pace = pace.New(pace.Config{Connections: c.Connections}, s.Store, s.Clock, s.Log)
	}
	compose := newComposer(s, sign)
	compose.sends = true
	return &Sender{
		cfg: c, store: s.Store, relay: r, clock: s.Clock, log: s.Log, metrics: m,
		compose: compose,
		pace:    c.Pace,
		bounces: NewBounces(s, m),
		wake:    make(chan struct{}, 1),
		lines:   lines{workers: c.Connections},
		hunger:  newAppetite(c),
		lease:   lease{length: c.Lease},
		window:  newWindow(c),
	}
}

// Wake makes the Sender look for work at once.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Healthy gives why nothing can be sent at present; nil if it can.
func (s *Sender) Healthy() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return s.lapsed()
}

// Run is RunUntil where both ends are one.
func (s *Sender) Run(ctx context.Context) error { return s.RunUntil(ctx, ctx) }

// RunUntil sends until ctx ends. Then it gives back what is not begun, and
// finishes what is on the wire, however long that takes, unless stop ends: then
// it is cut off after wireWithin.
func (s *Sender) RunUntil(ctx, stop context.Context) error {
	if err := s.enlist(ctx); err != nil {
		return nil // told to stop before the disk had room for it
	}
	s.jobs, s.warm = make(chan store.Job, mostOut), make(chan store.Job)
	s.results = make(chan attempt, commitMost)

	wire, cut := after(stop, wireWithin)
	defer cut()
	var workers sync.WaitGroup
	for range s.cfg.Connections {
		workers.Go((&worker{Sender: s, begin: ctx, wire: wire}).run)
	}
	go func() { workers.Wait(); close(s.results) }()

	stopped := s.dispatch(ctx)
	close(s.jobs)
	return s.drain(stop, stopped)
}

// after gives a context that ends some time after ctx has.
func after(ctx context.Context, d time.Duration) (later context.Context, cancel func()) {
	later, end := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(d, end) })
	return later, func() { forget(); end() }
}

// openJournal makes the journal. A full disk keeps mails back, but not the
// rest of the daemon: it tries until ctx ends.
func (s *Sender) openJournal(ctx context.Context) error {
	for ctx.Err() == nil {
		j, err := journal.Create(s.cfg.JournalDir)
		if err == nil {
			s.journal = j
			s.recovered()
			return nil
		}
		s.troubled(ctx, err)
	}
	return ctx.Err()
}

// dispatch records results and keeps the workers in work until ctx ends. It
// gives the results it could not record.
func (s *Sender) dispatch(ctx context.Context) []attempt {
	var unrecorded []attempt
	out := 0 // jobs handed out whose results are not recorded
	var sought time.Time
	for ctx.Err() == nil {
		if s.lease.fenced() && out == 0 {
			if s.anew(ctx) != nil {
				break
			}
		}
		if time.Since(sought) >= s.seekEvery() {
			s.takeOver(ctx)
			sought = time.Now()
		}
		s.agree(ctx)
		wait := lookEvery
		if err := s.journal.Keep(); err != nil {
			s.troubled(ctx, err)
		} else if s.hunger.hungry(out) && len(unrecorded) == 0 && s.lease.valid() {
			var n int
			n, wait = s.claim(ctx, s.hunger.limit()-out)
			out += n
		}
		got := s.await(ctx, wait)
		unrecorded = append(unrecorded, got...)
		if len(unrecorded) > 0 && s.record(ctx, unrecorded) {
			out -= len(unrecorded)
			s.hunger.recorded(len(unrecorded), time.Now())
			unrecorded = unrecorded[:0]
		}
	}
	return unrecorded
}

// seekEvery is how often claims of the dead are looked for.
func (s *Sender) seekEvery() time.Duration {
	if s.lease.length == 0 {
		return seekEvery
	}
	return min(seekEvery, s.lease.part(renewAfter))
}

// agree tells other processes what this one found not to work, and learns from
// them.
func (s *Sender) agree(ctx context.Context) {
	if err := s.pace.Sync(ctx); err != nil && ctx.Err() == nil {
		s.log.Debug("circuits are not shared at present", "error", err) // the next claim says what is wrong
	}
}

// await waits for results, a wake-up or some time, and gathers what comes
// within commitEvery of the first result.
func (s *Sender) await(ctx context.Context, wait time.Duration) []attempt {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-timer.C:
		return nil
	case <-s.wake:
		return nil
	case a := <-s.results:
		return s.gather(a)
	}
}

func (s *Sender) gather(first attempt) []attempt {
	batch := []attempt{first}
	timer := time.NewTimer(commitEvery)
	defer timer.Stop()
	for len(batch) < commitMost {
		select {
		case a, more := <-s.results:
			if !more {
				return batch
			}
			batch = append(batch, a)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

// claim hands out due deliveries, at most so many, and gives their number and
// when to look for more.
func (s *Sender) claim(ctx context.Context, most int) (n int, wait time.Duration) {
	most, except := s.pace.Claimable(most)
	if most == 0 {
		return 0, s.until(s.pace.Until(""))
	}
	within, cancel := s.lease.within(ctx)
	defer cancel()
	jobs, err := s.store.Claim(within, s.clock.Now(), s.journal.Holder(), most, except...)
	if errors.Is(err, store.ErrFenced) {
		return 0, lookEvery // the lease says so too
	}
	if err != nil {
		s.troubled(ctx, err)
		return 0, lookEvery
	}
	s.recovered()
	for _, j := range jobs {
		s.jobs <- j // never blocks: there is room for mostOut
	}
	if len(jobs) == most {
		return len(jobs), lookEvery
	}
	next, pending, err := s.store.NextDue(ctx)
	if err != nil || !pending || len(except) > 0 && !next.After(s.clock.Now()) {
		return len(jobs), lookEvery // the next claim says what is wrong; what is left out is due all the time
	}
	return len(jobs), s.until(next)
}

// until gives how long to wait for an instant, lookEvery at most.
func (s *Sender) until(at time.Time) time.Duration {
	return min(max(s.clock.Real(at.Sub(s.clock.Now())), lookLeast), lookEvery)
}

// record commits results; false if the database refused them. Then nothing
// more is sent until they are recorded.
func (s *Sender) record(ctx context.Context, batch []attempt) bool {
	results := make([]store.Result, len(batch))
	for i, a := range batch {
		results[i] = a.result
	}
	within, cancel := s.lease.within(ctx)
	defer cancel()
	if err := s.store.Record(within, s.clock.Now(), s.journal.Holder(), results); err != nil {
		s.troubled(ctx, err)
		return false
	}
	s.recovered()
	s.makeRoom(batch)
	var done []journal.Key
	var refused []store.Bounce
	for _, a := range batch {
		s.metrics.delivery(a.result.State)
		if a.key.Edition != 0 {
			done = append(done, a.key)
		}
		if a.bounce != nil {
			refused = append(refused, *a.bounce)
		}
	}
	s.journal.Forget(done)
	s.bounces.recordRefused(ctx, refused)
	return true
}

// troubled stops sending until the database works again.
func (s *Sender) troubled(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if s.trouble.Swap(&err) == nil {
		s.log.Error("sending stopped until this is mended", "error", err)
	}
	_ = s.clock.Sleep(ctx, retryCommit) // ends early with ctx, which the caller sees
}

func (s *Sender) recovered() {
	if s.trouble.Swap(nil) != nil {
		s.log.Info("sending resumed")
	}
}

// drain records what the workers still bring and gives up the journal. What
// cannot be recorded stays in the journal for the next process.
func (s *Sender) drain(stop context.Context, unrecorded []attempt) error {
	ctx, cancel := after(stop, drainWithin)
	defer cancel()
	s.agree(ctx) // a probe that was not made is not to be waited for
	for a := range s.results {
		unrecorded = s.settled(ctx, append(unrecorded, s.gather(a)...))
	}
	for len(unrecorded) > 0 && ctx.Err() == nil {
		unrecorded = s.settled(ctx, unrecorded)
	}
	s.agree(ctx)
	if n := len(unrecorded); n > 0 {
		s.lapse()
		return errors.Join(fmt.Errorf("%d results are not in the database, but in the journal; the next start records them", n), s.journal.Abandon())
	}
	s.delist(ctx)
	return s.journal.Close()
}

// settled records results, and gives those it could not.
func (s *Sender) settled(ctx context.Context, batch []attempt) []attempt {
	if s.record(ctx, batch) {
		return nil
	}
	return batch
}
