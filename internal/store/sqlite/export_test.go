package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"tidings/internal/store/sqlstore"
)

// Explain is what the store does with the driver's errors.
var Explain = explain

// Mark makes a database one that was restored.
var Mark = mark

// MigrateTo makes a database as an older version of this program had it.
func MigrateTo(ctx context.Context, path string, version int64) error {
	o := settings(nil)
	if err := create(ctx, path, o); err != nil {
		return err
	}
	db := pool(path, o, &handles{busy: o.busy}, true)
	p, err := provider(db)
	if err == nil {
		_, err = p.UpTo(ctx, version)
	}
	return errors.Join(err, db.Close())
}

// Watched is a store on a current database that shows every query before it
// is run.
func Watched(path string, show func(query string)) (*sqlstore.Store, *sql.DB) {
	o := settings(nil)
	h := &handles{busy: o.busy}
	reader := pool(path, o, h, false)
	return sqlstore.New(pool(path, o, h, true), reader, sqlstore.Dialect{Now: now, Explain: explain, Rebind: func(q string) string {
		show(q)
		return q
	}}), reader
}
