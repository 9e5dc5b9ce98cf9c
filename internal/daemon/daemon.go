// Package daemon runs the parts of a long-lived process: it starts them in
// order, stops them in the opposite order, each only when those after it have
// ended, and stops all when one fails. It knows nothing of what they do.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A Part runs until its context ends, and then ends in good order.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// Run runs the parts until ctx ends or one of them does, and gives the errors
// of those that failed.
func Run(ctx context.Context, log *slog.Logger, parts ...Part) error {
	running := make([]*running, len(parts))
	stop, stopAll := context.WithCancel(ctx)
	defer stopAll()
	for i, p := range parts {
		running[i] = start(ctx, p, stopAll)
	}
	<-stop.Done()
	began := time.Now()
	log.Info("stopping")
	var errs []error
	for i := len(running) - 1; i >= 0; i-- {
		errs = append(errs, running[i].stop())
	}
	log.Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	return errors.Join(errs...)
}

// Together makes one part of several that start and stop at once. When one of
// them ends, so do the others.
func Together(name string, parts ...Part) Part {
	return Part{Name: name, Run: func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		running := make([]*running, len(parts))
		for i, p := range parts {
			running[i] = start(ctx, p, stop)
		}
		<-ctx.Done()
		for _, r := range running {
			r.cancel()
		}
		var errs []error
		for _, r := range running {
			errs = append(errs, r.stop())
		}
		return errors.Join(errs...)
	}}
}

// running is a started part.
type running struct {
	name   string
	cancel context.CancelFunc
	done   sync.WaitGroup
	err    error
}

func start(ctx context.Context, p Part, ended func()) *running {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{name: p.Name, cancel: cancel}
	r.done.Go(func() {
		defer ended()
		if err := p.Run(own); err != nil && !errors.Is(err, context.Canceled) {
			r.err = fmt.Errorf("%s: %w", p.Name, err)
		}
	})
	return r
}

func (r *running) stop() error {
	r.cancel()
	r.done.Wait()
	return r.err
}
