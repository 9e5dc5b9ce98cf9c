package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// behind calls fn for every row of a table behind a key (nil: for all), in the
// order of the primary key. fn must not keep the row.
func (d Database) behind(ctx context.Context, t Table, after []any, fn func(row []any) error) error {
	var order, params []string
	for i, k := range t.Key {
		order = append(order, t.Columns[k].Name)
		params = append(params, d.Engine.Param(i+1))
	}
	q := `SELECT ` + t.names() + ` FROM ` + t.Name
	if after != nil {
		q += ` WHERE (` + strings.Join(order, ", ") + `) > (` + strings.Join(params, ", ") + `)`
	}
	return d.each(ctx, t, fn, q+` ORDER BY `+strings.Join(order, ", "), after...)
}

// each calls fn for every row of a query for all columns of a table.
func (d Database) each(ctx context.Context, t Table, fn func(row []any) error, query string, args ...any) error {
	rows, err := d.Conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]any, len(t.Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// A portion is written in one transaction: large enough that its end costs
// little, small enough for any memory.
const (
	portionRows  = 5000
	portionBytes = 4 << 20
)

// A portion of a table.
type portion struct {
	rows [][]any
	last []any // the key of the last one, in the source
	size int   // bytes
}

// table copies what the target does not have yet of a table.
func (c *copier) table(ctx context.Context, t Table) error {
	after, err := c.reached(ctx, t)
	if err != nil {
		return err
	}
	var p portion
	err = c.from.behind(ctx, t, after, func(row []any) error {
		key, row := t.key(row), slices.Clone(row)
		if _, err := c.fit(t, row); err != nil {
			return err
		}
		p.rows, p.last = append(p.rows, row), key
		if p.size += weight(row); len(p.rows) < portionRows && p.size < portionBytes {
			return nil
		}
		return c.write(ctx, t, &p)
	})
	if err != nil {
		return err
	}
	return c.write(ctx, t, &p)
}

// weight is about how many bytes a row takes.
func weight(row []any) (n int) {
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
		n += 8
	}
	return n
}

// write adds a portion, notes that it is there, and empties it.
func (c *copier) write(ctx context.Context, t Table, p *portion) error {
	if len(p.rows) == 0 {
		return nil
	}
	err := c.to.within(ctx, func() error {
		if err := c.to.Engine.Insert(ctx, c.to.Conn, t, p.rows); err != nil {
			return err
		}
		return c.note(ctx, t, p.last)
	})
	if err != nil {
		return fmt.Errorf("%d rows up to %s: %w", len(p.rows), readable(p.last), err)
	}
	c.advance(int64(len(p.rows)))
	p.rows, p.size = p.rows[:0], 0
	return nil
}

func (c *copier) advance(rows int64) {
	if c.done += rows; c.Progress != nil {
		c.Progress(c.done, c.total)
	}
}

// within runs fn in a transaction of the one connection, so that engines may
// use it as they like.
func (d Database) within(ctx context.Context, fn func() error) error {
	if err := d.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		return d.exec(ctx, `COMMIT`)
	}
	_ = d.exec(context.WithoutCancel(ctx), `ROLLBACK`) // what failed is said; the connection ends with it
	return err
}

func (d Database) exec(ctx context.Context, query string, args ...any) error {
	_, err := d.Conn.ExecContext(ctx, query, args...)
	return err
}

// scalar reads one value; ok is false if there is no row.
func scalar[T any](ctx context.Context, d Database, query string, args ...any) (v T, ok bool, err error) {
	switch err = d.Conn.QueryRowContext(ctx, query, args...).Scan(&v); err {
	case nil:
		return v, true, nil
	case sql.ErrNoRows:
		return v, false, nil
	}
	return v, false, err
}
