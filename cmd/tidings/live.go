package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/changes"
	"tidings/internal/digest"
	"tidings/templates"
)

// liveTemplates takes the user's templates over whenever they change. Broken
// ones leave the last good ones in place.
type liveTemplates struct {
	dir   string // "": there are none
	watch *changes.Watcher
	mails *digest.Templates
	pages func() (http.Handler, error) // makes the pages of what is there now
	log   *slog.Logger
	now   func() time.Time

	shown atomic.Pointer[http.Handler]
	mu    sync.Mutex
	fault error     // of the templates that are there now
	since time.Time // when they were found to be broken
}

// liveTemplates begins to look for changes, before anything is read.
func (a *app) liveTemplates() *liveTemplates {
	dir := a.cfg.Templates.Dir
	return &liveTemplates{dir: dir, watch: changes.New(dir, a.log), log: a.log, now: a.clock.Now}
}

// use makes the pages, and has them made again after changes.
func (l *liveTemplates) use(pages func() (http.Handler, error)) error {
	l.pages = pages
	h, err := pages()
	if err == nil {
		l.shown.Store(&h)
	}
	return err
}

// ServeHTTP answers with the present pages.
func (l *liveTemplates) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*l.shown.Load()).ServeHTTP(w, r)
}

// run watches the folder until ctx ends.
func (l *liveTemplates) run(ctx context.Context) error {
	if l.dir == "" {
		<-ctx.Done()
		return nil
	}
	l.watch.Run(ctx, l.reload)
	return nil
}

// reload takes over what is there now, all of it or nothing.
func (l *liveTemplates) reload() {
	mails, err := digest.Parse(templates.Overlay(l.dir))
	handler, fault := l.pages()
	if err = errors.Join(misplaced(l.dir), err, fault); err == nil {
		l.mails.Replace(mails)
		l.shown.Store(&handler)
		l.log.Info("templates reloaded", "dir", l.dir)
	}
	l.note(err)
}

func (l *liveTemplates) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault = nil; err == nil {
		l.since = time.Time{}
		return
	}
	faults := locateTemplates(l.dir, err)
	l.fault = faults
	if l.since.IsZero() {
		l.since = l.now()
	}
	for _, f := range faults {
		l.log.Error("templates not reloaded; the last good ones stay", "fault", f.String())
	}
}

// broken says why the templates that are there are not in use, and since when;
// nil if they are.
func (l *liveTemplates) broken() (since time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since, l.fault
}
