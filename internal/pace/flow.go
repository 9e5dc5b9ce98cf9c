package pace

import "time"

const (
	// raiseEvery is how slowly a lowered limit is raised again. A limit that
	// is raised faster is soon too high again.
	raiseEvery = 10 * time.Second
	// leastShare of a configured speed is left when it was lowered again and
	// again.
	leastShare = 1.0 / 16
)

// A flow bounds how many mails are under way at once. Asked to slow down, it
// halves the bound; while mails are taken it adds one now and then, up to what
// is configured (AIMD, RFC 5681 §3.1).
type flow struct {
	most   int // configured; 0: no limit
	enough int // a lowered limit of so many is none any more
	busy   int // under way

	limit  int     // lowered; 0: not lowered
	share  float64 // of a configured speed, lowered with limit; 0: all of it
	cut    time.Time
	raised time.Time // or cut
	taken  int       // since raised
}

// newFlow gives a flow of at most so many where at most connections can be
// under way anyway; 0: no limit.
func newFlow(most, connections int) *flow {
	enough := 64
	if connections > 0 {
		enough = connections
	}
	if most > 0 {
		enough = min(enough, most)
	}
	return &flow{most: most, enough: enough}
}

func (f *flow) idle() bool { return f.busy == 0 && f.limit == 0 }

// bound is the limit at present; 0: none.
func (f *flow) bound() int {
	if f.limit > 0 {
		return f.limit
	}
	return f.most
}

func (f *flow) full() bool { return f.bound() > 0 && f.busy >= f.bound() }

// slower halves the bound for a mail that began at begun and is not among
// those under way any more. Mails that were under way together lower it once.
func (f *flow) slower(now, begun time.Time) {
	if begun.Before(f.cut) && f.limit > 0 {
		return
	}
	bound := f.busy + 1
	if b := f.bound(); b > 0 {
		bound = min(bound, b)
	}
	f.limit = max(1, bound/2)
	f.share = max(leastShare, f.speed()/2)
	f.cut, f.raised, f.taken = now, now, 0
}

// speed is the share of a configured speed to keep to.
func (f *flow) speed() float64 {
	if f.share == 0 {
		return 1
	}
	return f.share
}

// took notes a mail that was taken.
func (f *flow) took(now time.Time) {
	if f.limit == 0 {
		return
	}
	f.taken++
	if f.taken < f.limit || now.Sub(f.raised) < raiseEvery {
		return
	}
	f.limit = min(f.limit+1, f.enough)
	f.share = min(f.share+leastShare, 1)
	f.raised, f.taken = now, 0
	if f.limit == f.enough && f.share == 1 {
		f.restore()
	}
}

// restore lifts what was lowered.
func (f *flow) restore() { f.limit, f.share = 0, 0 }
