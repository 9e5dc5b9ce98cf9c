package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/storetest"
)

func TestRestored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	storetest.RunRestoring(t, func(t *testing.T) store.Store { return open(t, path) },
		func(t *testing.T, s store.Store, saved time.Time) store.Store {
			check(t, s.Close()) // the file is altered by one who believes to be alone
			check(t, sqlite.Mark(t.Context(), path, saved))
			return open(t, path)
		})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var saved = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// TestBackupWhileWriting makes backups while posts come in: each holds what was
// there at one instant, and nobody waits.
func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := open(t, path)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writer sync.WaitGroup
	some := make(chan struct{})
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			// Two that belong together.
			err := s.SavePosts(ctx, []*store.Post{{GUID: fmt.Sprint("a", i)}, {GUID: fmt.Sprint("b", i)}})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if i == 10 {
				close(some)
			}
		}
	})
	<-some
	last := 0
	for i := range 3 {
		file := filepath.Join(dir, fmt.Sprint("backup", i))
		check(t, sqlite.Backup(t.Context(), path, file, saved, nil))
		info, err := os.Stat(file)
		check(t, err)
		if left, _ := filepath.Glob(file + "?*"); info.Mode().Perm() != 0o600 || len(left) > 0 {
			t.Errorf("mode %v; left behind: %v", info.Mode(), left)
		}
		b := open(t, file)
		posts, err := b.LoadPosts(t.Context())
		check(t, err)
		if len(posts)%2 != 0 || len(posts) <= last {
			t.Errorf("backup %d has %d posts, the one before had %d", i, len(posts), last)
		}
		last = len(posts)
		if at, err := b.Restored(t.Context()); err != nil || !at.Equal(saved) {
			t.Errorf("restored: %v, %v", at, err)
		}
	}
	stop()
	writer.Wait()
}

func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "test.db"), filepath.Join(dir, "other")
	open(t, path)
	check(t, os.WriteFile(other, []byte("precious"), 0o600))
	none := filepath.Join(dir, "none")
	for what, err := range map[string]error{
		"already exists":            sqlite.Backup(t.Context(), path, other, saved, nil),
		"already exists; name":      sqlite.Backup(t.Context(), path, path, saved, nil),
		"none: no such file":        sqlite.Backup(t.Context(), none, filepath.Join(dir, "x"), saved, nil),
		"nowhere: no such file":     sqlite.Backup(t.Context(), path, filepath.Join(dir, "nowhere", "x"), saved, nil),
		"file is not a database":    second(sqlite.Restore(t.Context(), other, filepath.Join(dir, "x"), nil)),
		"test.db: already exists":   second(sqlite.Restore(t.Context(), path, path, nil)),
		"restore " + none + " from": second(sqlite.Restore(t.Context(), other, none, nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one with %q", err, what)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "precious" {
		t.Errorf("the other file: %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*-partial*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	check(t, os.WriteFile(filepath.Join(dir, "gone.db-wal"), nil, 0o600))
	_, err := sqlite.Restore(t.Context(), path, filepath.Join(dir, "gone.db"), nil)
	if !errors.Is(err, store.ErrExists) || !strings.Contains(err.Error(), "gone.db-wal") {
		t.Errorf("beside an old log: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestRestoreOfOlder restores a plain copy that an older version made.
func TestRestoreOfOlder(t *testing.T) {
	dir := t.TempDir()
	file, path := filepath.Join(dir, "older"), filepath.Join(dir, "sub", "test.db")
	check(t, sqlite.MigrateTo(t.Context(), file, 17))
	exec(t, raw(t, file), fmt.Sprintf(`INSERT INTO meta (name, value) VALUES ('clock', '%d')`, saved.UnixMilli())) // it was in use then
	at, err := sqlite.Restore(t.Context(), file, path, nil)
	check(t, err)
	if !at.Equal(saved) {
		t.Errorf("restored as of %v", at)
	}
	if at, err := open(t, path).Restored(t.Context()); err != nil || !at.Equal(saved) {
		t.Errorf("restored: %v, %v", at, err)
	}
}
