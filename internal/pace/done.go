package pace

import (
	"slices"
	"time"
)

// Done ends a Pass with what became of the mail; reason is for people. It
// gives the instant before which this mail is not to be tried again, if it is
// at all: later than now only where the trouble was not its recipient's.
func (p *Pass) Done(v Verdict, reason string) (until time.Time) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now, instant := time.Now(), g.clock.Now()
	n, d := g.newsletter(p.mail.Newsletter), g.domain(p.mail.Domain)
	defer g.forget(p.mail.Domain, now)
	d.flow.busy--
	g.flow.busy--
	if v == Unused {
		p.unprobe(instant)
		return instant
	}
	up := now.Sub(g.accepted) < aliveFor
	g.learn(p, d, v, now, up)
	e := effects[v]
	switch {
	case v == Broken && p.mail.Again:
		// Once, it counted. It may be what breaks connections, and must not
		// have others wait by being tried often.
		e.relay, e.domain = p.ofProbe(g.relay, e.relay), p.ofProbe(d.circuit, e.domain)
	case v == Broken && (g.relay.row > 0 || !g.relay.closed()):
		e.domain = nothing // it happens to others too: the relay's doing
	}
	if v == Disowned && g.relay.closed() && g.disowner == p.mail.Domain {
		e.relay = nothing // one domain's opinion, which its own circuit minds
	}
	g.disown(p.mail.Domain, v)
	return latest(instant,
		g.judge(p, g.relay, e.relay, instant, reason, v == Unreachable && !up),
		g.judge(p, n, e.newsletter, instant, reason, true),
		g.judge(p, d.circuit, e.domain, instant, reason, false))
}

// ofProbe gives the effect on a circuit if the mail is its probe; else none.
func (p *Pass) ofProbe(c *circuit, e effect) effect {
	if slices.Contains(p.probing, c) {
		return e
	}
	return nothing
}

// disown remembers which domain was the last to refuse us for who we are. When
// one after the other does, without a mail taken between, it is the relay that
// wants nothing from us, or whom all of them distrust.
func (g *Gate) disown(domain string, v Verdict) {
	switch v {
	case Disowned:
		g.disowner = domain
	case Accepted:
		g.disowner = ""
	}
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// learn adjusts how many mails may be under way; up says that the relay took
// one lately.
func (g *Gate) learn(p *Pass, d *domain, v Verdict, now time.Time, up bool) {
	switch {
	case v == Accepted:
		g.accepted = now
		g.flow.took(now)
		d.flow.took(now)
		g.took += (now.Sub(p.begun) - g.took) / 16
	case v == Throttled, v == Disowned:
		d.flow.slower(now, p.begun)
	case v == Crowded, v == Unreachable && up:
		g.flow.slower(now, p.begun)
	case v == Unreachable:
		g.flow.restore() // it is down, not crowded
	}
}

// judge applies an effect to a circuit and gives when the mail may be tried
// again, as far as that is concerned.
func (g *Gate) judge(p *Pass, c *circuit, e effect, instant time.Time, reason string, atOnce bool) time.Time {
	probe := slices.Contains(p.probing, c)
	switch {
	case e == works:
		since := c.Since
		if c.succeeded() {
			g.log.Info("mail goes on", "circuit", c.Name, "after", instant.Sub(since).Round(time.Second))
		}
	case e == fails:
		return g.fail(c, instant, reason, atOnce, probe)
	case probe:
		c.unprobed(instant)
	}
	return time.Time{}
}

func (g *Gate) fail(c *circuit, instant time.Time, reason string, atOnce, probe bool) time.Time {
	if c.failed(instant, reason, atOnce, probe) {
		g.log.Warn("mail waits", "circuit", c.Name, "error", reason, "since", c.Since, "again_in", c.Until.Sub(instant).Round(time.Second))
	}
	if c.closed() {
		return instant.Add(jitter(time.Second << min(c.row, 6)))
	}
	return instant.Add(g.clock.Span(g.pause(c, instant)))
}
