package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tidings/internal/store"
	"tidings/internal/store/transfer"
)

// partialSuffix follows the name of a file that is not complete yet.
const partialSuffix = "-partial"

// copyLockSuffix follows the name of a file that a copy is being made into, in
// that of the lock which keeps a second one away.
const copyLockSuffix = "-copy"

// Name is what people call the database at path, from wherever they look.
func Name(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return "sqlite:" + path
}

// sourceWait is how long to wait for a source that others have open.
const sourceWait = 2 * time.Second

// OpenSource opens the database at path to be copied; close ends that. It is
// read as it was at that instant. Unless shared, nobody else may have it open,
// nor can open it meanwhile; [store.ErrLocked] if somebody does.
func OpenSource(ctx context.Context, path string, shared bool) (d transfer.Database, close func() error, err error) {
	o := settings([]Option{BusyTimeout(sourceWait)})
	where := dsn(path, o, false)
	if !shared {
		where += "&_locking_mode=EXCLUSIVE"
	}
	d, close, err = connect(ctx, path, where, o, func(db *sql.DB) error {
		version, latest, err := versions(ctx, db, o)
		switch {
		case err == nil && version == 0:
			err = fmt.Errorf("it is no database of tidings: %w", store.ErrNotFound)
		case err == nil && version < latest:
			err = fmt.Errorf("its schema is version %d, this program copies version %d: run tidings db migrate, with database.url: %s", version, latest, Name(path))
		}
		return err
	})
	if busy(err) {
		return d, nil, fmt.Errorf("%w: %s is in use, by a daemon or another command: stop it, or copy the database as it is now with --online", store.ErrLocked, path)
	}
	if err != nil {
		return d, nil, err
	}
	// The view begins with the first look, not with BEGIN.
	var rows int
	_, err = d.Conn.ExecContext(ctx, `BEGIN`)
	if err == nil {
		err = d.Conn.QueryRowContext(ctx, `SELECT count(*) FROM meta`).Scan(&rows)
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("read database %s: %w", path, explain(err)), close())
	}
	return d, close, nil
}

// OpenTarget opens a new database that is to be at path, to be copied into.
// Until complete is called it is kept under another name, and gone on with
// when it is opened again, unless it is to be fresh; close ends the work on it
// in any case. The error is [store.ErrExists] if there is a file at path.
func OpenTarget(ctx context.Context, path string, fresh bool) (d transfer.Database, complete, close func() error, err error) {
	if err := vacant(path); err != nil {
		return d, nil, nil, err
	}
	o := settings([]Option{AnyClock()}) // no wait for the disk with each portion
	partial := path + partialSuffix
	if err := os.MkdirAll(filepath.Dir(partial), 0o700); err != nil {
		return d, nil, nil, unwritable(err)
	}
	unlock, err := lockCopy(ctx, partial)
	if err != nil {
		return d, nil, nil, fmt.Errorf("make database %s: %w", path, err)
	}
	if fresh {
		err = discard(partial)
	}
	if err == nil {
		d, close, err = connectPartial(ctx, partial, o)
	}
	if err != nil {
		if fresh {
			err = errors.Join(err, discard(partial), forgetLocks(partial))
		}
		unlock()
		return d, nil, nil, fmt.Errorf("make database %s: %w", path, err)
	}
	d.Name = Name(path)
	closeIt := close // the results get other values
	done := func() error { defer unlock(); return closeIt() }
	return d, func() error {
		// One file without companions, and all of it in there.
		_, err := d.Conn.ExecContext(ctx, `PRAGMA journal_mode = DELETE`)
		if err = errors.Join(explain(err), done()); err != nil {
			return fmt.Errorf("complete %s: %w", path, err)
		}
		return settle(partial, path)
	}, done, nil
}

func connectPartial(ctx context.Context, partial string, o options) (d transfer.Database, close func() error, err error) {
	if err := create(ctx, partial, o); err != nil {
		return d, nil, err
	}
	return connect(ctx, partial, dsn(partial, o, true)+"&_foreign_keys=0", o, func(db *sql.DB) error {
		_, _, err := migrate(ctx, db, partial, o)
		return err
	})
}

// lockCopy keeps others from making the same file.
func lockCopy(ctx context.Context, partial string) (unlock func(), err error) {
	unlock, err = lock(ctx, partial+copyLockSuffix, 0)
	if errors.Is(err, store.ErrLocked) {
		err = fmt.Errorf("%w, which makes it: wait until that is done", store.ErrLocked)
	}
	return unlock, err
}

// Discard removes what a copy into a file that is to be at path left.
func Discard(path string) error {
	return errors.Join(discard(path+partialSuffix), forgetLocks(path+partialSuffix))
}

// discard removes what an earlier, interrupted run left.
func discard(partial string) error {
	var errs []error
	for _, suffix := range append([]string{""}, companions...) {
		errs = append(errs, ignoreMissing(os.Remove(partial+suffix)))
	}
	return errors.Join(errs...)
}

// companions follow the name of a file in those that belong to it.
var companions = []string{"-wal", "-shm", "-journal"}

// vacant refuses a path at which there is something, or which has companions
// of a database that was there: SQLite would take them for the new one's.
func vacant(path string) error {
	for _, suffix := range append([]string{""}, companions...) {
		if _, err := os.Lstat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w; name a file that is not there yet, or move this one away", path+suffix, store.ErrExists)
		}
	}
	return nil
}

// connect opens the one connection that a copy needs, once ready has looked at
// the database. close may be called twice.
func connect(ctx context.Context, path, dsn string, o options, ready func(*sql.DB) error) (d transfer.Database, close func() error, err error) {
	if _, err := os.Stat(path); err != nil {
		return d, nil, fmt.Errorf("open database: %w", err)
	}
	db := sql.OpenDB(&connector{dsn: dsn, handles: &handles{busy: o.busy}})
	db.SetMaxOpenConns(1)
	if err = ready(db); err == nil {
		d.Name, d.Engine = Name(path), engine{}
		d.Conn, err = db.Conn(ctx)
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("open database %s: %w", path, explain(err)), db.Close())
	}
	return d, func() error { return errors.Join(transfer.Release(d.Conn), db.Close()) }, nil
}

// settle gives a file that is complete its name, so that it is there after a
// power cut, too. The name must be free.
func settle(partial, path string) error {
	f, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err == nil {
		err = vacant(path)
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return fmt.Errorf("complete %s: %w", path, err)
	}
	if err := forgetLocks(partial); err != nil {
		return fmt.Errorf("complete %s: %w", path, err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// forgetLocks removes what kept others from a file that has its name now, or is
// gone.
func forgetLocks(partial string) error {
	return errors.Join(ignoreMissing(os.Remove(partial+lockSuffix)), ignoreMissing(os.Remove(partial+copyLockSuffix)))
}
