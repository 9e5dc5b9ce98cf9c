package pace

import (
	"log/slog"
	"path/filepath"
	"testing"

	"tidings/internal/clock"
	"tidings/internal/store/sqlite"
)

// BenchmarkAdmit is what a mail costs that nothing holds up.
func BenchmarkAdmit(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "test.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	g := New(Config{Relay: "mx:25", Connections: 8}, s, clock.Clock{}, slog.New(slog.DiscardHandler))
	m := Mail{Newsletter: "weekly", Domain: "example.com"}
	b.ReportAllocs()
	for b.Loop() {
		p, _ := g.Admit(b.Context(), m)
		p.Done(Accepted, "")
	}
}
