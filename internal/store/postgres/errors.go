package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"tidings/internal/store"
)

// A temporary is an error after which the same call may succeed later. It is
// [store.ErrLocked] to callers, in words of its own.
type temporary struct {
	what string
	err  error
}

func (t *temporary) Error() string        { return t.what + " (" + t.err.Error() + ")" }
func (t *temporary) Unwrap() error        { return t.err }
func (t *temporary) Is(target error) bool { return target == store.ErrLocked }

// passing reports whether a transaction failed only because of others at the
// same time: a deadlock, a view that could not be kept, or a key that another
// one has taken between look and insertion is worth another try.
func passing(err error) bool {
	switch code(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// code is the SQLSTATE of an error; "" if it has none.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// explain gives a driver's error the meaning it has for the caller.
func explain(err error) error {
	var known *temporary
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	switch c := code(err); {
	case c == "":
		return unreached(err)
	case c == "23505":
		return fmt.Errorf("%w (%w)", store.ErrExists, err)
	case c == "23503":
		return fmt.Errorf("it names a record that is missing: %w (%w)", store.ErrNotFound, err)
	case c == "40001", c == "40P01", c == "55P03":
		return &temporary{"the database is busy with other writers", err}
	case c == "57P01", c == "57P02", c == "57P03", c == "57P05", strings.HasPrefix(c, "08"):
		return &temporary{"the database server stops, starts or does not answer", err}
	case c == "53300":
		return &temporary{"the database server has no connection left: raise its max_connections, or put fewer daemons on it", err}
	case c == "25006":
		return fmt.Errorf("%w (%w): it is read-only; database.url has to name the primary server, not a standby", store.ErrUnwritable, err)
	case c == "53100":
		return fmt.Errorf("%w (%w): make room on the disk of the database server", store.ErrUnwritable, err)
	case c == "42501":
		return fmt.Errorf("%w (%w): the user of database.url has to own the database, or its schema: GRANT ALL ON SCHEMA public TO that user", store.ErrUnwritable, err)
	case strings.HasPrefix(c, "53"), strings.HasPrefix(c, "58"):
		return fmt.Errorf("%w (%w): look at the database server's log", store.ErrUnwritable, err)
	case c == "28P01", c == "28000":
		return fmt.Errorf("%w: the server refuses the user or the password of database.url", withoutPassword(err))
	case c == "3D000":
		return fmt.Errorf("%w: make it (CREATE DATABASE … OWNER …), or mend database.url", withoutPassword(err))
	}
	return err
}

// unreached explains errors that did not come from the server.
func unreached(err error) error {
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect):
		return &temporary{"the database server cannot be reached; see that it runs, and that database.url names it", withoutPassword(err)}
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		strings.Contains(err.Error(), "conn closed"):
		return &temporary{"the connection to the database was lost", err}
	}
	return err
}

// A discreet error is one whose text leaves out what could hold a password.
type discreet struct{ err error }

func withoutPassword(err error) error { return discreet{err} }

func (d discreet) Error() string {
	var parse *pgconn.ParseConfigError
	if errors.As(d.err, &parse) {
		return "it cannot be understood; it looks like postgres://user:password@host/name, with special characters in a password written %XX"
	}
	return d.err.Error() // pgx leaves out the password
}

func (d discreet) Unwrap() error { return d.err }
