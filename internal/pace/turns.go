package pace

import (
	"context"
	"time"

	"tidings/internal/store"
)

const (
	// loan is how much of a limit a process borrows at a time, so that the
	// database is not asked for every mail. It is less than slack: what several
	// processes borrow in turn can be used by each at any time.
	loan = 100 * time.Millisecond
	// slack is how long a turn may be used late: those who wait for it are not
	// woken in the same instant. In any t seconds at most
	// speed × (t + slack) + 1 mails begin, of all processes together.
	slack = 250 * time.Millisecond
)

// turns are the turns of a limit of speed: evenly spread instants, each for
// one mail of one process.
type turns struct {
	limit    string
	interval time.Duration
	next     time.Time // turn to be had
	end      time.Time // of what is borrowed
	others   time.Time // until when the turns are those of others
}

// newTurns gives nil where there is no limit.
func newTurns(limit string, perSecond float64) *turns {
	if perSecond <= 0 {
		return nil
	}
	return &turns{limit: limit, interval: max(time.Duration(float64(time.Second)/perSecond), 1)}
}

// ready gives the next turn, which may be a little past or still to come. It is
// ours alone if there is but a moment to wait for it: a turn that a process
// held while others have the mails would be lost.
func (t *turns) ready(ctx context.Context, s store.Pace, now time.Time) (turn time.Time, ours bool, err error) {
	late := max(slack, t.interval/2) // for a slow limit, a wait is less exact
	if missed := now.Sub(t.next) - late; missed > 0 && t.next.Before(t.end) {
		t.next = t.next.Add((missed/t.interval + 1) * t.interval)
	}
	if !t.next.Add(t.interval).After(t.end) && !t.end.IsZero() {
		return t.next, true, nil
	}
	if t.others.After(now.Add(atOnce)) {
		return t.others, false, nil
	}
	n := max(1, int(loan/t.interval))
	first, ours, err := s.BorrowTurns(ctx, now, store.Turns{Limit: t.limit, Interval: t.interval, N: n, Slack: late, Ahead: atOnce})
	switch {
	case err != nil:
		return time.Time{}, false, err
	case ours:
		t.next, t.end = first, first.Add(time.Duration(n)*t.interval)
	default:
		t.others = first
	}
	return first, ours, nil
}

// take uses the turn that ready gave; of the speed only a share.
func (t *turns) take(share float64) { t.next = t.next.Add(t.spacing(share)) }

func (t *turns) spacing(share float64) time.Duration {
	return time.Duration(float64(t.interval) / share)
}
