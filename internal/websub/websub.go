// Package websub tells hubs which feeds changed, so that their subscribers
// need not ask (W3C WebSub, the publisher's side). What a hub knows is kept in
// the database: whatever happens between a change and its announcement, the
// hub is told in the end, and not twice of one change. It neither serves feeds
// nor decides what changed.
package websub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
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
	if d.Reg != nil {
		d.Reg.MustRegister(p.pings)
	}
	client := &http.Client{Transport: d.Client, Timeout: patience, CheckRedirect: stay}
	for _, address := range hubs {
		p.hubs = append(p.hubs, &hub{address: address, client: client, wake: make(chan struct{}, 1)})
	}
	return p
}

// stay keeps an announcement from being repeated as a GET elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

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

// A hub is one of those that are told.
type hub struct {
	address string
	client  *http.Client
	wake    chan struct{}
	told    map[string]string // hash by path; nil until loaded
	failed  int               // times in a row
}

// serve tells one hub of every change.
func (p *Publisher) serve(ctx context.Context, h *hub) {
	wait := time.Duration(0) // what changed while nobody ran is told at once
	for {
		if !sleep(ctx, wait) {
			return
		}
		err := p.catchUp(ctx, h)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			h.failed++
			wait = pause(h.failed)
			p.Log.Warn("a hub could not be told of changed feeds; it will be tried again", "hub", h.address, "in", wait.Round(time.Second), "error", err)
			continue
		case h.failed > 0:
			p.Log.Info("a hub can be reached again", "hub", h.address)
		}
		h.failed = 0
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
			wait = quiet
		}
	}
}

// pause is how long to wait after so many failures in a row. It grows, and is
// never quite the same, so that a hub that comes back is not overrun.
func pause(failed int) time.Duration {
	d := min(firstWait<<min(failed-1, 16), longest)
	return d/2 + rand.N(d/2)
}

// sleep reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// catchUp tells a hub of every topic that it knows in another form. What was
// said is kept at once: nothing is said twice after an interruption.
func (p *Publisher) catchUp(ctx context.Context, h *hub) error {
	topics := p.Topics()
	if err := p.recall(ctx, h, topics); err != nil {
		return err
	}
	for _, t := range topics {
		if h.told[t.Path] == t.Hash {
			continue
		}
		if err := p.announce(ctx, h, t); err != nil {
			return err
		}
		if err := p.remember(ctx, h, map[string]string{t.Path: t.Hash}); err != nil {
			return err
		}
	}
	return nil
}

// recall loads what a hub was told. One that is new has no subscribers yet, so
// it need not be told what is there already.
func (p *Publisher) recall(ctx context.Context, h *hub, topics []Topic) error {
	if h.told != nil {
		return nil
	}
	told, err := p.Store.LoadAnnounced(ctx, h.address)
	if err != nil {
		return err
	}
	h.told = told
	if len(told) > 0 || len(topics) == 0 {
		return nil
	}
	known := make(map[string]string, len(topics))
	for _, t := range topics {
		known[t.Path] = t.Hash
	}
	return p.remember(ctx, h, known)
}

func (p *Publisher) remember(ctx context.Context, h *hub, hashes map[string]string) error {
	if err := p.Store.SaveAnnounced(context.WithoutCancel(ctx), h.address, hashes); err != nil {
		return err
	}
	for path, hash := range hashes {
		h.told[path] = hash
	}
	return nil
}

// errRefused says that a hub wants none of a topic; to ask again would not
// change that.
var errRefused = errors.New("refused")

// announce sends one ping. A hub that refuses it for good has been told.
func (p *Publisher) announce(ctx context.Context, h *hub, t Topic) error {
	err := h.ping(ctx, t.URL)
	switch {
	case err == nil:
		p.pings.WithLabelValues("sent").Inc()
		p.Log.Debug("a hub was told of a changed feed", "hub", h.address, "topic", t.URL)
		return nil
	case errors.Is(err, errRefused):
		p.pings.WithLabelValues("refused").Inc()
		p.Log.Warn("a hub does not take a changed feed", "hub", h.address, "topic", t.URL, "error", err)
		return nil
	}
	p.pings.WithLabelValues("failed").Inc()
	return fmt.Errorf("announce %s: %w", t.URL, err)
}

// ping says that a topic changed. The specification leaves the form to the
// hub; all known ones take that of PubSubHubbub 0.4 §7.1, some by the newer
// name of its field.
func (h *hub) ping(ctx context.Context, topic string) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "tidings (WebSub publisher)")
	resp, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s: %s", errRefused, resp.Status, strings.TrimSpace(string(said)))
	default:
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(said)))
	}
}
