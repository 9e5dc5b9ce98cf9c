package sqlite_test

import (
	"testing"

	"go.uber.org/goleak"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/sqlite/sqlitetest"
	"tidings/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens the database at path until the test ends.
func open(t *testing.T, path string, opts ...sqlite.Option) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, sqlitetest.File(t)) })
}

func TestSharedStore(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T) (a, b store.Store) {
		path := sqlitetest.File(t)
		return open(t, path), open(t, path)
	})
}
