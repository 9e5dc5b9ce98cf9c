package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"tidings/internal/store"
	"tidings/internal/store/transfer"
)

// engine is SQLite's [transfer.Engine].
type engine struct{}

var _ transfer.Engine = engine{}

// Param implements [transfer.Engine].
func (engine) Param(n int) string { return "?" + strconv.Itoa(n) }

// Exists implements [transfer.Engine].
func (engine) Exists(ctx context.Context, conn *sql.Conn, table string) (found bool, err error) {
	err = conn.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1`, table).Scan(&found)
	return found, err
}

// Tables implements [transfer.Engine].
func (e engine) Tables(ctx context.Context, conn *sql.Conn) (tables []transfer.Table, err error) {
	err = eachRow(ctx, conn, func(r *sql.Rows) error {
		var t transfer.Table
		err := r.Scan(&t.Name, &t.Numbered)
		tables = append(tables, t)
		return err
	}, `SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT IN (?1, ?2) ORDER BY name`,
		goose.DefaultTablename, transfer.ProgressTable)
	tables = slices.DeleteFunc(tables, func(t transfer.Table) bool { return slices.Contains(transfer.Local, t.Name) })
	for i := range tables {
		if err == nil {
			err = e.describe(ctx, conn, &tables[i])
		}
	}
	return tables, err
}

// kinds of the columns of strict tables.
var kinds = map[string]string{"INTEGER": transfer.Integer, "TEXT": transfer.Text, "BLOB": transfer.Bytes}

// describe adds the columns of a table, its key and what it refers to.
func (engine) describe(ctx context.Context, conn *sql.Conn, t *transfer.Table) error {
	place := map[int]int{} // in the key, from 1 → column
	err := eachRow(ctx, conn, func(r *sql.Rows) error {
		var c transfer.Column
		var declared string
		var key int
		if err := r.Scan(&c.Name, &declared, &key); err != nil {
			return err
		}
		if c.Kind = kinds[declared]; c.Kind == "" {
			return fmt.Errorf("column %s of table %s is of the unknown type %s", c.Name, t.Name, declared)
		}
		if key > 0 {
			place[key] = len(t.Columns)
		}
		t.Columns = append(t.Columns, c)
		return nil
	}, `SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY name`, t.Name)
	for i := 1; i <= len(place); i++ {
		t.Key = append(t.Key, place[i])
	}
	if err == nil && len(t.Key) == 0 {
		err = fmt.Errorf("table %s has no primary key", t.Name)
	}
	if err != nil {
		return err
	}
	return eachRow(ctx, conn, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		t.References = append(t.References, name)
		return err
	}, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?1) ORDER BY 1`, t.Name)
}

func eachRow(ctx context.Context, conn *sql.Conn, fn func(*sql.Rows) error, query string, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
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

// insertParams bounds the parameters of one statement: with more of them
// SQLite spends its time in looking them up.
const insertParams = 500

// Text implements [transfer.Engine].
func (engine) Text(s string) string { return s }

// Insert implements [transfer.Engine].
func (e engine) Insert(ctx context.Context, conn *sql.Conn, t transfer.Table, rows [][]any) error {
	for chunk := range slices.Chunk(rows, max(1, insertParams/len(t.Columns))) {
		if _, err := conn.ExecContext(ctx, insertion(t, len(chunk)), slices.Concat(chunk...)...); err != nil {
			return err
		}
	}
	return nil
}

func insertion(t transfer.Table, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + t.Name + " (")
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name)
	}
	b.WriteString(") VALUES ")
	for i := range rows * len(t.Columns) {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%len(t.Columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("?" + strconv.Itoa(i+1))
	}
	return b.String() + ")"
}

// LastNumber implements [transfer.Engine].
func (engine) LastNumber(ctx context.Context, conn *sql.Conn, t transfer.Table) (n int64, err error) {
	err = conn.QueryRowContext(ctx, `SELECT COALESCE(max(seq), 0) FROM sqlite_sequence WHERE name = ?1`, t.Name).Scan(&n)
	return n, err
}

// SetLastNumber implements [transfer.Engine].
func (engine) SetLastNumber(ctx context.Context, conn *sql.Conn, t transfer.Table, n int64) error {
	_, err := conn.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = ?1`, t.Name)
	if err == nil && n > 0 {
		_, err = conn.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)`, t.Name, n)
	}
	return err
}

// Settle implements [transfer.Engine].
func (engine) Settle(ctx context.Context, conn *sql.Conn) error {
	var table, parent string
	var row, key any
	err := conn.QueryRowContext(ctx, `PRAGMA foreign_key_check`).Scan(&table, &row, &parent, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err == nil:
		return fmt.Errorf("a row of %s refers to a row of %s that is missing: %w", table, parent, store.ErrNotFound)
	}
	return err
}

// busy reports whether somebody else has the file open or locked.
func busy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}
