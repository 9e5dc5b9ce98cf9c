package sqlite_test

import (
	"flag"
	"path/filepath"
	"testing"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/storetest"
)

var readers = flag.Int("readers", 20_000, "readers in the benchmarks")

func BenchmarkReaders(b *testing.B) {
	storetest.Bench(b, *readers, forBench)
}

func BenchmarkBands(b *testing.B) { storetest.BenchBands(b, *readers, forBench) }

func forBench(b *testing.B) store.Store {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	return s
}
