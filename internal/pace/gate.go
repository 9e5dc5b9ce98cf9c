package pace

import (
	"context"
	"time"

	"tidings/internal/store"
)

const (
	soon        = 100 * time.Millisecond // to look again whether a place is free
	atOnce      = 5 * time.Millisecond   // less is waited for, since a mail that is put off takes longer to come again
	probeWait   = time.Second            // for mails that come while a probe is under way
	brokenStore = time.Second            // to look again after the database failed
	aliveFor    = 5 * time.Second        // a relay that took a mail is thought to be up
	leastTail   = 2 * time.Millisecond   // between two that are put off for the same domain
)

// A Mail is what a Gate wants to know of a mail.
type Mail struct {
	Newsletter string
	Domain     string // of the recipient, as Domain gives it
	Urgent     bool   // somebody waits for it: it does not queue behind digests
	Again      bool   // it failed before, for what was not its recipient's fault
}

// A Pass is the permission to begin one mail, and its place among those under
// way until Done.
type Pass struct {
	gate    *Gate
	mail    Mail
	begun   time.Time  // by the machine's clock
	probing []*circuit // that this mail is the probe of
}

// A hold is why a mail may not begin, yet.
type hold struct {
	wait time.Duration // by the machine's clock
	stay bool          // nobody may begin: the wait is short, or for a turn
}

// Admit gives a Pass to a mail, or the instant (by the gate's clock) before
// which it is not to be tried again, so that mails to other domains can go on.
// While nobody may begin it waits, unless that will take long. When ctx ends it
// gives the present instant.
func (g *Gate) Admit(ctx context.Context, m Mail) (*Pass, time.Time) {
	var turn time.Time
	for {
		p, h := g.admit(ctx, m, &turn)
		if p != nil {
			return p, time.Time{}
		}
		if !h.stay {
			return nil, g.after(h.wait)
		}
		if !sleep(ctx, h.wait) {
			return nil, g.clock.Now()
		}
	}
}

// Ahead gives a Pass to a mail that nothing limits at present, for a caller
// whose connection is still busy; else nil: Admit decides once it is free.
func (g *Gate) Ahead(m Mail) *Pass {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, d := g.newsletter(m.Newsletter), g.domain(m.Domain)
	limited := g.turns != nil || g.flow.bound() > 0 || d.turns != nil || d.flow.bound() > 0
	if limited || !g.relay.closed() || !n.closed() || !d.circuit.closed() {
		g.forget(m.Domain, time.Now())
		return nil
	}
	return g.let(&Pass{gate: g, mail: m, begun: time.Now()}, d)
}

func (g *Gate) after(wait time.Duration) time.Time { return g.clock.Now().Add(g.clock.Span(wait)) }

// admit looks at everything that can hold up a mail, what concerns its domain
// before what all share. turn keeps the caller's place in the limit for all
// mail.
func (g *Gate) admit(ctx context.Context, m Mail, turn *time.Time) (*Pass, hold) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, instant := time.Now(), g.clock.Now()
	n, d := g.newsletter(m.Newsletter), g.domain(m.Domain)
	defer g.forget(m.Domain, now)
	if wait := g.pause(g.relay, instant); wait > 0 {
		return nil, hold{wait, g.relay.State == store.CircuitHalfOpen}
	}
	if wait := g.pause(n, instant); wait > 0 {
		return nil, hold{wait: wait}
	}
	if wait, err := g.held(ctx, d, now, instant); err != nil {
		return nil, g.broken(err)
	} else if wait > atOnce {
		if !m.Urgent {
			wait = g.queue(d, now, wait)
		}
		return nil, hold{wait: wait}
	} else if wait > 0 {
		return nil, hold{wait, true}
	}
	if g.flow.full() && !m.Urgent {
		return nil, hold{soon, true}
	}
	if wait, err := g.wait(ctx, now, turn); err != nil {
		return nil, g.broken(err)
	} else if wait > 0 {
		return nil, hold{wait, true}
	}
	p := &Pass{gate: g, mail: m, begun: now}
	for _, c := range []*circuit{d.circuit, n, g.relay} {
		if !g.probe(ctx, p, c, instant) {
			p.unprobe(instant)
			return nil, hold{wait: probeWait}
		}
	}
	if d.turns != nil {
		d.turns.take(d.flow.speed())
	}
	return g.let(p, d), hold{}
}

func (g *Gate) let(p *Pass, d *domain) *Pass {
	d.flow.busy++
	g.flow.busy++
	return p
}

// shut gives how long a circuit lets nothing pass; 0 if something may.
func (g *Gate) shut(c *circuit, instant time.Time) time.Duration {
	if c.closed() || c.due(instant) {
		return 0
	}
	wait := g.clock.Real(c.Until.Sub(instant))
	if c.State == store.CircuitHalfOpen {
		wait = min(wait, probeWait) // its outcome may come before
	}
	return max(wait, 1)
}

// pause gives how long a mail is put off for a circuit. Where no mails are
// claimed that would wait for it, that is short: they lie ready for when it
// closes, which may be before its time.
func (g *Gate) pause(c *circuit, instant time.Time) time.Duration {
	wait := g.shut(c, instant)
	if c.claims {
		wait = min(wait, probeWait)
	}
	return wait
}

// held gives how long a domain takes no mail.
func (g *Gate) held(ctx context.Context, d *domain, now, instant time.Time) (time.Duration, error) {
	if wait := g.shut(d.circuit, instant); wait > 0 {
		return wait, nil
	}
	if d.flow.full() {
		return soon, nil
	}
	if d.turns == nil {
		return 0, nil
	}
	turn, _, err := d.turns.ready(ctx, g.store, now)
	return max(0, turn.Sub(now)), err
}

// queue puts a mail behind those that wait for its domain already, at the
// speed at which they can go. They do not all come back at once, to be put off
// again.
func (g *Gate) queue(d *domain, now time.Time, wait time.Duration) time.Duration {
	at := latest(now.Add(wait), d.tail)
	d.tail = at.Add(g.spacing(d))
	return at.Sub(now)
}

// spacing is the time between two mails to a domain that is slowed down.
func (g *Gate) spacing(d *domain) time.Duration {
	var s time.Duration
	if d.turns != nil {
		s = d.turns.spacing(d.flow.speed())
	}
	if bound := d.flow.bound(); bound > 0 || d.turns == nil {
		s = max(s, g.took/time.Duration(max(bound, 1)), leastTail)
	}
	return s
}

// wait gives how long to wait for the caller's turn among all mail.
func (g *Gate) wait(ctx context.Context, now time.Time, turn *time.Time) (time.Duration, error) {
	if g.turns == nil {
		return 0, nil
	}
	if !turn.IsZero() {
		return max(0, turn.Sub(now)), nil
	}
	next, ours, err := g.turns.ready(ctx, g.store, now)
	if err != nil {
		return 0, err
	}
	if ours {
		*turn = next
		g.turns.take(g.flow.speed())
	}
	return max(0, next.Sub(now)), nil
}

// probe makes a mail the probe of a circuit that is due one. It is false if
// another process was first.
func (g *Gate) probe(ctx context.Context, p *Pass, c *circuit, instant time.Time) bool {
	if c.closed() {
		return true
	}
	until := instant.Add(g.clock.Span(probeFor))
	won, err := g.store.ProbeCircuit(ctx, instant, c.Name, until)
	if err != nil || !won {
		g.synced = time.Time{} // see what is known to others
		return false
	}
	c.State, c.Until = store.CircuitHalfOpen, until
	p.probing = append(p.probing, c)
	return true
}

func (p *Pass) unprobe(instant time.Time) {
	for _, c := range p.probing {
		c.unprobed(instant)
	}
}

// broken is the hold while the database does not answer. Whoever sends has
// noticed by themselves.
func (g *Gate) broken(err error) hold {
	g.log.Debug("the pace of sending is not known", "error", err)
	return hold{wait: brokenStore}
}

// sleep is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
