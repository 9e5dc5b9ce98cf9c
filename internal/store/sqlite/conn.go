package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// handles are what all connections to one database have in common.
type handles struct {
	busy  time.Duration // to wait for another process's lock
	stale atomic.Int64  // generation of connections that are of no use any more
}

// retire has all connections closed that were opened by now, each when nobody
// uses it. A handle that was opened while the file could not be written stays
// read-only for ever, and one to a file that was replaced is to the old one.
func (h *handles) retire() { h.stale.Add(1) }

// A connector opens connections without the global registry of drivers.
type connector struct {
	dsn     string
	handles *handles
}

// Driver implements [driver.Connector].
func (c *connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{ConnectHook: limitJournal} }

// Connect implements [driver.Connector].
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	generation := c.handles.stale.Load()
	var opened driver.Conn
	err := patient(ctx, c.handles.busy, func() (err error) {
		opened, err = c.Driver().Open(c.dsn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &conn{opened.(*sqlite3.SQLiteConn), c.handles, generation}, nil
}

// A conn waits for locks itself, so that whoever waits can be told to stop:
// SQLite would not hear of it.
type conn struct {
	*sqlite3.SQLiteConn
	handles    *handles
	generation int64
}

var (
	_ driver.ConnBeginTx     = (*conn)(nil)
	_ driver.SessionResetter = (*conn)(nil)
	_ driver.Validator       = (*conn)(nil)
)

// BeginTx implements [driver.ConnBeginTx].
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (tx driver.Tx, err error) {
	err = patient(ctx, c.handles.busy, func() (err error) {
		tx, err = c.SQLiteConn.BeginTx(ctx, opts)
		return err
	})
	return tx, err
}

// IsValid implements [driver.Validator].
func (c *conn) IsValid() bool { return c.generation == c.handles.stale.Load() }

// ResetSession implements [driver.SessionResetter].
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// explain gives an error its meaning, and gives up handles that cannot write.
func (h *handles) explain(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.Code == sqlite3.ErrReadonly {
		h.retire()
	}
	return explain(err)
}

// limitJournal sets what the driver has no setting for.
func limitJournal(conn *sqlite3.SQLiteConn) error {
	_, err := conn.Exec("PRAGMA journal_size_limit = "+strconv.Itoa(journalSizeLimit)+"; PRAGMA wal_autocheckpoint = "+strconv.Itoa(checkpointAt), nil)
	return err
}
