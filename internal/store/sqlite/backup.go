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

// backupLook is how often the growth of a backup is looked at.
const backupLook = 200 * time.Millisecond

// Backup writes the database at path, as it is at one instant, to a new file,
// readable by its owner alone, while others read and write the database. The
// file is compact: what was deleted is not in it. It is checked as [Check]
// does, and marked as restored ([store.Restoring]), before it gets its name;
// saved is when it begins. What was written meanwhile, of about how many bytes,
// is told to progress, which may be nil. The error is [store.ErrExists] if there is a file.
func Backup(ctx context.Context, path, file string, saved time.Time, progress transfer.Progress) error {
	err := save(ctx, path, file, progress, func(partial string) error {
		return errors.Join(mark(ctx, partial, saved), sound(ctx, partial))
	})
	if err != nil {
		return fmt.Errorf("make backup %s: %w", file, err)
	}
	return nil
}

// Restore makes the database at path from a backup, or any other file that is
// a database of this program or of an older version: it brings the schema up
// to date, checks it as [Check] does, and marks it as restored. It gives as of
// when that is. The error is [store.ErrExists] if there is a file at path.
func Restore(ctx context.Context, file, path string, progress transfer.Progress) (saved time.Time, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return saved, fmt.Errorf("restore %s: %w", path, unwritable(err))
	}
	err = save(ctx, file, path, progress, func(partial string) error {
		saved, err = renew(ctx, partial)
		return errors.Join(err, sound(ctx, partial))
	})
	if err != nil {
		return saved, fmt.Errorf("restore %s from %s: %w", path, file, err)
	}
	return saved, nil
}

// save writes the database at path to a new file, which gets its name once
// finish has completed it.
func save(ctx context.Context, path, file string, progress transfer.Progress, finish func(partial string) error) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if err := vacant(file); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return err
	}
	partial := file + partialSuffix
	unlock, err := lockCopy(ctx, partial)
	if err != nil {
		return err
	}
	defer unlock()
	// What an earlier, interrupted run left is of no use to this one.
	err = discard(partial)
	if err == nil {
		err = os.WriteFile(partial, nil, 0o600)
	}
	if err == nil {
		err = vacuumInto(ctx, path, partial, progress)
	}
	if err == nil {
		err = finish(partial)
	}
	if err == nil {
		return settle(partial, file)
	}
	return errors.Join(err, discard(partial), forgetLocks(partial))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// vacuumInto has SQLite write a copy. It holds a view of the database for as
// long, which keeps the log from being emptied, but nobody from writing.
func vacuumInto(ctx context.Context, path, into string, progress transfer.Progress) error {
	o := settings(nil)
	db := sql.OpenDB(&connector{dsn: dsn(path, o, false), handles: &handles{busy: o.busy}})
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil { // to SQLite the copy is a database that is written
		return explain(err)
	}
	var size int64
	if err := db.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&size); err != nil {
		return explain(err)
	}
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() { watchGrowth(done, into, size, progress); close(watched) }()
	_, err := db.ExecContext(ctx, `VACUUM INTO ?1`, into)
	close(done)
	<-watched
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return explain(err)
}

func watchGrowth(done <-chan struct{}, file string, size int64, progress transfer.Progress) {
	tick := time.NewTicker(backupLook)
	defer tick.Stop()
	for progress != nil {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if info, err := os.Stat(file); err == nil {
			progress(min(info.Size(), size), size)
		}
	}
}

// sound looks whether a file is whole.
func sound(ctx context.Context, file string) error {
	problems, err := Check(ctx, file)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("it is damaged, or what it was made from is: %v; look with tidings db check", problems)
	}
	return err
}

// mark makes a file a database that was restored, as it was at an instant.
func mark(ctx context.Context, file string, saved time.Time) error {
	return alter(ctx, file, func(d transfer.Database) error { return transfer.Mark(ctx, d, saved) })
}

// renew brings a file up to date, and marks it unless it is: it is as of when
// it was last used, then.
func renew(ctx context.Context, file string) (saved time.Time, err error) {
	s, err := open(ctx, file, settings(nil))
	if err != nil {
		return saved, err
	}
	saved, err = s.Restored(ctx)
	marked := !saved.IsZero()
	if err == nil && !marked {
		saved, err = s.LastUsed(ctx)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return saved, err
	}
	if saved.IsZero() { // nothing was mailed ever
		saved = time.UnixMilli(1).UTC()
	}
	return saved, alter(ctx, file, func(d transfer.Database) error {
		if marked {
			return nil
		}
		return transfer.Mark(ctx, d, saved)
	})
}

// alter changes a file that nobody else knows of, and leaves it without
// companions.
func alter(ctx context.Context, file string, fn func(transfer.Database) error) error {
	o := settings(nil)
	d, close, err := connect(ctx, file, dsn(file, o, true), o, func(db *sql.DB) error {
		version, _, err := versions(ctx, db, o)
		if err == nil && version == 0 {
			err = fmt.Errorf("it is no database of tidings: %w", store.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = fn(d)
	if err == nil {
		_, err = d.Conn.ExecContext(ctx, `PRAGMA journal_mode = DELETE`)
	}
	return errors.Join(explain(err), close())
}
