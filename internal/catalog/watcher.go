package catalog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"tidings/internal/post"
)

// A Watcher keeps the current snapshot up to date while files change and
// time passes.
type Watcher struct {
	k         *keeper
	current   atomic.Pointer[Snapshot]
	listeners []func(Change)

	watches *watches
	quiet   *quiet
	root    fs.FileInfo // the directory that is watched; nil if there is none
	rescan  time.Time   // next look at everything
	confirm time.Time   // when missing files are believed to be gone; zero: none is
	waiting int         // missing files when confirm was set
	patient time.Time   // the latest confirm may be
	reload  time.Time   // next look into the database during an alarm; zero: no alarm
	broken  bool        // the last pass failed, and that was logged
}

const (
	// poll is the pause between full looks while not everything is watched.
	poll = 2 * time.Second
	// alarmPoll is the pause between looks for an accepted loss.
	alarmPoll = 2 * time.Second
	// longest is how long the loop sleeps at most while a post is due: the
	// wall clock may be set, or the machine sleep, meanwhile.
	longest = 30 * time.Second
)

// Open looks at all posts once. The watcher does nothing more until Run. Of a
// large blog it gives what an earlier process knew, so that feeds are served
// at once; Run begins with a look at the files.
func Open(ctx context.Context, cfg Config) (*Watcher, error) {
	k, err := openFor(ctx, cfg, true)
	if err != nil {
		return nil, err
	}
	w := &Watcher{k: k, watches: newWatches(k.cfg.Dir, k.cfg.Log), quiet: newQuiet(k.cfg.Debounce)}
	w.root = w.stat()
	snap, err := k.first(ctx)
	if err != nil {
		return nil, err
	}
	w.current.Store(snap)
	k.writeIndex(ctx)
	k.cfg.Log.Info("posts read", "posts", snap.Posts, "visible", len(snap.Entries), "problems", len(snap.Problems), "dir", k.cfg.Dir)
	return w, nil
}

// Current is the present snapshot.
func (w *Watcher) Current() *Snapshot { return w.current.Load() }

// OnChange has fn called for every new snapshot, in order, from the
// goroutine of Run. It must be called before Run.
func (w *Watcher) OnChange(fn func(Change)) { w.listeners = append(w.listeners, fn) }

// Run watches until ctx ends, and then returns nil. A failure to watch or to
// save is logged and got over, not returned.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.watches.close()
	w.rearm()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			w.k.writeIndex(context.WithoutCancel(ctx))
			return nil
		case event, ok := <-w.watches.events():
			if ok {
				w.note(event, time.Now())
			}
		case err := <-w.watches.errors():
			w.deafened(err)
		case <-timer.C:
			w.work(ctx)
		}
		timer.Reset(w.sleeps())
	}
}

// File events come in real time, and so do the pauses around them; only the
// dates of posts follow the injected clock.

// sleeps is how long nothing is to be done, if nothing happens.
func (w *Watcher) sleeps() time.Duration {
	at := sooner(sooner(w.quiet.due(), w.rescan), sooner(w.confirm, w.reload))
	d := time.Until(at)
	if next := w.Current().Next; !next.IsZero() {
		d = min(d, w.k.cfg.Until(next), longest)
	}
	return max(d, 0)
}

// rearm begins to watch anew and asks for a look at everything.
func (w *Watcher) rearm() {
	w.watches.arm()
	w.k.folder.enter = w.watches.add
	if w.exchanged() {
		w.k.folder.distrust()
		w.root = w.stat()
	}
	w.rescan = time.Now()
}

// stat gives the posts directory; nil if there is none.
func (w *Watcher) stat() fs.FileInfo {
	info, err := os.Stat(w.k.folder.dir)
	if err != nil {
		return nil
	}
	return info
}

// exchanged reports whether the posts directory is not the one it was:
// something was mounted there, or a link leads elsewhere now.
func (w *Watcher) exchanged() bool {
	now := w.stat()
	return (now == nil) != (w.root == nil) || now != nil && !os.SameFile(now, w.root)
}

// deafened handles an error of the watches. After an overflow of the queue
// events are lost, and with them perhaps whole directories.
func (w *Watcher) deafened(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		w.k.cfg.Log.Warn("watching the posts directory", "error", err)
	}
	w.rearm()
}

// note takes in one event.
func (w *Watcher) note(event fsnotify.Event, now time.Time) {
	rel, ok := w.watches.rel(event.Name)
	switch {
	case !ok:
		return
	case rel == "":
		if event.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename) {
			w.rearm()
		}
		return
	}
	left := event.Has(fsnotify.Remove | fsnotify.Rename)
	folder := w.k.folder.dirs[rel]
	if left {
		w.watches.drop(rel)
	}
	if post.IsCandidate(rel) || w.k.folder.media[rel] != nil || left && folder || event.Has(fsnotify.Create) && w.isDir(rel) {
		w.quiet.note(rel, event.Op != fsnotify.Chmod, now)
	}
}

func (w *Watcher) isDir(rel string) bool {
	info, err := os.Stat(filepath.Join(w.k.folder.dir, filepath.FromSlash(rel)))
	return err == nil && info.IsDir()
}

// work does what is due.
func (w *Watcher) work(ctx context.Context) {
	started := time.Now()
	var stale error
	if !w.reload.IsZero() && !started.Before(w.reload) {
		stale = w.k.reload(ctx)
	}
	names, sure := w.quiet.ripe(started), false
	if !w.confirm.IsZero() && !started.Before(w.confirm) {
		sure, w.confirm, w.waiting = true, time.Time{}, 0
	}
	// Before files are believed to be gone they are looked for everywhere: the
	// event that tells of their new name may still be on its way.
	everything := sure || !started.Before(w.rescan)
	if everything {
		if w.exchanged() {
			w.rearm()
		}
		w.k.folder.doubt(names)
		names = nil
	} else if names == nil {
		names = map[string]bool{}
	}
	change, err := w.k.pass(ctx, names, sure)
	if everything {
		w.rescan = time.Now().Add(w.pause(time.Since(started)))
	}
	w.report(errors.Join(stale, err))
	if err == nil {
		w.publish(change, time.Since(started))
		w.plan(time.Now())
	}
}

// pause is how long to wait until the next look at everything, when the last
// took that long.
func (w *Watcher) pause(took time.Duration) time.Duration {
	if w.watches.fs == nil || w.watches.deaf || w.root == nil {
		return min(w.k.cfg.Rescan, max(poll, 10*took))
	}
	return w.k.cfg.Rescan
}

// plan sets the times that depend on what the last pass left open. Missing
// files are waited for until no more go missing for a while.
func (w *Watcher) plan(now time.Time) {
	w.reload = time.Time{}
	if w.Current().Alarm != nil {
		w.reload, w.confirm = now.Add(alarmPoll), time.Time{}
		return
	}
	switch missing := len(w.k.roll.missing); {
	case missing == 0:
		w.confirm, w.waiting = time.Time{}, 0
	case missing != w.waiting:
		if w.waiting == 0 {
			w.patient = now.Add(10 * w.k.cfg.Grace)
		}
		w.waiting, w.confirm = missing, sooner(now.Add(w.k.cfg.Grace), w.patient)
	}
}

// publish makes a snapshot the current one, if it is a new one.
func (w *Watcher) publish(c Change, took time.Duration) {
	if c.Snapshot == w.Current() {
		return
	}
	w.current.Store(c.Snapshot)
	if len(c.Added)+len(c.Changed)+len(c.Removed) > 0 {
		w.k.cfg.Log.Info("posts changed", "added", len(c.Added), "changed", len(c.Changed),
			"removed", len(c.Removed), "visible", len(c.Snapshot.Entries), "took", took.Round(time.Microsecond))
	}
	for _, fn := range w.listeners {
		fn(c)
	}
}

// report logs a failure, once until a pass succeeds.
func (w *Watcher) report(err error) {
	if err != nil && !w.broken && !errors.Is(err, context.Canceled) {
		w.k.cfg.Log.Error("the posts cannot be brought up to date; what was published stays", "error", err)
	}
	w.broken = err != nil
}
