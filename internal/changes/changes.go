// Package changes tells when files below a directory have changed. It looks at
// their sizes and times, at once where the operating system tells of events and
// every few seconds anyhow: on network file systems nobody tells, and a
// directory may be exchanged for another.
package changes

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	quiet = 200 * time.Millisecond // files are left alone for this long
	poll  = 5 * time.Second
)

// A Watcher tells of changes since it was made.
type Watcher struct {
	dir    string
	log    *slog.Logger
	known  string // what look gave
	system *fsnotify.Watcher
	warned bool
}

// New looks at the files below dir.
func New(dir string, log *slog.Logger) *Watcher {
	return &Watcher{dir: dir, log: log, known: look(dir)}
}

// Run calls changed after files have changed and then been left alone for a
// moment. It runs until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func()) {
	w.arm()
	defer w.disarm()
	timer := time.NewTimer(quiet) // something may have changed before
	defer timer.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.events():
			timer.Reset(quiet)
		case <-w.errors():
			timer.Reset(quiet)
		case <-tick.C:
			if look(w.dir) != w.known {
				timer.Reset(quiet)
			}
		case <-timer.C:
			if now := look(w.dir); now != w.known {
				w.known = now
				w.arm()
				changed()
			}
		}
	}
}

// arm asks to be told of events in the directory and all below it.
func (w *Watcher) arm() {
	w.disarm()
	var err error
	if w.system, err = fsnotify.NewWatcher(); err != nil {
		w.system = nil
		w.warn(err)
		return
	}
	// What cannot be listed now is looked at every few seconds.
	_ = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			if err := w.system.Add(path); err != nil {
				w.warn(err)
			}
		}
		return nil
	})
}

func (w *Watcher) disarm() {
	if w.system != nil {
		_ = w.system.Close() // nothing is written through it
	}
	w.system = nil
}

func (w *Watcher) warn(err error) {
	if !w.warned {
		w.log.Warn("the system does not tell of changes, so they are looked for every few seconds", "dir", w.dir, "error", err)
	}
	w.warned = true
}

func (w *Watcher) events() <-chan fsnotify.Event {
	if w.system == nil {
		return nil
	}
	return w.system.Events
}

func (w *Watcher) errors() <-chan error {
	if w.system == nil {
		return nil
	}
	return w.system.Errors
}

// look gives names, sizes and times of all files below dir, those behind
// symbolic links too.
func look(dir string) string {
	var b strings.Builder
	// What cannot be read counts as not being there.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			fmt.Fprintf(&b, "%s\x00%d\x00%d\n", path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return b.String()
}
