package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"

	"tidings/internal/store"
)

// lockSuffix follows the database's name in that of its lock file, which keeps
// processes from making or migrating it at the same time.
const lockSuffix = "-migrate"

// lockPoll is how often a lock that is held is tried again.
const lockPoll = 20 * time.Millisecond

// lock takes the lock file at path, waiting for another process up to the
// given time. The kernel frees it when its holder dies. The file stays: to
// remove it would let two processes lock two files of that name.
func lock(ctx context.Context, path string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait,
		fmt.Errorf("%w: another process has been making or migrating it for %v; wait until it is done", store.ErrLocked, wait))
	defer cancel()
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return func() { f.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// patient tries fn again while SQLite is busy, up to the given time. Where the
// first connection turns the file to write-ahead logging, and where the last
// one of another process closes, SQLite reports that without having waited.
func patient(ctx context.Context, wait time.Duration, fn func() error) error {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		err := fn()
		var e sqlite3.Error
		if !errors.As(err, &e) || e.Code != sqlite3.ErrBusy {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return err
		case <-time.After(lockPoll):
		}
	}
}
