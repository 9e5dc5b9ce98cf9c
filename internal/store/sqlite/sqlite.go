// Package sqlite opens the database as one SQLite file (driver:
// mattn/go-sqlite3). It owns the file, the schema with its migrations, the
// connection settings and the meaning of the driver's errors. The queries are
// package sqlstore's.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"

	"tidings/internal/store"
	"tidings/internal/store/sqlstore"
)

const (
	defaultBusyTimeout = 10 * time.Second
	lockWait           = 100 * time.Millisecond // within SQLite, which cannot be told to stop; then see conn.BeginTx
	maxReaders         = 32
	idleReaders        = 4
	statementCache     = 128      // prepared statements per connection
	checkpointAt       = 8000     // pages of the log, 32 MB: those that are written again and again go into the file once
	journalSizeLimit   = 64 << 20 // bytes the write-ahead log keeps after a checkpoint
	writerCache        = 8 << 10  // KiB
	largeCache         = 32 << 10 // KiB, while a large import or plan touches every index
)

// An Option changes how a database is opened.
type Option func(*options)

type options struct {
	busy     time.Duration
	readOnly bool
	anyClock bool
}

// BusyTimeout sets how long to wait for another process's lock; 10 s if not
// given.
func BusyTimeout(d time.Duration) Option { return func(o *options) { o.busy = d } }

// ReadOnly opens an existing database without ever writing to it: it is not
// created and not migrated, and every writing method fails with
// [store.ErrUnwritable].
func ReadOnly() Option { return func(o *options) { o.readOnly = true } }

// now is the time in Unix milliseconds.
const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

// AnyClock takes every instant as it comes, for a rehearsal; otherwise see
// [store.Timekeeping]. The last moments before a power cut may be lost.
func AnyClock() Option { return func(o *options) { o.anyClock = true } }

func settings(opts []Option) options {
	o := options{busy: defaultBusyTimeout}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Open opens the database at path. It makes the file, readable by its owner
// alone, and the folders above it where they are missing, and brings the
// schema up to date. Its error is [store.ErrNewerSchema] where a newer version
// of this program wrote the database, [store.ErrLocked] or
// [store.ErrUnwritable].
func Open(ctx context.Context, path string, opts ...Option) (store.Store, error) {
	s, err := open(ctx, path, settings(opts))
	if err != nil {
		return nil, err // not a nil *sqlstore.Store, which is not a nil store.Store
	}
	return s, nil
}

func open(ctx context.Context, path string, o options) (*sqlstore.Store, error) {
	if !o.readOnly {
		if err := create(ctx, path, o); err != nil {
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
	}
	h := &handles{busy: o.busy}
	writer, reader := pool(path, o, h, true), pool(path, o, h, false)
	if err := prepare(ctx, writer, path, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, explain(err)), writer.Close(), reader.Close())
	}
	s := sqlstore.New(writer, reader, sqlstore.Dialect{
		Now:     now,
		Large:   "PRAGMA cache_size = " + strconv.Itoa(-largeCache),
		Usual:   "PRAGMA cache_size = " + strconv.Itoa(-writerCache),
		Wipe:    "PRAGMA secure_delete = ON",
		Unwipe:  "PRAGMA secure_delete = FAST",
		Scrub:   "PRAGMA wal_checkpoint(TRUNCATE)", // the log holds pages as they were before
		Explain: h.explain,
	})
	if o.anyClock {
		s.AnyClock()
	}
	return s, nil
}

// prepare sees to it that the schema is the one this program works with.
func prepare(ctx context.Context, db *sql.DB, path string, o options) error {
	if !o.readOnly {
		_, _, err := migrate(ctx, db, path, o)
		return err
	}
	version, latest, err := versions(ctx, db, o)
	if err == nil && version < latest {
		err = fmt.Errorf("its schema is version %d, this program needs version %d: run tidings db migrate", version, latest)
	}
	return err
}

// create makes an empty file where there is none, because SQLite would make
// one that everybody may read. It gets its name when it is closed: closing the
// database's file would drop the locks that this process holds on it.
func create(ctx context.Context, path string, o options) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite will say what is wrong with it
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return unwritable(err)
	}
	unlock, err := lock(ctx, path+lockSuffix, o.busy)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // another process was first
	}
	if err := os.WriteFile(path+"-new", nil, 0o600); err != nil {
		return unwritable(err)
	}
	if err := os.Rename(path+"-new", path); err != nil {
		return unwritable(err)
	}
	return nil
}

// pool makes a pool of connections. There is one writer, so that transactions
// queue here and not at SQLite's lock, which does not queue.
func pool(path string, o options, h *handles, writer bool) *sql.DB {
	db := sql.OpenDB(&connector{dsn: dsn(path, o, writer), handles: h})
	if writer {
		db.SetMaxOpenConns(1)
	} else {
		db.SetMaxOpenConns(maxReaders)
		db.SetMaxIdleConns(idleReaders)
	}
	return db
}

// dsn names the file and the settings of every connection to it. A writing
// transaction takes the lock at its beginning: one that reads first and then
// wants to write fails at once when another wrote in between.
func dsn(path string, o options, writer bool) string {
	q := url.Values{
		"_busy_timeout":    {strconv.FormatInt(o.busy.Milliseconds(), 10)},
		"_foreign_keys":    {"1"},
		"_stmt_cache_size": {strconv.Itoa(statementCache)},
		"_synchronous":     {"FULL"}, // what is recorded as sent survives a power cut
		"mode":             {"rw"},
	}
	if o.anyClock {
		q.Set("_synchronous", "NORMAL") // what is rehearsed need not, and time flies
	}
	switch {
	case o.readOnly:
		q.Set("mode", "ro")
	case writer:
		q.Set("_busy_timeout", strconv.FormatInt(min(o.busy, lockWait).Milliseconds(), 10))
		q.Set("_journal_mode", "WAL")
		q.Set("_txlock", "immediate")
		q.Set("_cache_size", strconv.Itoa(-writerCache))
		q.Set("_secure_delete", "fast") // what is deleted is overwritten where that costs no writing
	default:
		q.Set("_query_only", "1")
	}
	// Percent signs, question and number signs of the path are its own.
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

// explain gives a driver's error the meaning it has for the caller.
func explain(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w (%w): it was busy for too long; see that no other program keeps the file open for writing, and try again", store.ErrLocked, err)
	case sqlite3.ErrFull:
		return fmt.Errorf("%w (%w): make room on the disk that holds it", store.ErrUnwritable, err)
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return unwritable(err)
	case sqlite3.ErrIoErr:
		return fmt.Errorf("%w (%w): check the disk that holds it", store.ErrUnwritable, err)
	case sqlite3.ErrConstraint:
		return constraint(err, e.ExtendedCode)
	}
	return err
}

func unwritable(err error) error {
	return fmt.Errorf("%w (%w): check that the file system is not read-only or unmounted, and that the file, its -wal and -shm companions and their folder belong to the user who runs tidings; reading needs that too", store.ErrUnwritable, err)
}

func constraint(err error, code sqlite3.ErrNoExtended) error {
	switch code {
	case sqlite3.ErrConstraintUnique, sqlite3.ErrConstraintPrimaryKey:
		return fmt.Errorf("%w (%w)", store.ErrExists, err)
	case sqlite3.ErrConstraintForeignKey:
		return fmt.Errorf("it names a record that is missing: %w (%w)", store.ErrNotFound, err)
	}
	return err
}
