package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"tidings/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of the database at path up to date, and gives the
// versions before and after. Processes that start at once wait for the one
// that migrates. A database that is up to date is only read. Errors are those
// of [Open].
func Migrate(ctx context.Context, path string, opts ...Option) (from, to int64, err error) {
	o := settings(opts)
	if err := create(ctx, path, o); err != nil {
		return 0, 0, fmt.Errorf("migrate database %s: %w", path, err)
	}
	db := pool(path, o, &handles{busy: o.busy}, true)
	defer db.Close()
	if from, to, err = migrate(ctx, db, path, o); err != nil {
		return from, from, fmt.Errorf("migrate database %s: %w", path, explain(err))
	}
	return from, to, nil
}

func migrate(ctx context.Context, db *sql.DB, path string, o options) (from, to int64, err error) {
	from, to, err = versions(ctx, db, o)
	if err != nil || from == to {
		return from, to, err
	}
	unlock, err := lock(ctx, path+lockSuffix, o.busy)
	if err != nil {
		return from, to, err
	}
	defer unlock()
	// What another process has applied meanwhile is not applied again.
	p, err := provider(db)
	if err == nil {
		_, err = p.Up(ctx)
	}
	return from, to, err
}

// versions gives the version of the schema, and the latest one known here.
func versions(ctx context.Context, db *sql.DB, o options) (version, latest int64, err error) {
	if latest, err = latestVersion(); err != nil {
		return 0, 0, err
	}
	err = patient(ctx, o.busy, func() (err error) {
		version, err = schemaVersion(ctx, db)
		return err
	})
	if err == nil && version > latest {
		err = fmt.Errorf("%w: its schema is version %d, this program knows versions up to %d; install the newer tidings again, or restore a backup from before the upgrade",
			store.ErrNewerSchema, version, latest)
	}
	return version, latest, err
}

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// latestVersion is the schema that this program works with.
func latestVersion() (latest int64, err error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	for _, name := range names {
		if err != nil {
			break
		}
		var v int64
		v, err = goose.NumericComponent(name)
		latest = max(latest, v)
	}
	return latest, err
}

// schemaVersion reads the version of the schema, without making the table
// that holds it; 0 for an empty database.
func schemaVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	var tables int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1`,
		goose.DefaultTablename).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM `+goose.DefaultTablename+
		` WHERE is_applied = 1`).Scan(&version)
	return version, err
}
