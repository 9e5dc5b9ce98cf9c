package web

import (
	"crypto/sha256"
	"errors"
	"math/bits"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Guard is what keeps programs from signing people up. The zero value asks for
// nothing.
type Guard struct {
	Stamps      Stamper
	MinSeconds  int // between showing a form and sending it
	ProofOfWork int // bits of the puzzle that a browser solves meanwhile; 0: none
	PerNetwork  int // sign-ups an hour from one network; 0: no limit
}

// A Stamper makes the tokens of forms, which say when they were shown.
type Stamper interface {
	Stamp(now time.Time) string
	Stamped(token string) (time.Time, error)
}

// Outcomes of a form that was not filled in as people do.
var (
	errStep    = errors.New("the form is to be shown once more")
	errTooMany = errors.New("too many sign-ups from there")
)

const (
	stampLife   = 24 * time.Hour // of a form that lies open
	patience    = 30             // seconds that stand for the puzzle where no script runs
	mostSources = 1 << 14        // networks whose sign-ups are counted
	mostNonce   = 20             // digits
	ofOneHost   = 3              // a network has as many times the sign-ups of one of its hosts
)

// A guard applies a Guard. It is safe for concurrent use.
type guard struct {
	Guard
	sources *lru.Cache[source, *rate.Limiter]
	mu      sync.Mutex
}

func newGuard(g Guard) *guard {
	sources, _ := lru.New[source, *rate.Limiter](mostSources) // fails for a size of none alone
	return &guard{Guard: g, sources: sources}
}

// asks reports whether forms need a token.
func (g *guard) asks() bool { return g.MinSeconds > 0 || g.ProofOfWork > 0 }

// stamp gives the token of a form that is shown now.
func (g *guard) stamp(now time.Time) string {
	if !g.asks() {
		return ""
	}
	return g.Stamps.Stamp(now)
}

// check looks at the token of a form, which must be old enough; without the
// puzzle's solution it must be older. Whether it was taken before is seen where
// the sign-up is kept, with which it goes on record.
func (g *guard) check(tok, nonce string, now time.Time) error {
	if !g.asks() {
		return nil
	}
	at, err := g.Stamps.Stamped(tok)
	wait := time.Duration(g.MinSeconds) * time.Second
	if g.ProofOfWork > 0 && !solves(tok, nonce, g.ProofOfWork) {
		wait = max(wait, patience*time.Second)
	}
	if age := now.Sub(at); err != nil || age < wait || age > stampLife {
		return errStep
	}
	return nil
}

// solves reports whether a nonce solves the puzzle of a token: the SHA-256 of
// both with a colon between them begins with so many bits that are 0.
func solves(tok, nonce string, zeros int) bool {
	if nonce == "" || len(nonce) > mostNonce {
		return false
	}
	sum := sha256.Sum256([]byte(tok + ":" + nonce))
	n := 0
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n >= zeros
}

// A source is a network that sends forms of a kind. The zero network is that of
// all visitors whom a proxy does not name.
type source struct {
	network netip.Prefix
	kind    string
}

// Kinds of forms, each counted by itself.
const (
	formSignUp = "sign-up"
	formLink   = "link"
)

// admit counts a form from an address; false if there were too many of its
// kind. What comes from this machine is not counted: it is a proxy's address
// that nobody has told us of.
func (g *guard) admit(kind, client string, now time.Time) bool {
	if g.PerNetwork <= 0 {
		return true
	}
	addr, err := netip.ParseAddr(client)
	if err == nil && addr.Unmap().IsLoopback() {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		return g.source(source{kind: kind}, g.PerNetwork).AllowN(now, 1)
	}
	addr = addr.Unmap().WithZone("")
	host, network := 32, keptOf4
	if !addr.Is4() {
		host, network = 64, keptOf6
	}
	one := g.source(sourceOf(kind, addr, host), max(g.PerNetwork/ofOneHost, 1))
	all := g.source(sourceOf(kind, addr, network), g.PerNetwork)
	return one.AllowN(now, 1) && all.AllowN(now, 1)
}

func sourceOf(kind string, addr netip.Addr, bits int) source {
	p, _ := addr.Prefix(bits) // a valid length
	return source{p, kind}
}

// source gives the limit of a network: so many an hour, and as many at once.
func (g *guard) source(from source, perHour int) *rate.Limiter {
	if l, ok := g.sources.Get(from); ok {
		return l
	}
	l := rate.NewLimiter(rate.Every(time.Hour/time.Duration(perHour)), perHour)
	g.sources.Add(from, l)
	return l
}

// retryLater is what is told to who signs up too often, in seconds.
const retryLater = 600

func tooMany(w http.ResponseWriter) { w.Header().Set("Retry-After", strconv.Itoa(retryLater)) }
