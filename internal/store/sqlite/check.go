package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Check looks for damage: in the file, in references between tables, and in
// the accounts of the editions. It gives what it found, nothing if all is
// well. It reads the whole database and changes nothing.
func Check(ctx context.Context, path string) (problems []string, err error) {
	o := settings([]Option{ReadOnly()})
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	db := pool(path, o, &handles{busy: o.busy}, false)
	defer db.Close()
	for _, check := range []func(context.Context, *sql.DB) ([]string, error){checkFile, checkReferences} {
		found, err := check(ctx, db)
		if err != nil {
			return nil, fmt.Errorf("check database %s: %w", path, explain(err))
		}
		problems = append(problems, found...)
	}
	found, err := s.CheckEditions(ctx)
	return append(problems, found...), err
}

func checkFile(ctx context.Context, db *sql.DB) (problems []string, err error) {
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var message string
		if err := rows.Scan(&message); err != nil {
			return nil, err
		}
		if message != "ok" {
			problems = append(problems, message)
		}
	}
	return problems, rows.Err()
}

func checkReferences(ctx context.Context, db *sql.DB) (problems []string, err error) {
	rows, err := db.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var table, parent string
		var rowid, key sql.NullInt64
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return nil, err
		}
		problems = append(problems, fmt.Sprintf("a row of %s refers to a row of %s that is missing", table, parent))
	}
	return problems, rows.Err()
}
