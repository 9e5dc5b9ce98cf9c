package newsletter

import (
	"context"
	"errors"
	"sync"
	"time"

	"tidings/internal/relay"
)

// lines are the connections of a Sender. A relay may allow fewer than are
// configured: then those beyond are refused while the others work, which says
// nothing of the relay's health.
type lines struct {
	workers int

	mu      sync.Mutex
	open    int
	dialing int
	spared  int       // failures, one for each worker, that another dialling excused
	most    int       // that the relay allowed; 0: all it was asked for
	refused time.Time // when it refused another
	worked  time.Time // when it last took a connection or a mail
}

const (
	// linesFor is how long a relay's limit is kept to before another connection
	// is tried.
	linesFor = time.Minute
	// aliveFor is how long a relay that took a mail is thought to be up.
	aliveFor = 5 * time.Second
)

// errNoLine says that the relay does not allow another connection.
var errNoLine = errors.New("the relay allows no further connection at present")

// free reports whether another connection may be tried.
func (l *lines) free() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most == 0 || l.open < l.most || time.Since(l.refused) > linesFor
}

// dial makes one more connection.
func (l *lines) dial(ctx context.Context, r relay.Relay) (relay.Conn, error) {
	l.mu.Lock()
	l.dialing++
	l.mu.Unlock()
	c, err := r.Connect(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialing--
	if err != nil {
		return nil, err
	}
	l.worked, l.spared = time.Now(), 0
	if l.open++; l.open > l.most {
		l.most = 0
	}
	return c, nil
}

// closed notes one less.
func (l *lines) closed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
}

// took notes a mail that was taken.
func (l *lines) took() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worked = time.Now()
}

// beyond reports whether a connection could not be made because the relay
// allows no more than there are. While others are being made, that may be so.
func (l *lines) beyond(f failure) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	early := f.Phase == relay.PhaseDial || f.Phase == relay.PhaseGreeting
	if !early && f.Code/100 != 4 {
		return false
	}
	if l.open == 0 || time.Since(l.worked) > aliveFor {
		l.spared++
		return l.dialing > 0 && l.spared <= l.workers
	}
	l.most, l.refused = l.open, time.Now()
	return true
}
