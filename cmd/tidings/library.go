package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/catalog"
	"tidings/internal/config"
	"tidings/internal/publish"
	"tidings/internal/websub"
)

// A library is the parts that turn files into feeds.
type library struct {
	watcher   *catalog.Watcher
	publisher *publish.Publisher
	text      func(context.Context, *catalog.Entry) (string, error)
	files     feedWriter    // to feeds.dir; nil: nowhere
	remote    bool          // files are written at leisure, so that nobody waits for a network
	changed   chan struct{} // has an element when there may be something to write
	hubs      *websub.Publisher
	public    atomic.Pointer[publish.Set] // what everybody can fetch; nil: nothing yet
	writing   sync.Mutex                  // held while feeds are written
}

// rewriteEvery is how long after feeds.dir refused the feeds they are offered
// again.
const rewriteEvery = time.Minute

// topics are the feeds that hubs are told of.
func (l *library) topics() []websub.Topic {
	set := l.public.Load()
	if set == nil {
		return nil
	}
	var list []websub.Topic
	for _, d := range set.Documents() {
		if len(d.Hubs) > 0 {
			list = append(list, websub.Topic{Path: d.Path, URL: l.publisher.URL(d.Path), Hash: d.Hash})
		}
	}
	return list
}

// runLibrary watches the posts until ctx ends, and offers what feeds.dir refused
// again in between.
func (a *app) runLibrary(ctx context.Context, l *library) error {
	if l.files != nil {
		defer l.files.Close()
	}
	var group sync.WaitGroup
	defer group.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() {
		for tick := time.Tick(rewriteEvery); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
			case <-l.changed:
			}
			a.rewrite(ctx, l)
		}
	})
	err := l.watcher.Run(ctx)
	l.publisher.Keep(context.WithoutCancel(ctx))
	return err
}

// openLibrary looks at all posts, publishes them, and makes every change to
// them be published.
func (a *app) openLibrary(ctx context.Context, reg prometheus.Registerer) (*library, error) {
	done := keepGarbage()
	defer time.AfterFunc(startOver, done)
	c, err := a.catalogConfig()
	if err != nil {
		return nil, err
	}
	w, err := catalog.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	l := &library{watcher: w, publisher: a.publisher(c), text: c.Body, changed: make(chan struct{}, 1)}
	if a.cfg.Feeds.Dir != "" {
		if l.files, err = openPlace(ctx, a.cfg.Feeds.Dir, a.cfg.Feeds.Precompress); err != nil {
			return nil, err
		}
		l.remote = config.IsAddress(a.cfg.Feeds.Dir)
	}
	if _, err := l.publisher.Update(ctx, w.Current()); err != nil {
		return nil, err
	}
	l.publisher.Keep(ctx)
	if l.remote {
		l.changed <- struct{}{}
	} else {
		a.writeFeeds(ctx, l)
	}
	l.hubs = websub.New(a.hubs(), websub.Deps{Store: a.store, Topics: l.topics, Log: a.log, Reg: reg})
	w.OnChange(func(change catalog.Change) { a.republish(ctx, l, change.Snapshot) })
	return l, nil
}

// gauges are the metrics of what is published.
func (l *library) gauges() []prometheus.Collector {
	gauge := func(name, help string, value func(*catalog.Snapshot) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			return float64(value(l.watcher.Current()))
		})
	}
	return []prometheus.Collector{
		gauge("tidings_posts", "Posts that readers see.", func(s *catalog.Snapshot) int { return len(s.Entries) }),
		gauge("tidings_posts_held", "Posts held back: drafts, future and expired ones.", func(s *catalog.Snapshot) int { return len(s.Held) }),
		gauge("tidings_post_problems", "Problems and warnings of posts.", func(s *catalog.Snapshot) int { return len(s.Problems) }),
		gauge("tidings_posts_missing", "Posts that vanished in an accident and stay published; above 0 somebody must look.", func(s *catalog.Snapshot) int { return len(missing(s)) }),
		gauge("tidings_feeds", "Feeds, each in several formats.", func(*catalog.Snapshot) int { return len(l.publisher.Current().Feeds) }),
	}
}

func (a *app) republish(ctx context.Context, l *library, snap *catalog.Snapshot) {
	began := time.Now()
	r, err := l.publisher.Update(ctx, snap)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("feeds not updated; the last ones stay", "error", err)
		}
		return
	}
	if len(r.Changed) == 0 {
		return
	}
	a.log.Info("feeds updated", "documents", len(r.Changed), "took", time.Since(began).Round(time.Microsecond))
	if l.remote {
		select {
		case l.changed <- struct{}{}:
		default: // there is one
		}
		return
	}
	a.rewrite(ctx, l)
}

// rewrite writes the feeds, unless they are public already.
func (a *app) rewrite(ctx context.Context, l *library) {
	if l.public.Load() == l.publisher.Current() {
		return
	}
	a.writeFeeds(ctx, l)
	l.hubs.Changed() // only now is everything public
}

// writeFeeds writes the feeds to feeds.dir, if that is set. A place that
// refuses them does not stop the daemon; the next change or the next minute
// tries again, and until then hubs hear of nothing.
func (a *app) writeFeeds(ctx context.Context, l *library) {
	l.writing.Lock()
	defer l.writing.Unlock()
	set := l.publisher.Current()
	if l.files != nil {
		if _, err := l.files.Write(ctx, set); err != nil {
			if ctx.Err() == nil {
				a.log.Error("feeds not written to feeds.dir", "error", err)
			}
			return
		}
	}
	l.public.Store(set)
}

// hubs are those that are told of changes. A rehearsal is none of their
// business.
func (a *app) hubs() []string {
	if a.clock.Rehearsing() {
		return nil
	}
	return a.cfg.Feeds.Hubs
}
