package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/clock"
)

func TestRehearsalRunsAtItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := clock.Parse("2026-03-01T12:00:00Z,60")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		want := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
		if got := c.Now(); !got.Equal(want) {
			t.Errorf("after a minute at rate 60: %v, want %v", got, want)
		}
		before := time.Now()
		if err := c.Wait(t.Context(), want.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took != 2*time.Minute {
			t.Errorf("two rehearsed hours took %v, want 2m", took)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		var c clock.Clock
		if err := c.Wait(ctx, c.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait = %v, want context.Canceled", err)
		}
	})
}

func TestWaitOfTheMachinesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		until := c.Now().Add(25 * time.Hour)
		if err := c.Wait(t.Context(), until); err != nil {
			t.Fatal(err)
		}
		if !c.Now().Equal(until) {
			t.Errorf("woke at %v, want %v", c.Now(), until)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "2026-01-01", "yesterday,1", "2026-01-01,0", "2026-01-01,-3", "2026-01-01,fast", "2026-01-01,NaN"} {
		if _, err := clock.Parse(s); err == nil {
			t.Errorf("Parse(%q) accepted", s)
		}
	}
}
