package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/mattn/go-sqlite3" // the generated rows bypass the store

	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/postgres/postgrestest"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/transfer"
)

var server postgrestest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, sentinel error, words string) {
	t.Helper()
	if !errors.Is(err, sentinel) || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want %v with %q", err, sentinel, words)
	}
}

// fromSQLite opens a source until the test ends.
func fromSQLite(t *testing.T, path string) transfer.Database {
	t.Helper()
	d, done, err := sqlite.OpenSource(t.Context(), path, false)
	check(t, err)
	t.Cleanup(func() { check(t, done()) })
	return d
}

// toPostgres copies a file into a server's database.
func toPostgres(ctx context.Context, t *testing.T, path, address string, progress transfer.Progress) ([]transfer.Copied, error) {
	t.Helper()
	return copyInto(ctx, t, path, address, transfer.Options{Progress: progress})
}

func copyInto(ctx context.Context, t *testing.T, path, address string, o transfer.Options) ([]transfer.Copied, error) {
	t.Helper()
	from, closeFrom, err := sqlite.OpenSource(t.Context(), path, false)
	check(t, err)
	defer closeFrom()
	to, closeTo, err := postgres.OpenTarget(t.Context(), address)
	check(t, err)
	defer closeTo()
	return transfer.Copy(ctx, from, to, o)
}

// toSQLite copies a server's database into a file.
func toSQLite(t *testing.T, address, path string) {
	t.Helper()
	from, closeFrom, err := postgres.OpenSource(t.Context(), address, false)
	check(t, err)
	defer closeFrom()
	to, complete, _, err := sqlite.OpenTarget(t.Context(), path, false)
	check(t, err)
	_, err = transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	check(t, complete())
}

func TestThereAndBackChangesNothing(t *testing.T) {
	file, address := generated(t), server.Database(t)
	copied, err := toPostgres(t.Context(), t, file, address, nil)
	check(t, err)
	before := dump(t, file)
	if len(copied) != len(before)-1 { // sqlite_sequence
		t.Errorf("%d tables copied of %d", len(copied), len(before)-1)
	}
	for _, c := range copied {
		if n := len(before[c.Table]); int64(n) != c.Rows {
			t.Errorf("%s: %d rows copied of %d", c.Table, c.Rows, n)
		}
	}
	back := filepath.Join(t.TempDir(), "back.db")
	toSQLite(t, address, back)
	equal(t, before, dump(t, back))
	problems, err := postgres.Check(t.Context(), address)
	check(t, err)
	for _, p := range problems {
		if !strings.HasPrefix(p, "edition ") { // their accounts do not balance, being made up
			t.Errorf("check: %s", p)
		}
	}
	info, err := os.Stat(back)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", info.Mode())
	}
	if left, _ := filepath.Glob(back + "?*"); len(left) > 0 {
		t.Errorf("left beside the copy: %v", left)
	}
}

// TestNumbersGoOn sees that the copy gives no number anew that the source gave.
func TestNumbersGoOn(t *testing.T) {
	file, address := generated(t), server.Database(t)
	_, err := toPostgres(t.Context(), t, file, address, nil)
	check(t, err)
	for name, open := range map[string]func() (store.Store, error){
		"sqlite":   func() (store.Store, error) { return sqlite.Open(t.Context(), file) },
		"postgres": func() (store.Store, error) { return postgres.Open(t.Context(), address) },
	} {
		s, err := open()
		check(t, err)
		defer s.Close()
		p := &store.Post{GUID: "new"}
		check(t, s.SavePosts(t.Context(), []*store.Post{p}))
		if p.ID != lastNumber+1 {
			t.Errorf("%s: the next post is %d, want %d", name, p.ID, lastNumber+1)
		}
	}
}

// TestGoesOn stops a copy again and again, after a few portions: the next one
// goes on.
func TestGoesOn(t *testing.T) {
	file, address := generated(t), server.Database(t)
	stopped, done := 0, int64(0)
	for {
		ctx, stop := context.WithCancel(t.Context())
		news := 0
		_, err := toPostgres(ctx, t, file, address, func(n, total int64) {
			if n > total {
				t.Errorf("%d rows of %d", n, total)
			}
			if n > done {
				news++
			}
			if done = max(done, n); news == 4 {
				stop()
			}
		})
		stop()
		if err == nil {
			break
		}
		if stopped++; !errors.Is(err, context.Canceled) || stopped > 100 {
			t.Fatalf("stop %d: %v", stopped, err)
		}
		if _, err := postgres.Open(t.Context(), address); !errors.Is(err, transfer.ErrUnfinished) {
			t.Fatalf("opened as a store: %v", err)
		}
	}
	if stopped < 5 {
		t.Errorf("stopped only %d times", stopped)
	}
	back := filepath.Join(t.TempDir(), "back.db")
	toSQLite(t, address, back)
	equal(t, dump(t, file), dump(t, back))
}

func TestRefusals(t *testing.T) {
	file, other, address := generated(t), generated(t), server.Database(t)
	ctx, stop := context.WithCancel(t.Context())
	_, err := toPostgres(ctx, t, file, address, func(int64, int64) { stop() })
	wantError(t, err, context.Canceled, "")
	_, err = toPostgres(t.Context(), t, other, address, nil)
	wantError(t, err, transfer.ErrForeign, file)

	db := raw(t, file)
	_, err = db.Exec(`UPDATE alerts SET text = 'another' WHERE id = 1`) // its table was copied before
	check(t, err)
	check(t, db.Close())
	_, err = toPostgres(t.Context(), t, file, address, nil)
	wantError(t, err, transfer.ErrDiffers, "table alerts")

	full := server.Database(t)
	_, err = toPostgres(t.Context(), t, other, full, nil)
	check(t, err)
	_, err = toPostgres(t.Context(), t, other, full, nil)
	wantError(t, err, transfer.ErrForeign, "copy into an empty database")
	_, _, _, err = sqlite.OpenTarget(t.Context(), other, false)
	wantError(t, err, store.ErrExists, "move this one away")
}

// TestTexts copies what PostgreSQL cannot keep: it is refused, or replaced and
// said, in keys too.
func TestTexts(t *testing.T) {
	file, address := generated(t), server.Database(t)
	db := raw(t, file)
	odd := "a\x00b\xffc"
	_, err := db.Exec(`UPDATE subscribers SET name = ?1 WHERE id = 3`, odd)
	check(t, err)
	_, err = db.Exec(`UPDATE documents SET path = ?1 WHERE path = (SELECT min(path) FROM documents)`, odd)
	check(t, err)
	check(t, db.Close())

	_, err = toPostgres(t.Context(), t, file, address, nil)
	wantError(t, err, transfer.ErrText, "documents.path of row")
	wantError(t, err, transfer.ErrText, "--replace")
	copied, err := copyInto(t.Context(), t, file, address, transfer.Options{Replace: true})
	check(t, err)
	var places []string
	for _, c := range copied {
		for _, p := range c.Replaced {
			places = append(places, p.String())
		}
	}
	if want := []string{`documents.path of row "a\x00b\xffc"`, `subscribers.name of row 3`}; !reflect.DeepEqual(places, want) {
		t.Errorf("replaced %q, want %q", places, want)
	}
	conn, err := pgx.Connect(t.Context(), address)
	check(t, err)
	defer conn.Close(t.Context())
	var name string
	check(t, conn.QueryRow(t.Context(), `SELECT name FROM subscribers WHERE id = 3`).Scan(&name))
	if name != "a\uFFFDb\uFFFDc" {
		t.Errorf("subscriber 3 is called %q", name)
	}
}

// TestResumedKeys goes on from keys that are no UTF-8, in a file.
func TestResumedKeys(t *testing.T) {
	file := generated(t)
	db := raw(t, file)
	_, err := db.Exec(`UPDATE documents SET path = CAST(x'ff' AS TEXT) || path`)
	check(t, err)
	check(t, db.Close())
	back := filepath.Join(t.TempDir(), "back.db")
	before := dump(t, file)
	from := fromSQLite(t, file)
	for done := false; !done; {
		ctx, stop := context.WithCancel(t.Context())
		to, complete, closeTo, err := sqlite.OpenTarget(t.Context(), back, false)
		check(t, err)
		first := true
		_, err = transfer.Copy(ctx, from, to, transfer.Options{Progress: func(int64, int64) {
			if !first {
				stop()
			}
			first = false
		}})
		stop()
		if done = err == nil; done {
			check(t, complete())
		} else {
			wantError(t, err, context.Canceled, "")
			check(t, closeTo())
		}
	}
	equal(t, before, dump(t, back))
}

// TestMarked sees that nothing is mailed from a copy of what is in use.
func TestMarked(t *testing.T) {
	file, address := generated(t), server.Database(t)
	saved := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	_, err := copyInto(t.Context(), t, file, address, transfer.Options{Saved: saved})
	check(t, err)
	s, err := postgres.Open(t.Context(), address)
	check(t, err)
	defer s.Close()
	if at, err := s.Restored(t.Context()); err != nil || !at.Equal(saved) {
		t.Errorf("restored: %v, %v", at, err)
	}
	_, err = s.Claim(t.Context(), time.Now(), "x", 1)
	wantError(t, err, store.ErrRestored, "tidings db restored")
}

func TestNobodyElseUsesTheSource(t *testing.T) {
	file, address := generated(t), server.Database(t)
	s, err := sqlite.Open(t.Context(), file)
	check(t, err)
	_, _, err = sqlite.OpenSource(t.Context(), file, false)
	wantError(t, err, store.ErrLocked, "is in use")
	d, done, err := sqlite.OpenSource(t.Context(), file, true)
	check(t, err)
	check(t, s.CheckWritable(t.Context())) // while it is read
	to, closeTo, err := postgres.OpenTarget(t.Context(), address)
	check(t, err)
	_, err = transfer.Copy(t.Context(), d, to, transfer.Options{})
	check(t, err)
	check(t, errors.Join(closeTo(), done(), s.Close()))

	fromSQLite(t, file)
	_, err = sqlite.Open(t.Context(), file, sqlite.BusyTimeout(50*time.Millisecond))
	wantError(t, err, store.ErrLocked, "")

	p, err := postgres.Open(t.Context(), address)
	check(t, err)
	_, _, err = postgres.OpenSource(t.Context(), address, false)
	wantError(t, err, store.ErrLocked, "is in use")
	_, _, err = postgres.OpenTarget(t.Context(), address)
	wantError(t, err, store.ErrLocked, "is in use")
	_, done, err = postgres.OpenSource(t.Context(), address, true)
	check(t, err)
	check(t, errors.Join(done(), p.Close()))
}

func equal(t *testing.T, want, got map[string][][]any) {
	t.Helper()
	for name, rows := range want {
		if !reflect.DeepEqual(rows, got[name]) {
			t.Errorf("table %s: %d rows became %d, or others", name, len(rows), len(got[name]))
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d tables became %d", len(want), len(got))
	}
}

func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_foreign_keys=1")
	check(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}
