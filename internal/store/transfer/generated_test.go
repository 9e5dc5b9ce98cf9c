package transfer_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tidings/internal/store/sqlite"
	"tidings/internal/store/transfer"
)

const (
	rowsEach   = 7
	lastNumber = 20      // that was given to a row, of those that are numbered
	many       = 5003    // more than a portion
	large      = 5 << 20 // bytes, more than a portion
)

// picked are the values that constraints allow, in turn; other columns get
// made-up ones.
var picked = map[string][]any{
	"alerts.passing":        {0, 1},
	"bounces.class":         {"hard", "soft", "block", "content", "relay", "complaint"},
	"circuits.state":        {"open", "half_open"},
	"deliveries.state":      {2, 3, 4, 5, 6},
	"deliveries.next_at":    {nil},
	"deliveries.holder":     {nil},
	"deliveries.edition_id": {1},
	"edition_groups.web":    {0, 1, 2},
	"edition_waves.status":  {"made", "skipped", "failed"},
	"edition_waves.missed":  {0, 1},
	"editions.manual":       {0, 1},
	"editions.missed":       {0, 1},
	"editions.status":       {"planned", "sending", "paused", "finished", "cancelled", "skipped", "failed"},
	"notices.state":         {"queued", "sent", "failed"},
	"subscribers.format":    {"html", "text"},
	"subscriptions.status":  {"pending", "active", "unsubscribed"},
	"subscriptions.zone":    {"Europe/Berlin"}, // of the subscriber
	"subscribers.timezone":  {"Europe/Berlin"},

	"wishes.personal":          {0, 1},
	"subscriptions.was_active": {0, 1},
	"bounces.lifted":           {0, 1},
	"term_slugs.present":       {0, 1},
	"deliveries.resent":        {0, 1, 2},
	"deliveries.code":          {0, 250, 451},
}

// generated makes a database with rows in every table that there is.
func generated(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	_, _, err := sqlite.Migrate(t.Context(), path)
	check(t, err)
	db := raw(t, path)
	defer db.Close()
	db.Exec(`PRAGMA synchronous = OFF`)
	_, err = db.Exec(`PRAGMA foreign_keys = OFF`) // tables come by name; it is looked at in the end
	check(t, err)
	tx, err := db.Begin()
	check(t, err)
	for _, table := range tables(t, tx) {
		n := rowsEach
		if table == "deliveries" {
			n = many
		}
		fill(t, tx, table, n)
	}
	_, err = tx.Exec(`UPDATE sqlite_sequence SET seq = ?1`, lastNumber)
	check(t, err)
	check(t, tx.Commit())
	var table string
	if err := db.QueryRow(`SELECT "table" FROM pragma_foreign_key_check`).Scan(&table); err != sql.ErrNoRows {
		t.Fatalf("the rows made up for %s refer to none: %v", table, err)
	}
	return path
}

type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

func tables(t *testing.T, db querier) (names []string) {
	t.Helper()
	rows, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'goose_db_version' AND name <> 'sqlite_stat1' ORDER BY name`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		if name != "sqlite_sequence" && !slices.Contains(transfer.Local, name) {
			names = append(names, name)
		}
	}
	check(t, rows.Err())
	return names
}

func fill(t *testing.T, tx *sql.Tx, table string, n int) {
	t.Helper()
	rows, err := tx.Query(`SELECT name, type, "notnull" OR pk > 0 FROM pragma_table_info(?1)`, table)
	check(t, err)
	type column struct {
		name, kind string
		required   bool
	}
	var columns []column
	var params []string
	for rows.Next() {
		var c column
		check(t, rows.Scan(&c.name, &c.kind, &c.required))
		columns = append(columns, c)
		params = append(params, fmt.Sprintf("?%d", len(columns)))
	}
	check(t, rows.Err())
	insert, err := tx.Prepare(`INSERT INTO ` + table + ` VALUES (` + strings.Join(params, ", ") + `)`)
	check(t, err)
	defer insert.Close()
	for i := 1; i <= n; i++ {
		var row []any
		for _, c := range columns {
			row = append(row, value(table+"."+c.name, c.kind, c.required, i))
		}
		if _, err := insert.Exec(row...); err != nil {
			t.Fatalf("row %d of %s: %v; name values that it takes above", i, table, err)
		}
	}
}

func value(name, kind string, required bool, i int) any {
	values := picked[name]
	switch {
	case len(values) > 0:
		return values[i%len(values)]
	case !required && i%3 == 0:
		return nil
	case kind == "INTEGER":
		return i
	case kind == "BLOB":
		if name == "post_sources.source" && i == 1 {
			return bytes.Repeat([]byte{0, 255}, large/2)
		}
		return [][]byte{{}, {0, byte(i), 255}, []byte("text")}[i%3]
	}
	return []string{"", "a", "Ä 😀\r\n\t'\"\\", "z"}[i%4] + fmt.Sprint(i)
}

// dump reads everything, in an order of its own.
func dump(t *testing.T, path string) map[string][][]any {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	all := map[string][][]any{}
	for _, table := range append(tables(t, db), "sqlite_sequence") {
		query := `SELECT * FROM ` + table + ` ORDER BY 1, 2`
		if table == "sqlite_sequence" { // migrations leave numbers of tables in there that are gone
			query = `SELECT name, seq FROM sqlite_sequence WHERE name IN (SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%' AND name <> 'goose_db_version') ORDER BY 1, 2`
		}
		rows, err := db.Query(query)
		check(t, err)
		columns, err := rows.Columns()
		check(t, err)
		for rows.Next() {
			row, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			check(t, rows.Scan(into...))
			all[table] = append(all[table], row)
		}
		check(t, rows.Err())
	}
	return all
}
