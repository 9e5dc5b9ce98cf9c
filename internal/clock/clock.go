// Package clock tells the time, true or rehearsed. A rehearsal starts at a
// chosen instant and runs at a chosen rate, so that a year of schedules
// passes in minutes; everything that waits, waits through a Clock.
package clock

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Clock gives the present and waits for the future. The zero value is the
// machine's own clock.
type Clock struct {
	began time.Time // real instant at which the rehearsal began; zero: no rehearsal
	start time.Time
	rate  float64
	ahead time.Duration // of the machine's clock
}

// Wrong gives the clock of a machine that is so far ahead of the true time.
func Wrong(ahead time.Duration) Clock { return Clock{ahead: ahead} }

// Rehearse gives a clock that shows start now and runs rate times as fast.
func Rehearse(start time.Time, rate float64) Clock {
	return Clock{began: time.Now(), start: start, rate: rate}
}

// Parse reads "START,RATE": an RFC 3339 instant or a date, and how many times
// as fast as real time it runs.
func Parse(s string) (Clock, error) {
	at, by, ok := strings.Cut(s, ",")
	if !ok {
		return Clock{}, fmt.Errorf("clock %q: want START,RATE such as 2026-01-01,1440", s)
	}
	start, err := time.Parse(time.RFC3339, at)
	if err != nil {
		if start, err = time.Parse(time.DateOnly, at); err != nil {
			return Clock{}, fmt.Errorf("clock %q: START is neither a date nor an RFC 3339 instant", s)
		}
	}
	rate, err := strconv.ParseFloat(by, 64)
	if err != nil || !(rate > 0 && rate <= 1e6) {
		return Clock{}, fmt.Errorf("clock %q: RATE must be a number above 0, at most 1000000", s)
	}
	return Rehearse(start, rate), nil
}

// Rehearsing reports whether the clock is not the machine's.
func (c Clock) Rehearsing() bool { return !c.began.IsZero() }

// Span is how much of this clock's time passes in d of real time.
func (c Clock) Span(d time.Duration) time.Duration {
	if !c.Rehearsing() {
		return d
	}
	return time.Duration(float64(d) * c.rate)
}

// Now is the present instant.
func (c Clock) Now() time.Time {
	if !c.Rehearsing() {
		return time.Now().Add(c.ahead)
	}
	return c.start.Add(time.Duration(float64(time.Since(c.began)) * c.rate))
}

// Real is how long d lasts in real time.
func (c Clock) Real(d time.Duration) time.Duration {
	if !c.Rehearsing() {
		return d
	}
	return time.Duration(float64(d) / c.rate)
}

// longest is how long one timer runs. Go's timers follow the monotonic clock:
// a wall clock set forward, or a machine that slept, would be noticed late,
// so a long wait looks at the wall clock now and then.
const longest = 30 * time.Second

// Wait returns nil at the given instant, or ctx's error.
func (c Clock) Wait(ctx context.Context, until time.Time) error {
	for {
		left := until.Round(0).Sub(c.Now().Round(0))
		if left <= 0 {
			return ctx.Err()
		}
		// Not 0, for less than a nanosecond: that would not let time pass.
		if err := sleep(ctx, min(max(c.Real(left), 1), longest)); err != nil {
			return err
		}
	}
}

// Sleep waits for d of this clock's time, or for ctx.
func (c Clock) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, c.Real(d)) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
