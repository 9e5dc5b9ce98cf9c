// Package sqlstore holds every query of the database, once, in SQL that
// SQLite and PostgreSQL both understand. It keeps the promises of package
// store: accounts that balance, a ledger that never mails a post twice,
// suppressions that win over editions under way. Opening a database, its
// schema, and what a driver's errors mean are left to the engine's package.
//
// Queries number their parameters (?1 … ?n): a bare ? is bound by order of
// appearance, which a rewritten query changes silently.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tidings/internal/store"
)

// A Dialect is what differs between engines.
type Dialect struct {
	// Rebind turns numbered parameters (?1) into the engine's own form, such
	// as $1; nil leaves the query as it is.
	Rebind func(query string) string
	// SkipLocked ends the query that picks deliveries (table alias d) to
	// claim, where several transactions can write at once.
	SkipLocked string
	// ForUpdate, with a table's alias behind it, ends a query of rows that are
	// going to be changed, where several transactions can write at once.
	ForUpdate string
	// Lock takes the lock named ?1 until the transaction ends; "" where a
	// writing transaction holds the one lock of the database.
	Lock string
	// Now is the database's clock, in Unix milliseconds.
	Now string
	// Reading is how transactions that only read begin.
	Reading *sql.TxOptions
	// Interrupt ends a statement that is under way when the caller's context
	// ends; otherwise a transaction ends between two of them.
	Interrupt bool
	// Again reports whether a transaction failed only because another one was
	// in its way, so that it is worth running again; nil where none does.
	Again func(error) bool
	// Copy inserts rows by a shorter way than a statement for each; nil where
	// there is none. conn is the driver's connection.
	Copy func(ctx context.Context, conn any, table string, columns []string, rows [][]any) error
	// Numbers gives ?2 numbers for new rows of the table ?1, for those that are
	// copied; "" where a row gets its number when it is inserted alone.
	Numbers string
	// Once is an argument before all others of a query that is not worth
	// keeping prepared; nil where the engine needs none.
	Once any
	// Text makes a text fit to be stored; nil where every text is.
	Text func(string) string
	// Large and Usual are statements around a transaction that touches a large
	// part of the database; "" where the engine needs none.
	Large, Usual string
	// Wipe and Unwipe are statements around others of a transaction that delete what must
	// not stay readable anywhere in the database's files, and Scrub one after
	// it; "" where the engine needs none.
	Wipe, Unwipe, Scrub string
	// Explain wraps a driver's error in the sentinel of package store that it
	// stands for, and says what to do; nil leaves errors as they are.
	Explain func(error) error
}

// Store is a database. It is safe for concurrent use.
type Store struct {
	writer, reader *sql.DB
	dialect        Dialect
	anyClock       bool
	sharedClock    bool
}

var _ store.Store = (*Store)(nil)

// New makes a store of two pools of connections to one database. Without
// Dialect.Lock writer's transactions must hold the engine's write lock from
// their beginning.
func New(writer, reader *sql.DB, d Dialect) *Store {
	return &Store{writer: writer, reader: reader, dialect: d}
}

// Close closes both pools.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// CheckWritable makes one small durable write.
func (s *Store) CheckWritable(ctx context.Context) error {
	return s.beside(ctx, "check that the database can be written", func(t *tx) error {
		_, err := t.exec(`INSERT INTO meta (name, value) VALUES ('checked', '1')
			ON CONFLICT (name) DO UPDATE SET value = CASE meta.value WHEN '1' THEN '2' ELSE '1' END`)
		return err
	})
}

// write runs fn in one transaction that may write; all of it is kept, or none.
// There is one at a time, whatever the engine, but for those of [Store.beside].
// fn may be run again from its beginning.
func (s *Store) write(ctx context.Context, op string, fn func(*tx) error) error {
	return s.beside(ctx, op, func(t *tx) error {
		if err := t.lock(lockWriting); err != nil {
			return err
		}
		return fn(t)
	})
}

// beside is write for what other transactions need not wait for: fn sees to
// what must not happen at the same time. Others may write between any two of
// its statements, where the engine lets them.
func (s *Store) beside(ctx context.Context, op string, fn func(*tx) error) error {
	return s.run(ctx, s.writer, nil, op, fn)
}

// writeLarge is write for what touches a large part of the database.
func (s *Store) writeLarge(ctx context.Context, op string, fn func(*tx) error) error {
	return s.write(ctx, op, within(s.dialect.Large, s.dialect.Usual, fn))
}

// writeWiping is write for what must not stay readable once it is deleted. While
// somebody still reads, the last of it goes when the log is written anew.
func (s *Store) writeWiping(ctx context.Context, op string, fn func(*tx) error) error {
	err := s.write(ctx, op, s.dialect.wiping(fn))
	if err == nil && s.dialect.Scrub != "" {
		_, _ = s.writer.ExecContext(context.WithoutCancel(ctx), s.dialect.Scrub)
	}
	return err
}

// wiping makes a function overwrite what it deletes.
func (d *Dialect) wiping(fn func(*tx) error) func(*tx) error { return within(d.Wipe, d.Unwipe, fn) }

// within runs a function between two statements; "" is none.
func within(before, after string, fn func(*tx) error) func(*tx) error {
	if before == "" {
		return fn
	}
	return func(t *tx) error {
		if _, err := t.exec(before); err != nil {
			return err
		}
		err := fn(t)
		_, last := t.exec(after)
		return errors.Join(err, last)
	}
}

// read runs fn on one unchanging view of the database.
func (s *Store) read(ctx context.Context, op string, fn func(*tx) error) error {
	return s.run(ctx, s.reader, s.dialect.Reading, op, fn)
}

// tries bounds how often a transaction is run again that others got in the way
// of, and tryAfter is how long it waits for them at first.
const (
	tries    = 8
	tryAfter = 2 * time.Millisecond
)

func (s *Store) run(ctx context.Context, pool *sql.DB, o *sql.TxOptions, op string, fn func(*tx) error) error {
	var err error
	for n := range tries {
		var final bool
		if final, err = s.transact(ctx, pool, o, fn); err == nil {
			return nil
		}
		if final || ctx.Err() != nil || s.dialect.Again == nil || !s.dialect.Again(err) {
			break
		}
		time.Sleep(tryAfter<<n/2 + rand.N(tryAfter<<n))
	}
	// A transaction that its context ended reports whatever it stumbled over.
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if s.dialect.Explain != nil {
		err = s.dialect.Explain(err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// errRollback ends a transaction whose work is not to be kept. It is not an
// error to the caller.
var errRollback = errors.New("rolled back as asked")

// transact runs fn once; final tells that it must not be run again.
func (s *Store) transact(ctx context.Context, pool *sql.DB, o *sql.TxOptions, fn func(*tx) error) (final bool, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	begun, err := conn.BeginTx(ctx, o)
	if err != nil {
		return false, err
	}
	// Rolling back after a commit does nothing, so this covers panics too.
	defer begun.Rollback()
	within := ctx
	if !s.dialect.Interrupt {
		within = context.WithoutCancel(ctx)
	}
	t := &tx{sql: begun, conn: conn, ctx: within, dialect: &s.dialect, origin: store.OriginOf(ctx)}
	if err := fn(t); err != nil {
		if errors.Is(err, errRollback) {
			return t.final, nil
		}
		return t.final, err
	}
	return t.final, begun.Commit()
}
