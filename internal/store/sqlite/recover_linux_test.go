package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

// TestRecoversFromAFileThatCouldNotBeWritten opens a database whose file others
// own, and writes to it once that is mended.
func TestRecoversFromAFileThatCouldNotBeWritten(t *testing.T) {
	dir, err := os.MkdirTemp("", "tidings")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "test.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	allow := func(mode os.FileMode) {
		t.Helper()
		files, err := filepath.Glob(path + "*") // with its companions
		for _, f := range files {
			err = errors.Join(err, os.Chmod(f, mode))
		}
		if err != nil {
			t.Error(err)
		}
	}
	allow(0o444)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	unprivileged(t, func() {
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if err := s.CheckWritable(t.Context()); err == nil {
			t.Error("a file that must not be written was")
		} else {
			wantError(t, err, store.ErrUnwritable)
		}
		mended := make(chan struct{})
		go func() { defer close(mended); allow(0o666) }()
		<-mended
		if err := s.CheckWritable(t.Context()); err != nil {
			t.Errorf("once it may be written: %v", err)
		}
	})
}

// unprivileged runs fn on a thread to which file modes apply, also in tests
// that are run by root.
func unprivileged(t *testing.T, fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		fn()
	}()
	<-done
}

// A write that waits for another process gives up with its context, not with
// its patience.
func TestWaitingForAnotherProcessHeedsItsContext(t *testing.T) {
	path := fresh(t)
	s := open(t, path, sqlite.BusyTimeout(time.Hour))
	db := raw(t, path)
	exec(t, db, `BEGIN IMMEDIATE`)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	wantError(t, s.CheckWritable(ctx), context.DeadlineExceeded)
	exec(t, db, `ROLLBACK`)
	if err := s.CheckWritable(t.Context()); err != nil {
		t.Error(err)
	}
}
