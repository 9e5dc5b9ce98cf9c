package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"tidings/internal/store"
)

// A tx is one transaction. It lives no longer than the method that began it.
type tx struct {
	sql *sql.Tx
	// Unless the dialect says so, ctx has no cancellation of its own: the transaction ends with its
	// caller's context, between two statements. The SQLite driver starts a
	// goroutine for each statement that could be cancelled, which would cost
	// half of the speed of writing a million rows.
	ctx     context.Context
	dialect *Dialect
	conn    *sql.Conn
	origin  store.Origin // of what a person does in it
	rare    bool         // its queries are not worth keeping prepared
	final   bool         // it must not be run again
}

// rarely is the transaction for queries that are hardly ever run twice with the
// same text.
func (t *tx) rarely() *tx {
	rare := *t
	rare.rare = true
	return &rare
}

// bind gives a query and its arguments as the engine wants them.
func (t *tx) bind(query string, args []any) (string, []any) {
	d := t.dialect
	if d.Rebind != nil {
		query = d.Rebind(query)
	}
	if d.Text != nil {
		for i, a := range args {
			if s, ok := a.(string); ok {
				args[i] = d.Text(s)
			}
		}
	}
	if t.rare && d.Once != nil {
		args = append([]any{d.Once}, args...)
	}
	return query, args
}

// exec runs a statement and gives the number of rows it changed.
func (t *tx) exec(query string, args ...any) (int, error) {
	query, args = t.bind(query, args)
	res, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// insert adds a row and gives its number, on an engine that tells it.
func (t *tx) insert(query string, args ...any) (int64, error) {
	query, args = t.bind(query, args)
	res, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// execOne runs a statement that must change a row; [store.ErrNotFound] if it
// does not.
func (t *tx) execOne(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

// A row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// one reads the single row of a query into dest; [store.ErrNotFound] if there
// is none.
func (t *tx) one(query string, args []any, dest ...any) error {
	found, err := t.maybe(query, args, dest...)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// maybe is one for a row that need not be there.
func (t *tx) maybe(query string, args []any, dest ...any) (found bool, err error) {
	query, args = t.bind(query, args)
	err = t.sql.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls fn for every row of a query.
func (t *tx) each(query string, args []any, fn func(row) error) error {
	query, args = t.bind(query, args)
	rows, err := t.sql.QueryContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// all gives what read makes of every row of a query.
func all[T any](t *tx, read func(row) (T, error), query string, args ...any) ([]T, error) {
	var list []T
	err := t.each(query, args, func(r row) error {
		v, err := read(r)
		list = append(list, v)
		return err
	})
	return list, err
}

// count gives the number that a query counts: room for rows that are read next,
// which is cheaper than to grow.
func (t *tx) count(query string) (n int, err error) {
	return n, t.one(query, nil, &n)
}

// scalar reads a row of one column.
func scalar[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}
