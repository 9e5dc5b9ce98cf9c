package sqlite

import (
	"database/sql"

	"tidings/internal/store/sqlstore"
)

// Explain is what the store does with the driver's errors.
var Explain = explain

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
