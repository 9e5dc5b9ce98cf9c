package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/storetest"
)

// raw opens the file without this package's settings.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// fresh makes a current database and gives its path.
func fresh(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantError(t *testing.T, err, sentinel error, words ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Fatalf("error %v, want %v", err, sentinel)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some folder", "100% new?#", "test.db")
	open(t, path)
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestOpenWhereItCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), filepath.Join(file, "below", "a.db"))
	wantError(t, err, store.ErrUnwritable, file)
	_, err = sqlite.Open(t.Context(), t.TempDir())
	wantError(t, err, store.ErrUnwritable)
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	for i, want := range []int64{0, newest(t)} {
		from, to, err := sqlite.Migrate(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if from != want || to != newest(t) {
			t.Errorf("time %d: from %d to %d, want from %d to %d", i, from, to, want, newest(t))
		}
	}
}

// newest is the number of the last migration.
func newest(t *testing.T) int64 {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	number, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// openAtOnce opens a database as several processes would that start together.
func openAtOnce(t *testing.T, path string) {
	t.Helper()
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.CheckWritable(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	openAtOnce(t, path)
	var applied int
	err := raw(t, path).QueryRow(`SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&applied)
	if err != nil || applied != 1 {
		t.Errorf("the migration was applied %d times (error %v)", applied, err)
	}

	// A copy that SQLite made does not log ahead yet.
	restored := filepath.Join(t.TempDir(), "restored.db")
	exec(t, raw(t, path), "VACUUM INTO '"+restored+"'")
	openAtOnce(t, restored)
}

func TestMigrateWaitsItsTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	f, err := os.Create(path + "-migrate")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), path, sqlite.BusyTimeout(10*time.Millisecond))
	wantError(t, err, store.ErrLocked, "another process")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sqlite.Open(over, path)
	wantError(t, err, context.Canceled)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := fresh(t)
	exec(t, raw(t, path), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, 1)`)
	for _, opts := range [][]sqlite.Option{nil, {sqlite.ReadOnly()}} {
		_, err := sqlite.Open(t.Context(), path, opts...)
		wantError(t, err, store.ErrNewerSchema, path, "version 1000", fmt.Sprintf("up to %d", newest(t)), "install")
	}
	_, _, err := sqlite.Migrate(t.Context(), path)
	wantError(t, err, store.ErrNewerSchema)
}

func TestReadOnly(t *testing.T) {
	path := fresh(t)
	s := open(t, path, sqlite.ReadOnly())
	if _, err := s.LoadPosts(t.Context()); err != nil {
		t.Errorf("reading: %v", err)
	}
	wantError(t, s.CheckWritable(t.Context()), store.ErrUnwritable, "folder")
	wantError(t, s.SaveDocuments(t.Context(), []store.Document{{Path: "/feed.xml"}}), store.ErrUnwritable)

	empty := filepath.Join(t.TempDir(), "empty.db")
	if _, err := sqlite.Open(t.Context(), empty, sqlite.ReadOnly()); err == nil {
		t.Error("a file that does not exist was opened")
	}
	if _, err := os.Stat(empty); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening for reading made the file (%v)", err)
	}
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), empty, sqlite.ReadOnly())
	if err == nil || !strings.Contains(err.Error(), "db migrate") {
		t.Errorf("an old schema: %v", err)
	}
}

func TestLockedDatabase(t *testing.T) {
	path := fresh(t)
	s := open(t, path, sqlite.BusyTimeout(10*time.Millisecond))
	other := raw(t, path)
	exec(t, other, "BEGIN IMMEDIATE")
	wantError(t, s.CheckWritable(t.Context()), store.ErrLocked, "busy")
	if _, err := s.LoadPosts(t.Context()); err != nil {
		t.Errorf("reading beside a writer: %v", err)
	}
	exec(t, other, "ROLLBACK")
	if err := s.CheckWritable(t.Context()); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestExplain(t *testing.T) {
	full := sqlite3.Error{Code: sqlite3.ErrFull}
	for _, c := range []struct {
		err  error
		want error
		word string
	}{
		{full, store.ErrUnwritable, "room"},
		{fmt.Errorf("save: %w", full), store.ErrUnwritable, "save"},
		{sqlite3.Error{Code: sqlite3.ErrIoErr}, store.ErrUnwritable, "disk"},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen}, store.ErrUnwritable, "user"},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, store.ErrUnwritable, "-wal"},
		{sqlite3.Error{Code: sqlite3.ErrBusy}, store.ErrLocked, "again"},
		{sqlite3.Error{Code: sqlite3.ErrLocked}, store.ErrLocked, "again"},
	} {
		wantError(t, sqlite.Explain(c.err), c.want, c.word)
		wantError(t, sqlite.Explain(c.err), c.err)
	}
	if other := (sqlite3.Error{Code: sqlite3.ErrMisuse}); sqlite.Explain(other) != error(other) {
		t.Error("an error without a meaning of its own was changed")
	}
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("these are notes\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the file", err)
	}
}

// A write that waits for its turn gives up with its context.
func TestWaitingWriterHeedsItsContext(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "test.db"))
	rows := storetest.Readers(1)
	if _, err := s.ImportSubscribers(t.Context(), time.Now(), rows, false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var err error
	audience := assignFunc(func(store.Reader) int {
		err = s.CheckWritable(ctx) // while the plan's own transaction is open
		return -1
	})
	e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: "1"}
	if _, _, err := s.PlanEdition(t.Context(), time.Now(), e, nil, audience, false); err != nil {
		t.Fatal(err)
	}
	wantError(t, err, context.DeadlineExceeded)
}

// An assignFunc is an audience without groups.
type assignFunc func(store.Reader) int

func (f assignFunc) Assign(r store.Reader) int      { return f(r) }
func (f assignFunc) Groups() ([]store.Group, error) { return nil, nil }

func TestCheck(t *testing.T) {
	path := fresh(t)
	check := func() []string {
		t.Helper()
		problems, err := sqlite.Check(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return problems
	}
	if problems := check(); len(problems) > 0 {
		t.Errorf("a new database: %q", problems)
	}
	db := raw(t, path)
	exec(t, db, `INSERT INTO newsletters (id, name) VALUES (1, 'weekly')`)
	exec(t, db, `INSERT INTO editions (id, newsletter_id, cadence, slot, manual, status, reason, in_doubt_policy, posts,
		eligible, sent, failed, suppressed, empty, in_doubt, pending, resent_in_doubt)
		VALUES (5, 1, 'schedule', 's', 0, 'sending', '', 'resend', 1, 2, 0, 0, 0, 0, 0, 2, 0)`)
	exec(t, db, `INSERT INTO deliveries (edition_id, seq, subscriber_id, group_number, state, next_at) VALUES (5, 1, 1, 0, 0, 1)`)
	exec(t, db, `INSERT INTO post_paths VALUES ('/lost/', 99)`)
	problems := strings.Join(check(), "\n")
	for _, want := range []string{"edition 5", "post_paths"} {
		if !strings.Contains(problems, want) {
			t.Errorf("problems %q do not name %q", problems, want)
		}
	}
}
