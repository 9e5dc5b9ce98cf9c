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
	// ctx has no cancellation of its own: the transaction ends with its
	// caller's context, between two statements. The SQLite driver starts a
	// goroutine for each statement that could be cancelled, which would cost
	// half of the speed of writing a million rows.
	ctx     context.Context
	dialect *Dialect
	origin  store.Origin // of what a person does in it
}

func (t *tx) bind(query string) string {
	if t.dialect.Rebind == nil {
		return query
	}
	return t.dialect.Rebind(query)
}

// exec runs a statement and gives the number of rows it changed.
func (t *tx) exec(query string, args ...any) (int, error) {
	res, err := t.sql.ExecContext(t.ctx, t.bind(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
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
	err = t.sql.QueryRowContext(t.ctx, t.bind(query), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls fn for every row of a query.
func (t *tx) each(query string, args []any, fn func(row) error) error {
	rows, err := t.sql.QueryContext(t.ctx, t.bind(query), args...)
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

// scalar reads a row of one column.
func scalar[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}
