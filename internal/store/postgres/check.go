package postgres

import (
	"context"
	"database/sql"
	"fmt"
)

// Check looks for damage: in references between tables that the server does
// not keep itself, and in the accounts of the editions. It gives what it found,
// nothing if all is well. It reads all deliveries and changes nothing.
func Check(ctx context.Context, address string) (problems []string, err error) {
	o := options{readOnly: true}
	c, err := configure(address, o)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, address, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	db := pool(c, 1, 1)
	defer db.Close()
	if problems, err = checkReferences(ctx, db); err != nil {
		return nil, fmt.Errorf("check database %s: %w", Name(address), explain(err))
	}
	found, err := s.CheckEditions(ctx)
	return append(problems, found...), err
}

// checkReferences looks for deliveries of no edition: that reference is not
// declared.
func checkReferences(ctx context.Context, db *sql.DB) (problems []string, err error) {
	var orphans int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT DISTINCT edition_id FROM deliveries) d
		WHERE NOT EXISTS (SELECT 1 FROM editions e WHERE e.id = d.edition_id)`).Scan(&orphans)
	if err == nil && orphans > 0 {
		problems = append(problems, fmt.Sprintf("rows of deliveries refer to %d rows of editions that are missing", orphans))
	}
	return problems, err
}
