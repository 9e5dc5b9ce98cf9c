package main

import (
	"cmp"
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"tidings/internal/daemon"
	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/sqlite"
)

// This file chooses the engine of the configured database.

// openStore opens the database.
func (a *app) openStore(ctx context.Context) (store.Store, error) {
	if file, ok := a.cfg.Database.SQLite(); ok {
		var options []sqlite.Option
		if a.clock.Rehearsing() {
			options = append(options, sqlite.AnyClock())
		}
		return sqlite.Open(ctx, file, options...)
	}
	options := []postgres.Option{postgres.SharedClock()}
	if a.clock.Rehearsing() {
		options = append(options, postgres.AnyClock())
	}
	return postgres.Open(ctx, a.cfg.Database.URL, options...)
}

// migrateStore brings its schema up to date.
func (a *app) migrateStore(ctx context.Context) (from, to int64, err error) {
	if file, ok := a.cfg.Database.SQLite(); ok {
		return sqlite.Migrate(ctx, file)
	}
	return postgres.Migrate(ctx, a.cfg.Database.URL)
}

// checkStore looks for damage.
func (a *app) checkStore(ctx context.Context) (problems []string, err error) {
	if file, ok := a.cfg.Database.SQLite(); ok {
		return sqlite.Check(ctx, file)
	}
	return postgres.Check(ctx, a.cfg.Database.URL)
}

// databaseName is what people call it; it holds no password.
func (a *app) databaseName() string {
	if file, ok := a.cfg.Database.SQLite(); ok {
		return file
	}
	return postgres.Name(a.cfg.Database.URL)
}

// beside is where the names begin of what this machine keeps for the database:
// the file itself, or, for a database on a server, a name of its own beside the
// secret key.
func (a *app) beside() string {
	if file, ok := a.cfg.Database.SQLite(); ok {
		return file
	}
	_, place, _ := strings.Cut(postgres.Name(a.cfg.Database.URL), "@")
	return filepath.Join(filepath.Dir(a.cfg.SecretFile), "postgres-"+strings.ReplaceAll(url.PathEscape(place), "%2F", "-"))
}

// lease is for how long a sender's claims are its own. Senders of one file see
// each other's journals, and need none.
func (a *app) lease() time.Duration {
	if _, ok := a.cfg.Database.SQLite(); ok {
		return 0
	}
	return cmp.Or(a.seams.lease, senderLease)
}

// senderLease is how long others wait for a sender that is not heard of.
const senderLease = time.Minute

// ears is the part that hears what other daemons do, by topic, and has it looked
// at; none where they say nothing.
func (a *app) ears(by map[string]func()) []daemon.Part {
	if _, ok := a.cfg.Database.SQLite(); ok {
		return nil
	}
	hear := func(topic string) {
		for name, look := range by {
			if topic == name || topic == postgres.All {
				look()
			}
		}
	}
	return []daemon.Part{{Name: "notifications", Run: func(ctx context.Context) error {
		return postgres.Listen(ctx, a.cfg.Database.URL, hear, a.log)
	}}}
}
