package newsletter

import "time"

// An appetite is how many deliveries a Sender may hold whose results are not
// recorded. Where others wait for its lease to end before they go on with them,
// that is what it gets done in a moment, so that little is left to wait for, and
// none has all the work while another has none.
type appetite struct {
	sparing bool
	least   int

	begun time.Time // of the span in which results are counted
	done  int
	most  int // by the last span
}

const (
	appetiteSpan = 200 * time.Millisecond
	spansAhead   = 4
	leastPerLine = 16 // for each connection
)

func newAppetite(c SenderConfig) appetite {
	least := min(leastPerLine*c.Connections, mostOut)
	return appetite{sparing: c.Lease > 0, least: least, most: least}
}

// limit gives the most deliveries to hold.
func (a *appetite) limit() int {
	if !a.sparing {
		return mostOut
	}
	return a.most
}

// hungry reports whether it is time to claim more, while so many are held.
func (a *appetite) hungry(held int) bool { return held <= a.limit()-a.limit()/4 }

// recorded counts results.
func (a *appetite) recorded(n int, now time.Time) {
	a.done += n
	span := now.Sub(a.begun)
	if span < appetiteSpan {
		return
	}
	a.most = min(max(int(float64(a.done*spansAhead)*float64(appetiteSpan)/float64(span)), a.least), mostOut)
	a.begun, a.done = now, 0
}
