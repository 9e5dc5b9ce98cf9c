// Package pace decides when a mail may begin. It knows what does not work at
// present and is left alone (circuits of the relay, of newsletters whose
// sender is refused, and of recipients' domains), how many mails may be under
// way, and how many may begin in a second, in all and for single domains. All
// processes on one database keep to the same circuits and rates. It neither
// sends mails nor keeps those that have to wait.
//
//	Sender ─▶ Gate.Admit ─┬▶ a Pass ─▶ relay ─▶ Pass.Done(Verdict) ─▶ what the next may do
//	                      └▶ the instant before which the mail is not to be tried
package pace

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"tidings/internal/clock"
	"tidings/internal/store"
)

// Config is a Gate's settings.
type Config struct {
	Relay       string           // names the relay, such as its host and port
	Connections int              // mails that can be under way in this process; 0: not known
	PerSecond   float64          // mails that begin in a second, over all processes; 0: no limit
	Domains     map[string]Limit // by recipients' domain, as Domain gives it
}

// A Limit is what one recipients' domain is to get at most.
type Limit struct {
	PerSecond   float64 // over all processes; 0: no limit
	Connections int     // mails under way in this process; 0: no limit
}

// A Gate lets mails begin. One is shared by all parts of a process that send.
type Gate struct {
	cfg   Config
	store store.Pace
	clock clock.Clock // circuits follow it; speeds follow the machine's, also in a rehearsal
	log   *slog.Logger

	mu          sync.Mutex
	relay       *circuit
	flow        *flow  // mails under way in all
	turns       *turns // nil: no limit
	newsletters map[string]*circuit
	domains     map[string]*domain
	took        time.Duration // that a mail is under way, smoothed
	accepted    time.Time     // when the relay last took one
	disowner    string        // domain of the last mail that was refused for who we are; "" once one was taken since
	synced      time.Time
}

// A domain is what is known of one recipients' domain.
type domain struct {
	circuit *circuit
	flow    *flow
	turns   *turns    // nil: no limit
	tail    time.Time // when the last of those that were put off is to come again
}

// New makes a Gate. What earlier processes found not to work is known to it
// after the first Sync.
func New(cfg Config, s store.Pace, c clock.Clock, log *slog.Logger) *Gate {
	return &Gate{
		cfg: cfg, store: s, clock: c, log: log,
		relay:       newCircuit(RelayCircuit(cfg.Relay), ofRelay),
		flow:        newFlow(0, cfg.Connections),
		turns:       newTurns("all mail", cfg.PerSecond),
		newsletters: map[string]*circuit{},
		domains:     map[string]*domain{},
		took:        100 * time.Millisecond,
	}
}

// Domain gives the domain of an address in the form in which domains are
// compared: lower case, ASCII (RFC 5890).
func Domain(address string) string {
	name := address[strings.LastIndexByte(address, '@')+1:]
	if isPlain(name) {
		return name
	}
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		return ascii
	}
	return strings.ToLower(name)
}

func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// newsletter gives a newsletter's circuit.
func (g *Gate) newsletter(name string) *circuit {
	c := g.newsletters[name]
	if c == nil {
		c = newCircuit(NewsletterCircuit(name), ofNewsletter)
		g.newsletters[name] = c
	}
	return c
}

// domain gives what is known of a domain.
func (g *Gate) domain(name string) *domain {
	d := g.domains[name]
	if d == nil {
		l := g.cfg.Domains[name]
		d = &domain{
			circuit: newCircuit(domainPrefix+name, ofDomain),
			flow:    newFlow(l.Connections, g.cfg.Connections),
			turns:   newTurns(name, l.PerSecond),
		}
		g.domains[name] = d
	}
	return d
}

// Names of circuits begin with what they are for.
const (
	relayPrefix      = "relay "
	newsletterPrefix = "newsletter "
	domainPrefix     = "domain "
)

// RelayCircuit is the name of the circuit of a relay, named as in Config.
func RelayCircuit(relay string) string { return relayPrefix + relay }

// NewsletterCircuit is the name of the circuit of a newsletter's sender.
func NewsletterCircuit(newsletter string) string { return newsletterPrefix + newsletter }

// IsDomain reports whether a circuit is that of a recipients' domain.
func IsDomain(circuit string) bool { return strings.HasPrefix(circuit, domainPrefix) }

// forget drops a domain of which there is nothing to remember: there may be
// as many domains as readers.
func (g *Gate) forget(name string, now time.Time) {
	d := g.domains[name]
	if d.flow.idle() && d.turns == nil && d.circuit.fresh() && d.tail.Before(now) {
		delete(g.domains, name)
	}
}
