package pace

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tidings/internal/store"
)

// syncEvery is how soon a process notices what another found out.
const syncEvery = time.Second

// Sync tells the store what this process found out about circuits, and learns
// what others did. It does nothing while there is nothing to tell and it was
// called less than a second ago: call it often.
func (g *Gate) Sync(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	circuits := g.circuits()
	now := time.Now()
	told := slices.IndexFunc(circuits, func(c *circuit) bool { return c.dirty }) < 0
	if told && !g.synced.IsZero() && now.Sub(g.synced) < syncEvery {
		return nil
	}
	for _, c := range circuits {
		if err := g.tell(ctx, c); err != nil {
			return err
		}
	}
	stored, err := g.store.Circuits(ctx)
	if err != nil {
		return err
	}
	g.adopt(stored)
	g.synced = now
	return nil
}

// circuits gives all that are known to this process.
func (g *Gate) circuits() []*circuit {
	all := []*circuit{g.relay}
	for _, c := range g.newsletters {
		all = append(all, c)
	}
	for _, d := range g.domains {
		all = append(all, d.circuit)
	}
	return all
}

func (g *Gate) tell(ctx context.Context, c *circuit) error {
	if !c.dirty {
		return nil
	}
	if c.closed() {
		if err := g.store.CloseCircuit(ctx, c.Name); err != nil {
			return err
		}
	} else {
		known, err := g.store.OpenCircuit(ctx, g.clock.Now(), c.Circuit)
		if err != nil {
			return err
		}
		c.Circuit = known
	}
	c.dirty = false
	return nil
}

// adopt takes over what is stored.
func (g *Gate) adopt(stored []store.Circuit) {
	on := map[string]store.Circuit{}
	for _, c := range stored {
		on[c.Name] = c
		g.named(c.Name) // known from here on
	}
	for _, c := range g.circuits() {
		if known, ok := on[c.Name]; ok {
			c.Circuit = known
		} else {
			c.Circuit = store.Circuit{Name: c.Name}
		}
	}
}

// named gives the circuit of that name; nil for that of another relay.
func (g *Gate) named(name string) *circuit {
	if n, ok := strings.CutPrefix(name, newsletterPrefix); ok {
		return g.newsletter(n)
	}
	if d, ok := strings.CutPrefix(name, domainPrefix); ok {
		return g.domain(d).circuit
	}
	if name == g.relay.Name {
		return g.relay
	}
	return nil
}

// Claimable gives how many of at most n deliveries it is of use to claim: none
// while the relay is left alone, one to try it again. Those of the newsletters
// named are to be left out.
func (g *Gate) Claimable(n int) (most int, except []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	instant := g.clock.Now()
	switch {
	case g.shut(g.relay, instant) > 0:
		return 0, nil
	case !g.relay.closed():
		n = 1
	}
	for name, c := range g.newsletters {
		if g.shut(c, instant) > 0 {
			except = append(except, name)
		}
	}
	return n, except
}

// Until gives when mails of a newsletter can be tried again, if the relay or
// its sender is refused at present; zero if they can be now.
func (g *Gate) Until(newsletter string) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	until := g.relay.Until
	if c := g.newsletters[newsletter]; c != nil && c.Until.After(until) {
		until = c.Until
	}
	return until
}

// Open gives what does not work at present, by name.
func (g *Gate) Open() []store.Circuit {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open()
}

func (g *Gate) open() (open []store.Circuit) {
	for _, c := range g.circuits() {
		if !c.closed() {
			open = append(open, c.Circuit)
		}
	}
	slices.SortFunc(open, func(a, b store.Circuit) int { return cmp.Compare(a.Name, b.Name) })
	return open
}
