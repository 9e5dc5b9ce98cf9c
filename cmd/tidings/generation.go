package main

import (
	"context"
	"log/slog"
	"sync"

	"tidings/internal/daemon"
)

// A generation is the daemon between two reloads. Mails that are on the wire at
// a reload are not cut off: whoever sends them goes on until the last of them is
// answered, beside the next generation, with the database of this one.
type generation struct {
	stop  context.Context // ends when even these are to end soon
	cut   context.CancelFunc
	log   *slog.Logger
	close func() error // what all of it needs
	going sync.WaitGroup
}

func newGeneration(stop context.Context, log *slog.Logger, close func() error) *generation {
	g := &generation{log: log, close: close}
	g.stop, g.cut = context.WithCancel(stop)
	return g
}

// part makes a part that, at a reload, ends at once for those who wait for it,
// and goes on with what is on the wire.
func (g *generation) part(name string, run func(ctx, stop context.Context) error) daemon.Part {
	return daemon.Part{Name: name, Run: func(ctx context.Context) error {
		reloaded := make(chan struct{})
		ended := make(chan error)
		g.going.Go(func() {
			err := run(ctx, g.stop)
			select {
			case ended <- err:
			case <-reloaded:
				if err != nil {
					g.log.Error("mails of the former configuration", "part", name, "error", err)
				}
			}
		})
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		if g.stop.Err() != nil {
			return <-ended
		}
		close(reloaded)
		return nil
	}}
}

// end ends a generation; after a reload it lets it end by itself, and has
// former wait for that.
func (g *generation) end(reload bool, former *sync.WaitGroup) error {
	if !reload {
		g.cut()
		g.going.Wait()
		return g.close()
	}
	former.Go(func() {
		defer g.cut()
		g.going.Wait()
		if err := g.close(); err != nil {
			g.log.Error("the database of the former configuration was not closed", "error", err)
		}
	})
	return nil
}
