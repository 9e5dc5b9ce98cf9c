package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"tidings/internal/store"
	"tidings/internal/store/transfer"
)

// engine is PostgreSQL's [transfer.Engine].
type engine struct{}

var _ transfer.Engine = engine{}

// Param implements [transfer.Engine].
func (engine) Param(n int) string { return "$" + strconv.Itoa(n) }

// Exists implements [transfer.Engine].
func (engine) Exists(ctx context.Context, conn *sql.Conn, table string) (found bool, err error) {
	err = conn.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&found)
	return found, err
}

// Tables implements [transfer.Engine].
func (e engine) Tables(ctx context.Context, conn *sql.Conn) (tables []transfer.Table, err error) {
	err = eachRow(ctx, conn, func(r *sql.Rows) error {
		var t transfer.Table
		err := r.Scan(&t.Name, &t.Numbered)
		tables = append(tables, t)
		return err
	}, `SELECT c.relname, EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '')
		FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
		AND NOT c.relname = ANY ($1) ORDER BY c.relname COLLATE "C"`,
		append([]string{goose.DefaultTablename, transfer.ProgressTable}, transfer.Local...))
	for i := range tables {
		if err == nil {
			err = e.describe(ctx, conn, &tables[i])
		}
	}
	return tables, err
}

// kinds of column.
var kinds = map[string]string{
	"bigint": transfer.Integer, "integer": transfer.Integer, "smallint": transfer.Integer,
	"text": transfer.Text, "bytea": transfer.Bytes,
}

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
	}, `SELECT a.attname, format_type(a.atttypid, NULL), COALESCE(array_position(i.indkey::int2[], a.attnum), -1) + 1
		FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
		WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname COLLATE "C"`, t.Name)
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
	}, `SELECT DISTINCT c.relname FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid
		WHERE f.contype = 'f' AND f.conrelid = to_regclass($1)`, t.Name)
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

// Text implements [transfer.Engine].
func (engine) Text(s string) string { return storable(s) }

// Insert implements [transfer.Engine].
func (engine) Insert(ctx context.Context, conn *sql.Conn, t transfer.Table, rows [][]any) error {
	var columns []string
	for _, c := range t.Columns {
		columns = append(columns, c.Name)
	}
	return conn.Raw(func(driver any) error { return copyRows(ctx, driver, t.Name, columns, rows) })
}

// LastNumber implements [transfer.Engine].
func (engine) LastNumber(ctx context.Context, conn *sql.Conn, t transfer.Table) (n int64, err error) {
	err = conn.QueryRowContext(ctx, `SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass), 0)`, t.Name).Scan(&n)
	return n, err
}

// SetLastNumber implements [transfer.Engine].
func (engine) SetLastNumber(ctx context.Context, conn *sql.Conn, t transfer.Table, n int64) error {
	_, err := conn.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence($1, 'id'), $2, $3)`, t.Name, max(n, 1), n > 0)
	return err
}

// Settle implements [transfer.Engine].
func (engine) Settle(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `ANALYZE`)
	return err
}

// OpenSource opens a database to be copied, as it is at this instant; close
// ends that. Unless shared, nobody else may be connected to it:
// [store.ErrLocked] if somebody is.
func OpenSource(ctx context.Context, address string, shared bool) (d transfer.Database, close func() error, err error) {
	d, close, err = connect(ctx, address, options{readOnly: true}, func(db *sql.DB) error {
		version, latest, err := versions(ctx, db)
		switch {
		case err == nil && version == 0:
			err = fmt.Errorf("it is no database of tidings: %w", store.ErrNotFound)
		case err == nil && version < latest:
			err = fmt.Errorf("its schema is version %d, this program copies version %d: run tidings db migrate, with database.url naming it", version, latest)
		case err == nil && !shared:
			if err = alone(ctx, db); err != nil {
				err = fmt.Errorf("%w: stop it, or copy the database as it is now with --online", err)
			}
		}
		if err == nil {
			err = whole(ctx, db)
		}
		return err
	})
	if err != nil {
		return d, nil, err
	}
	// The view begins with the first look, not with BEGIN.
	var rows int
	_, err = d.Conn.ExecContext(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	if err == nil && !shared {
		err = keepWritersOut(ctx, d)
	}
	if err == nil {
		err = d.Conn.QueryRowContext(ctx, `SELECT count(*) FROM meta`).Scan(&rows)
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("read database %s: %w", d.Name, explain(err)), close())
	}
	return d, close, nil
}

// alone refuses a database that others are connected to.
func alone(ctx context.Context, db *sql.DB) error {
	var others int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'tidings'`).Scan(&others)
	if err == nil && others > 0 {
		err = &temporary{"the database is in use, by a daemon or another command", fmt.Errorf("%d connections", others)}
	}
	return err
}

// keepWritersOut locks all that there is until the transaction ends.
func keepWritersOut(ctx context.Context, d transfer.Database) error {
	tables, err := d.Engine.Tables(ctx, d.Conn)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range tables {
		names = append(names, t.Name)
	}
	_, err = d.Conn.ExecContext(ctx, `LOCK TABLE `+strings.Join(names, ", ")+` IN SHARE MODE NOWAIT`)
	return err
}

// OpenTarget opens a database to be copied into, and brings its schema up to
// date. Nobody can open it as a store before the copy is complete; close ends
// the work on it.
func OpenTarget(ctx context.Context, address string) (d transfer.Database, close func() error, err error) {
	d, close, err = connect(ctx, address, options{anyClock: true}, func(db *sql.DB) error {
		_, _, err := migrate(ctx, db)
		if err == nil {
			err = alone(ctx, db)
		}
		return err
	})
	if err != nil {
		return d, nil, err
	}
	// Until the connection ends, that of one that was killed, too: which may
	// take the server a moment to notice.
	_, err = d.Conn.ExecContext(ctx, `SET lock_timeout = '5s'; SELECT pg_advisory_lock(`+strconv.Itoa(copying)+`)`)
	if passing(err) {
		err = &temporary{"another copy into it is under way", err}
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("open database %s: %w", d.Name, explain(err)), close())
	}
	return d, close, nil
}

// copying is the number of the lock that keeps two copies from one target.
const copying = migrating + 1

// connect opens the one connection that a copy needs, once ready has looked at
// the database. close may be called twice.
func connect(ctx context.Context, address string, o options, ready func(*sql.DB) error) (d transfer.Database, close func() error, err error) {
	c, err := configure(address, o)
	if err != nil {
		return d, nil, err
	}
	c.RuntimeParams["application_name"] = "tidings-copy" // alone must not find ourselves
	looking := pool(c, 2, 0)
	err = ready(looking)
	err = errors.Join(err, looking.Close())
	db := pool(c, 1, 1)
	if err == nil {
		d.Name, d.Engine = Name(address), engine{}
		d.Conn, err = db.Conn(ctx)
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("open database %s: %w", Name(address), explain(err)), db.Close())
	}
	return d, func() error { return errors.Join(transfer.Release(d.Conn), db.Close()) }, nil
}

// whole refuses a database into which a copy was not finished.
func whole(ctx context.Context, db *sql.DB) error {
	var unfinished bool
	err := db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, transfer.ProgressTable).Scan(&unfinished)
	if err == nil && unfinished {
		err = fmt.Errorf("%w: %w", store.ErrConflict, transfer.ErrUnfinished)
	}
	return err
}
