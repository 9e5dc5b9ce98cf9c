package pace

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/store"
)

// TestCircuitsKeepTheirPromises lets two processes send in any order, with any
// outcome, and looks at the record they share.
func TestCircuitsKeepTheirPromises(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		second := h.open()
		check := struct{ testing.TB }{t} // in a bubble there is no deadline
		rapid.Check(check, func(r *rapid.T) { newWorld(r, h, second).run() })
	})
}

// A world is two processes with mails under way.
type world struct {
	*rapid.T
	h     *house
	gates []*Gate
	busy  []*Pass
}

func newWorld(r *rapid.T, h *house, second store.Store) *world {
	cs, err := h.Circuits(h.t.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, c := range cs {
		if err := h.CloseCircuit(h.t.Context(), c.Name); err != nil {
			r.Fatal(err)
		}
	}
	return &world{T: r, h: h, gates: []*Gate{h.gate(h.Store, Config{}), h.gate(second, Config{})}}
}

func (w *world) run() {
	w.Repeat(map[string]func(*rapid.T){
		"wait":  func(r *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 40000).Draw(r, "ms")) * time.Millisecond) },
		"begin": w.begin,
		"end":   w.end,
		"":      w.check,
	})
	w.recover()
}

// relay gives the relay's circuit on record; the zero value if it is closed.
func (w *world) relay() store.Circuit {
	cs, err := w.h.Circuits(w.h.t.Context())
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range cs {
		if c.Name == "relay mx:25" {
			return c
		}
	}
	return store.Circuit{}
}

func (w *world) begin(r *rapid.T) {
	g := w.gates[rapid.IntRange(0, 1).Draw(r, "process")]
	w.h.sync(g)
	before := w.relay()
	p := w.h.try(g, rapid.SampledFrom([]string{"x", "y"}).Draw(r, "newsletter"), rapid.SampledFrom([]string{"a.example", "b.example"}).Draw(r, "domain"))
	if p == nil {
		return
	}
	for _, c := range p.probing {
		if c != g.relay {
			continue
		}
		if after := w.relay(); time.Now().Before(before.Until) || after.State != store.CircuitHalfOpen || time.Until(after.Until) < probeFor-time.Millisecond {
			r.Fatalf("a probe: %+v, then %+v", before, after)
		}
	}
	if len(p.probing) == 0 && !g.relay.closed() {
		r.Fatalf("a mail passes %+v", g.relay.Circuit)
	}
	w.busy = append(w.busy, p)
}

func (w *world) end(r *rapid.T) {
	if len(w.busy) == 0 {
		r.Skip("nothing is under way")
	}
	i := rapid.IntRange(0, len(w.busy)-1).Draw(r, "mail")
	p := w.busy[i]
	w.busy = append(w.busy[:i], w.busy[i+1:]...)
	v := rapid.SampledFrom([]Verdict{Unused, Accepted, Refused, Throttled, Disowned, SenderRefused, Crowded, Broken, Unreachable}).Draw(r, "verdict")
	known := !p.gate.relay.closed()
	until := p.Done(v, "because")
	if time.Until(until) > 38*time.Minute {
		r.Fatalf("to be tried again in %v", time.Until(until))
	}
	w.h.sync(p.gate)
	if v == Accepted && known && w.relay().State != "" {
		r.Fatalf("after a success: %+v", w.relay())
	}
}

func (w *world) check(r *rapid.T) {
	busy := 0
	for _, g := range w.gates {
		if g.flow.busy < 0 {
			r.Fatal("less than nothing is under way")
		}
		busy += g.flow.busy
	}
	if busy != len(w.busy) {
		r.Fatalf("%d are under way, the gates think %d", len(w.busy), busy)
	}
}

// recover sees that whatever happened, all is well again when everything
// works.
func (w *world) recover() {
	for _, p := range w.busy {
		p.Done(Unused, "")
	}
	g := w.gates[0]
	from := time.Now()
	for len(g.Open()) > 0 || from.Equal(time.Now()) {
		if time.Since(from) > 2*time.Hour {
			w.Fatalf("still open: %v", g.Open())
		}
		time.Sleep(syncEvery)
		w.h.sync(g)
		for _, newsletter := range []string{"x", "y"} {
			for _, domain := range []string{"a.example", "b.example"} {
				if p := w.h.try(g, newsletter, domain); p != nil {
					p.Done(Accepted, "")
				}
			}
		}
		w.h.sync(g)
	}
}
