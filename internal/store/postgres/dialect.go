package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"tidings/internal/store/sqlstore"
)

func dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Rebind:     (&rebinder{}).rebind,
		SkipLocked: " FOR NO KEY UPDATE OF d SKIP LOCKED",
		ForUpdate:  " FOR NO KEY UPDATE OF ", // references to the row may be checked meanwhile
		Lock:       "SELECT pg_advisory_xact_lock(hashtextextended(?1, 0))",
		Now:        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
		Reading:    &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Interrupt:  true, // a server may be out of reach
		Again:      passing,
		Copy:       copyRows,
		Numbers:    "SELECT nextval(pg_get_serial_sequence(?1, 'id')) FROM generate_series(1, ?2)",
		Once:       pgx.QueryExecModeDescribeExec,
		Text:       storable,
		Explain:    explain,
	}
}

// A rebinder writes ?1 as $1. It keeps what it has written: there are a few
// hundred queries, but for those that name their rows.
type rebinder struct{ known sync.Map }

// longest is the longest query that is kept.
const longest = 4 << 10

var parameter = regexp.MustCompile(`\?(\d+)`)

func (r *rebinder) rebind(query string) string {
	if len(query) > longest {
		return parameter.ReplaceAllString(query, `$$$1`)
	}
	if known, ok := r.known.Load(query); ok {
		return known.(string)
	}
	bound := parameter.ReplaceAllString(query, `$$$1`)
	r.known.Store(query, bound)
	return bound
}

// storable replaces what PostgreSQL does not take in a text: NUL, and what is
// not UTF-8.
func storable(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func copyRows(ctx context.Context, conn any, table string, columns []string, rows [][]any) error {
	c, ok := conn.(*stdlib.Conn)
	if !ok {
		return fmt.Errorf("copy rows: %T is not a connection to PostgreSQL", conn)
	}
	_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}
