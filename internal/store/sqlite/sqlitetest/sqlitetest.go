// Package sqlitetest gives each test a database of its own whose schema is
// there already. The migrations are run once for a process: with the race
// detector they take longer than most tests.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tidings/internal/store/sqlite"
)

// File makes an empty database in a folder that goes with the test, and gives
// its path.
func File(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tidings.db")
	Place(t, path)
	return path
}

// Place makes an empty database at path, and the folders above it where they
// are missing, as sqlite.Open would.
func Place(t testing.TB, path string) {
	t.Helper()
	content, err := prepared()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var prepared = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "schema")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tidings.db")
	if _, _, err := sqlite.Migrate(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // whole: whoever closes a database last empties its log into it
})
