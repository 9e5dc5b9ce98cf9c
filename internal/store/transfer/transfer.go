// Package transfer moves the whole content of one database into another, of
// the same engine or not, and proves that it arrived: rows are read in the
// order of their primary keys on one unchanging view of the source, written in
// portions, each with a note of how far it got, and in the end both databases
// are read once more and compared, table by table. What tables there are is
// asked of the databases themselves, so that none can be forgotten. What
// differs between engines is an [Engine]; packages sqlite and postgres have
// one each.
package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	// ErrForeign is returned where the target is not empty.
	ErrForeign = errors.New("the target holds data already")
	// ErrDiffers is returned where what arrived is not what was sent.
	ErrDiffers = errors.New("the copy differs from its source")
	// ErrText is returned where the target cannot keep a text as it is.
	ErrText = errors.New("a text that the target cannot keep")
)

// Local are tables of what runs at present on one database, which means nothing
// to another: who sends, and whose claims they took over.
var Local = []string{"holders", "inherited"}

// An Engine is what moving needs of one kind of database.
type Engine interface {
	// Tables describes every table that holds content: all but those in
	// which migrations and transfers note how far they are, and those of
	// what runs at present. Texts in primary keys are sorted by bytes.
	Tables(ctx context.Context, conn *sql.Conn) ([]Table, error)
	// Exists reports whether there is a table of that name.
	Exists(ctx context.Context, conn *sql.Conn, table string) (bool, error)
	// Param is the nth parameter of a query, from 1.
	Param(n int) string
	// Text is what a text becomes where this engine keeps it; most stay as
	// they are.
	Text(s string) string
	// Insert adds rows within the transaction that conn is in.
	Insert(ctx context.Context, conn *sql.Conn, t Table, rows [][]any) error
	// LastNumber gives the last number given to a row of a numbered table,
	// 0 for none; SetLastNumber has the next row get the one after n.
	LastNumber(ctx context.Context, conn *sql.Conn, t Table) (int64, error)
	SetLastNumber(ctx context.Context, conn *sql.Conn, t Table, n int64) error
	// Settle looks over what was written: references, statistics.
	Settle(ctx context.Context, conn *sql.Conn) error
}

// A Database is one connection to a database. That to a source is in a
// transaction which sees one unchanging state; that to a target is in none.
type Database struct {
	Name   string // as people know it, without secrets
	Engine Engine
	Conn   *sql.Conn
}

// Release gives a connection back; one that was given back is no error.
func Release(conn *sql.Conn) error {
	if err := conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

// Progress is called with the rows written so far, of all that there are.
type Progress func(done, total int64)

// Options of a copy.
type Options struct {
	Progress Progress // nil: nobody looks
	// Replace has U+FFFD stand for characters that the target cannot keep;
	// else the first of them ends the copy.
	Replace bool
	// Saved, if not zero, is as of when the source is: the target gets the
	// mark of a database that was restored ([Mark]).
	Saved time.Time
}

// A Copied table, and what it holds.
type Copied struct {
	Table string
	Sum
	Replaced []Place // whose characters were replaced, in any order
}

// Copy moves everything from one database to another, which is empty or holds
// the beginning of a copy of the same source: that is gone on with. It gives
// what arrived, by the names of tables. Errors are [ErrForeign],
// [ErrDiffers], [ErrText] and those of the databases.
func Copy(ctx context.Context, from, to Database, o Options) ([]Copied, error) {
	c := copier{from: from, to: to, Options: o}
	var err error
	if from.Name == to.Name {
		err = errors.New("they are one database")
	}
	if err == nil {
		err = c.plan(ctx)
	}
	if err == nil {
		err = c.begin(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("copy %s to %s: %w", from.Name, to.Name, err)
	}
	for _, t := range c.tables {
		if err := c.table(ctx, t); err != nil {
			return nil, fmt.Errorf("copy table %s to %s: %w", t.Name, to.Name, err)
		}
	}
	copied, err := c.finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("copy %s to %s: %w", from.Name, to.Name, err)
	}
	return copied, nil
}

// A copier is one call of [Copy].
type copier struct {
	Options
	from, to    Database
	tables      []Table         // as the source has them, referenced ones first
	numbered    map[string]bool // tables whose numbers the target counts
	done, total int64           // rows
}

// plan finds what is to be copied, and that the target has room for all of it.
func (c *copier) plan(ctx context.Context) error {
	tables, err := c.from.Engine.Tables(ctx, c.from.Conn)
	if err != nil {
		return err
	}
	theirs, err := c.to.Engine.Tables(ctx, c.to.Conn)
	if err != nil {
		return err
	}
	if err := alike(tables, theirs); err != nil {
		return err
	}
	c.numbered = map[string]bool{}
	for i, t := range theirs { // which are alike, and by name
		c.numbered[t.Name] = t.Numbered
		tables[i].References = append(tables[i].References, t.References...)
	}
	if c.tables, err = inOrder(tables); err != nil {
		return err
	}
	for _, t := range c.tables {
		n, err := count(ctx, c.from, t)
		if err != nil {
			return err
		}
		c.total += n
	}
	return nil
}

func count(ctx context.Context, d Database, t Table) (n int64, err error) {
	err = d.Conn.QueryRowContext(ctx, `SELECT count(*) FROM `+t.Name).Scan(&n)
	return n, err
}

// finish sets what is not in tables, and compares the databases.
func (c *copier) finish(ctx context.Context) ([]Copied, error) {
	if err := c.number(ctx); err != nil {
		return nil, err
	}
	copied, err := c.compare(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.to.Engine.Settle(ctx, c.to.Conn); err != nil {
		return nil, err
	}
	slices.SortFunc(copied, func(a, b Copied) int { return compareNames(a.Table, b.Table) })
	return copied, c.release(ctx)
}

// release ends a copy: the target is a database like any other.
func (c *copier) release(ctx context.Context) error {
	return c.to.within(ctx, func() error {
		if !c.Saved.IsZero() {
			if err := mark(ctx, c.to, c.Saved); err != nil {
				return err
			}
		}
		return c.to.exec(ctx, `DROP TABLE `+ProgressTable)
	})
}

// number has the target go on counting where the source would.
func (c *copier) number(ctx context.Context) error {
	for _, t := range c.tables {
		if !c.numbered[t.Name] {
			continue
		}
		n, err := c.lastNumber(ctx, t)
		if err == nil {
			err = c.to.Engine.SetLastNumber(ctx, c.to.Conn, t, n)
		}
		if err != nil {
			return fmt.Errorf("numbers of %s: %w", t.Name, err)
		}
	}
	return nil
}

// lastNumber is the source's; one that does not count goes by what is there.
func (c *copier) lastNumber(ctx context.Context, t Table) (n int64, err error) {
	if t.Numbered {
		return c.from.Engine.LastNumber(ctx, c.from.Conn, t)
	}
	err = c.from.Conn.QueryRowContext(ctx, `SELECT COALESCE(max(`+t.Columns[t.Key[0]].Name+`), 0) FROM `+t.Name).Scan(&n)
	return n, err
}
