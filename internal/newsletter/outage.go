package newsletter

import (
	"math/rand/v2"
	"sync"
	"time"
)

// outages remember that the relay does not work, or does not take the mails
// of one newsletter, so that neither recipients nor the relay pay for finding
// out again and again.
type outages struct {
	mu sync.Mutex
	by map[string]*outage // newsletter, or everybody
}

// everybody names the outage of the relay as a whole.
const everybody = ""

type outage struct {
	until  time.Time
	streak int
}

const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// until gives when to try again; zero, or past, if there is no outage.
func (o *outages) until(whom string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.by[whom]; x != nil {
		return x.until
	}
	return time.Time{}
}

// failed notes one more failure and gives when to try again; first is false
// for failures of connections that were under way together, which count once.
func (o *outages) failed(whom string, now time.Time) (until time.Time, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.by[whom]
	if x == nil {
		x = &outage{}
		o.by[whom] = x
	}
	if now.Before(x.until) {
		return x.until, false
	}
	pause := min(firstPause<<min(x.streak, 16), longestPause)
	x.streak++
	x.until = now.Add(pause/2 + rand.N(pause))
	return x.until, true
}

// over notes that the relay answered to a mail of a newsletter.
func (o *outages) over(newsletter string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.by, everybody)
	delete(o.by, newsletter)
}
