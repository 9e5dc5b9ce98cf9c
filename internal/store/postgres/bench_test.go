package postgres_test

import (
	"flag"
	"testing"

	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/storetest"
)

var readers = flag.Int("readers", 20_000, "readers in the benchmarks")

// BenchmarkReaders has the server of the tests, which does not wait for its
// disk.
func BenchmarkReaders(b *testing.B) {
	storetest.Bench(b, *readers, forBench)
}

func BenchmarkBands(b *testing.B) { storetest.BenchBands(b, *readers, forBench) }

func forBench(b *testing.B) store.Store {
	s, err := postgres.Open(b.Context(), server.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	return s
}
