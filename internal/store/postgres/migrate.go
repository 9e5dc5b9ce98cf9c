package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"tidings/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrating is the number of the lock that keeps daemons from migrating a
// database at the same time.
const migrating = 7_164_736_825

// Migrate brings the schema of the database up to date, and gives the versions
// before and after. Processes that start at once wait for the one that
// migrates. Errors are those of [Open].
func Migrate(ctx context.Context, address string) (from, to int64, err error) {
	c, err := configure(address, options{})
	if err != nil {
		return 0, 0, err
	}
	db := pool(c, 2, 1)
	defer db.Close()
	if from, to, err = migrate(ctx, db); err != nil {
		return from, from, fmt.Errorf("migrate database %s: %w", Name(address), explain(err))
	}
	return from, to, nil
}

func migrate(ctx context.Context, db *sql.DB) (from, to int64, err error) {
	from, to, err = versions(ctx, db)
	if err != nil || from == to {
		return from, to, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return from, to, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrating); err != nil {
		return from, to, err
	}
	// What another process has applied meanwhile is not applied again.
	p, err := provider(db)
	if err == nil {
		_, err = p.Up(ctx)
	}
	_, unlocked := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrating)
	return from, to, errors.Join(err, unlocked)
}

// versions gives the version of the schema, and the latest one known here.
func versions(ctx context.Context, db *sql.DB) (version, latest int64, err error) {
	if latest, err = latestVersion(); err != nil {
		return 0, 0, err
	}
	if version, err = schemaVersion(ctx, db); err == nil && version > latest {
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
	return goose.NewProvider(goose.DialectPostgres, db, files,
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
	var there bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, goose.DefaultTablename).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM `+goose.DefaultTablename+
		` WHERE is_applied`).Scan(&version)
	return version, err
}
