// Package postgres opens the database on a PostgreSQL server (driver:
// jackc/pgx). It owns the schema with its migrations, the connection settings
// and the meaning of the driver's errors. The queries are package sqlstore's.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"tidings/internal/store"
	"tidings/internal/store/sqlstore"
)

const (
	connectWithin  = 10 * time.Second // unless the address says connect_timeout
	maxWriters     = 8                // connections that write
	maxReaders     = 16
	idleReaders    = 4
	statementCache = 256 // prepared statements per connection
	lockTimeout    = "60s"
	silence        = 20 * time.Second // of a peer, after which a connection is lost
	idleInside     = "60s"            // how long a transaction may wait for its client, which may be gone
)

// An Option changes how a database is opened.
type Option func(*options)

type options struct {
	readOnly bool
	anyClock bool

	sharedClock bool
}

// ReadOnly opens an existing database without ever writing to it: it is not
// migrated, and every writing method fails with [store.ErrUnwritable].
func ReadOnly() Option { return func(o *options) { o.readOnly = true } }

// AnyClock takes every instant as it comes, for a rehearsal; otherwise see
// [store.Timekeeping].
func AnyClock() Option { return func(o *options) { o.anyClock = true } }

// SharedClock refuses to plan and to claim at instants that are more than
// [store.ClockSkew] from the server's clock; the error is [store.ErrClock].
func SharedClock() Option { return func(o *options) { o.sharedClock = true } }

func settings(opts []Option) (o options) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Open opens the database at an address such as postgres://user:password@host/name
// and brings its schema up to date. Its error is [store.ErrNewerSchema] where a
// newer version of this program wrote the database, [store.ErrLocked] where it
// cannot be reached at present, or [store.ErrUnwritable]. No error holds the
// password.
func Open(ctx context.Context, address string, opts ...Option) (store.Store, error) {
	s, err := open(ctx, address, settings(opts))
	if err != nil {
		return nil, err // not a nil *sqlstore.Store, which is not a nil store.Store
	}
	return s, nil
}

func open(ctx context.Context, address string, o options) (*sqlstore.Store, error) {
	c, err := configure(address, o)
	if err != nil {
		return nil, err
	}
	writer, reader := pool(c, maxWriters, 2), pool(c, maxReaders, idleReaders)
	if err := prepare(ctx, writer, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", Name(address), explain(err)), writer.Close(), reader.Close())
	}
	s := sqlstore.New(writer, reader, dialect())
	if o.anyClock {
		s.AnyClock()
	}
	if o.sharedClock {
		s.SharedClock()
	}
	return s, nil
}

// prepare sees to it that the schema is the one this program works with, and
// the content complete.
func prepare(ctx context.Context, db *sql.DB, o options) error {
	if err := whole(ctx, db); err != nil {
		return err
	}
	if !o.readOnly {
		_, _, err := migrate(ctx, db)
		return err
	}
	version, latest, err := versions(ctx, db)
	if err == nil && version < latest {
		err = fmt.Errorf("its schema is version %d, this program needs version %d: run tidings db migrate", version, latest)
	}
	return err
}

// configure reads an address and sets what every connection has in common.
func configure(address string, o options) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("the address of the database: %w", withoutPassword(err))
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectWithin
	}
	c.StatementCacheCapacity = statementCache
	c.DialFunc = dial(c.ConnectTimeout)
	defaults := map[string]string{
		"application_name": "tidings",
		"lock_timeout":     lockTimeout,
		// What a client holds that stands still, or is cut off, is free again for
		// the others.
		"idle_in_transaction_session_timeout": idleInside,
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "2",
		"tcp_user_timeout":                    "20000",
		// What is recorded as sent survives a power cut, whatever the server's default.
		"synchronous_commit": "on",
		// The times of a day and texts play no part: these only keep errors legible.
		"client_encoding": "UTF8",
	}
	if o.readOnly {
		defaults["default_transaction_read_only"] = "on"
	}
	if o.anyClock {
		defaults["synchronous_commit"] = "off" // what is rehearsed need not, and time flies
	}
	for name, value := range defaults {
		if _, given := c.RuntimeParams[name]; !given || name == "default_transaction_read_only" {
			c.RuntimeParams[name] = value
		}
	}
	return c, nil
}

func pool(c *pgx.ConnConfig, most, idle int) *sql.DB {
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(idle)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// CheckAddress says what is wrong with an address, without its password.
func CheckAddress(address string) error {
	_, err := configure(address, options{})
	return err
}

// Name is an address without its password, for people to read.
func Name(address string) string {
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return "postgres"
	}
	return fmt.Sprintf("postgres://%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database)
}
