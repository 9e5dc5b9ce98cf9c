// Package websub tells hubs which feeds changed, so that their subscribers
// need not ask (W3C WebSub, the publisher's side). What a hub knows is kept in
// the database: whatever happens between a change and its announcement, the
// hub is told in the end, and not twice of one change. It neither serves feeds
// nor decides what changed.
package websub

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/store"
)

// A Topic is one feed document.
type Topic struct {
	Path string
	URL  string // public address, which subscribers know the feed by
	Hash string // of its bytes
}

// Deps is what a Publisher works with.
type Deps struct {
	Store  store.Hubs
	Topics func() []Topic    // those that are public now
	Client http.RoundTripper // nil: http.DefaultTransport
	Log    *slog.Logger
	Reg    prometheus.Registerer // nil: no metrics
}

// A Publisher announces changes to its hubs.
type Publisher struct {
	Deps
	hubs  []*hub
	pings *prometheus.CounterVec
}

// Pauses of a publisher.
const (
	quiet     = time.Second // after a change, for others that come with it
	firstWait = 10 * time.Second
	longest   = time.Hour
	patience  = 30 * time.Second // with one request
)

// New gives a publisher for the hubs, which are addresses.
func New(hubs []string, d Deps) *Publisher {
	p := &Publisher{Deps: d, pings: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tidings_hub_pings_total", Help: "Announcements of changed feeds to WebSub hubs, by result.",
	}, []string{"result"})}
	for _, result := range []string{"sent", "refused", "failed"} {
		p.pings.WithLabelValues(result) // an alarm needs the zero
	}
	if d.Reg != nil {
		d.Reg.MustRegister(p.pings)
	}
	client := &http.Client{Transport: d.Client, Timeout: patience, CheckRedirect: stay}
	for _, address := range hubs {
		p.hubs = append(p.hubs, &hub{address: address, client: client, wake: make(chan struct{}, 1)})
	}
	return p
}

// Changed says that topics may have changed. It does not wait.
func (p *Publisher) Changed() {
	for _, h := range p.hubs {
		select {
		case h.wake <- struct{}{}:
		default: // it is going to look anyway
		}
	}
}

// Run announces changes until ctx ends, and then returns nil. Each hub has its
// own pace: one that is out of reach does not keep the others waiting.
func (p *Publisher) Run(ctx context.Context) error {
	done := make(chan struct{})
	for _, h := range p.hubs {
		go func() {
			defer func() { done <- struct{}{} }()
			p.serve(ctx, h)
		}()
	}
	for range p.hubs {
		<-done
	}
	<-ctx.Done() // also without a hub
	return nil
}

// serve tells one hub of every change. What changed while nobody ran is told
// at once.
func (p *Publisher) serve(ctx context.Context, h *hub) {
	for failed := 0; ctx.Err() == nil; {
		err := p.catchUp(ctx, h)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed++
			wait := max(pause(failed), retryAfter(err))
			p.Log.Warn("a hub was not told of all changed feeds; it will be tried again", "hub", h.address, "in", wait.Round(time.Second), "error", err)
			h.rest(ctx, wait)
			continue
		case failed > 0:
			p.Log.Info("a hub knows all changed feeds again", "hub", h.address)
			failed = 0
		}
		select {
		case <-ctx.Done():
		case <-h.wake:
			sleep(ctx, quiet)
		}
	}
}

// rest waits before a hub is tried again. A change cuts that short if the hub
// answers and there are only topics that it has trouble with.
func (h *hub) rest(ctx context.Context, wait time.Duration) {
	wake := h.wake
	if h.down {
		wake = nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
		sleep(ctx, quiet)
	}
}

// pause is how long to wait after so many failures in a row. It grows, and is
// never quite the same, so that a hub that comes back is not overrun.
func pause(failed int) time.Duration {
	d := min(firstWait<<min(failed-1, 16), longest)
	return d/2 + rand.N(d/2)
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// hopeless is how many failures in a row show that a hub is down.
const hopeless = 3

// catchUp tells a hub of every topic that it knows in another form. What was
// said is kept at once: nothing is said twice after an interruption. A topic
// that the hub has trouble with does not keep the others from it.
func (p *Publisher) catchUp(ctx context.Context, h *hub) error {
	topics := p.Topics()
	if err := p.recall(ctx, h, topics); err != nil {
		return err
	}
	var first error
	inARow := 0
	h.down = false
	for _, t := range h.due(topics) {
		err := p.announce(ctx, h, t)
		if err == nil {
			if err := p.remember(ctx, h, t); err != nil {
				return err
			}
			inARow = 0
			continue
		}
		if first == nil {
			first = err
		}
		h.last = t.Path
		if inARow++; inARow == hopeless || retryAfter(err) > 0 || ctx.Err() != nil {
			h.down = true
			return first
		}
	}
	return first
}

// due gives what a hub is to be told, from behind the topic that failed last,
// so that all have their turn.
func (h *hub) due(topics []Topic) []Topic {
	var before, behind []Topic
	for _, t := range topics {
		switch {
		case h.told[t.Path] == t.Hash:
		case t.Path <= h.last:
			before = append(before, t)
		default:
			behind = append(behind, t)
		}
	}
	byPath := func(a, b Topic) int { return cmp.Compare(a.Path, b.Path) }
	slices.SortFunc(before, byPath)
	slices.SortFunc(behind, byPath)
	return append(behind, before...)
}

// recall loads what a hub was told. One that is new has no subscribers yet, so
// it need not be told what is there already.
func (p *Publisher) recall(ctx context.Context, h *hub, topics []Topic) error {
	if h.told != nil || len(topics) == 0 {
		return nil
	}
	told, err := p.Store.LoadAnnounced(ctx, h.address)
	if err != nil {
		return err
	}
	if len(told) > 0 {
		h.told = told
		return nil
	}
	known := make(map[string]string, len(topics))
	for _, t := range topics {
		known[t.Path] = t.Hash
	}
	if err := p.Store.SaveAnnounced(context.WithoutCancel(ctx), h.address, known); err != nil {
		return err
	}
	h.told = known
	return nil
}

func (p *Publisher) remember(ctx context.Context, h *hub, t Topic) error {
	if err := p.Store.SaveAnnounced(context.WithoutCancel(ctx), h.address, map[string]string{t.Path: t.Hash}); err != nil {
		return err
	}
	h.told[t.Path] = t.Hash
	return nil
}

// announce tells a hub of one topic. A hub that refuses it for good has been
// told.
func (p *Publisher) announce(ctx context.Context, h *hub, t Topic) error {
	err := h.ping(ctx, t.URL)
	switch {
	case err == nil:
		p.pings.WithLabelValues("sent").Inc()
		p.Log.Debug("a hub was told of a changed feed", "hub", h.address, "topic", t.URL)
	case errors.Is(err, errRefused):
		p.pings.WithLabelValues("refused").Inc()
		p.Log.Warn("a hub does not take a changed feed", "hub", h.address, "topic", t.URL, "error", err)
		err = nil
	default:
		p.pings.WithLabelValues("failed").Inc()
	}
	return err
}
