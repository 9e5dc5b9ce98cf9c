package pace

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/clock"
	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/sqlite/sqlitetest"
)

// inTime runs a test on a real database in a bubble of its own time.
func inTime(t *testing.T, test func(*testing.T, *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, path: sqlitetest.File(t)}
		h.Store = h.open()
		test(t, h)
	})
}

// A house is a database with processes on it.
type house struct {
	store.Store
	t    *testing.T
	path string
}

func (h *house) open() store.Store {
	s, err := sqlite.Open(h.t.Context(), h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { s.Close() })
	return s
}

// process gives the gate of one more process.
func (h *house) process(cfg Config) *Gate { return h.gate(h.open(), cfg) }

func (h *house) gate(s store.Store, cfg Config) *Gate {
	if cfg.Relay == "" {
		cfg.Relay = "mx:25"
	}
	g := New(cfg, s, clock.Clock{}, slog.New(slog.DiscardHandler))
	h.sync(g)
	return g
}

func (h *house) sync(gates ...*Gate) {
	h.t.Helper()
	for _, g := range gates {
		if err := g.Sync(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// try gives a pass, or nil.
func (h *house) try(g *Gate, newsletter, domain string) *Pass {
	p, _ := g.admit(h.t.Context(), Mail{Newsletter: newsletter, Domain: domain}, new(time.Time))
	return p
}

// must gives a pass or ends the test.
func (h *house) must(g *Gate, newsletter, domain string) *Pass {
	h.t.Helper()
	p, held := g.admit(h.t.Context(), Mail{Newsletter: newsletter, Domain: domain}, new(time.Time))
	if p == nil {
		h.t.Fatalf("a mail of %s to %s is held for %v", newsletter, domain, held.wait)
	}
	return p
}
