package newsletter_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/roster"
	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

var people = flag.Int("people", 20_000, "people in the benchmark of imports")

// A timedStore notes how long each transaction of an import took.
type timedStore struct {
	store.Store
	took []time.Duration
}

func (s *timedStore) ApplyImport(ctx context.Context, now time.Time, within time.Duration, w store.Wants) (int, error) {
	began := time.Now()
	n, err := s.Store.ApplyImport(ctx, now, within, w)
	s.took = append(s.took, time.Since(began))
	return n, err
}

// BenchmarkImport imports -people people from a file, while another connection
// writes every 10 ms, as a sender does: with nothing else under way, and with an
// edition being sent. It tells how long the transactions of the import took and
// how long the other writer waited.
func BenchmarkImport(b *testing.B) {
	file := filepath.Join(b.TempDir(), "people.csv")
	text := []byte("email,name,status,tags,created_at\n")
	for i := range *people {
		text = fmt.Appendf(text, "%x.%d@company%d.example,Reader %d,active,go,2024-01-12T10:00:00Z\n", uint32(i)*2654435761, i%97, i%5003, i)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	for name, sending := range map[string]bool{"alone": false, "while sending": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				importBeside(b, file, sending)
			}
		})
	}
}

func importBeside(b *testing.B, file string, sending bool) {
	h := newHouse(b, weekly())
	if sending {
		h.readers(1, "")
		h.publish("one", time.Now())
		h.plan(weekly())
	}
	timed := &timedStore{Store: h.Store}
	h.Store = timed
	other, err := sqlite.Open(context.Background(), filepath.Join(h.dir, "tidings.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer other.Close()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	var waits []time.Duration
	writer.Go(func() { waits = writeEvery(b, other, 10*time.Millisecond, stop) })
	began := time.Now()
	r, err := roster.Open(f, info.Size(), file, roster.Auto)
	if err != nil {
		b.Fatal(err)
	}
	if report, err := h.Import(context.Background(), r, newsletter.Import{Confirmed: true}); err != nil || report.Added != *people {
		b.Fatal(report, err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "s")
	close(stop)
	writer.Wait()
	report(b, "held", timed.took)
	report(b, "waited", waits)
}

// report tells the median, the 99th percentile and the longest of some times.
func report(b *testing.B, what string, times []time.Duration) {
	slices.Sort(times)
	for name, at := range map[string]int{"p50": len(times) / 2, "p99": len(times) * 99 / 100, "max": len(times) - 1} {
		b.ReportMetric(float64(times[at].Microseconds())/1000, what+"-"+name+"-ms")
	}
}

func writeEvery(b *testing.B, s store.Store, pause time.Duration, stop chan struct{}) (waits []time.Duration) {
	for {
		select {
		case <-stop:
			return waits
		case <-time.After(pause):
			began := time.Now()
			if err := s.CheckWritable(context.Background()); err != nil {
				b.Error(err)
				return waits
			}
			waits = append(waits, time.Since(began))
		}
	}
}
