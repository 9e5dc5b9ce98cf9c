package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/postgres/postgrestest"
	"tidings/internal/store/storetest"
)

var server = postgrestest.Server{Prepare: func(ctx context.Context, address string) error {
	_, _, err := postgres.Migrate(ctx, address)
	return err
}}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// open opens a database until the test ends.
func open(t *testing.T, address string, opts ...postgres.Option) store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), address, opts...)
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
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Database(t)) })
}

func TestSharedStore(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T) (a, b store.Store) {
		address := server.Database(t)
		return open(t, address), open(t, address)
	})
}

func TestRestored(t *testing.T) {
	address := server.Database(t)
	storetest.RunRestoring(t, func(t *testing.T) store.Store { return open(t, address) },
		func(t *testing.T, _ store.Store, saved time.Time) store.Store {
			if err := postgres.Mark(t.Context(), address, saved); err != nil {
				t.Fatal(err)
			}
			return open(t, address)
		})
}
