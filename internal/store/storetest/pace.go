package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/store"
)

func testCircuits(_ *testing.T, f *fixture) {
	shown := func() string {
		cs, err := f.Circuits(f.ctx)
		f.check(err)
		var lines []string
		for _, c := range cs {
			lines = append(lines, words(c.Name, c.State, c.Streak, c.Since.Sub(epoch), c.Until.Sub(epoch), c.Reason))
		}
		return strings.Join(lines, "; ")
	}
	open := func(name string, streak int, pause time.Duration) store.Circuit {
		c, err := f.OpenCircuit(f.ctx, f.now, store.Circuit{Name: name, Streak: streak, Since: f.now, Until: f.now.Add(pause), Reason: "refused"})
		f.check(err)
		return c
	}
	probe := func(name string) bool {
		won, err := f.ProbeCircuit(f.ctx, f.now, name, f.now.Add(20*time.Second))
		f.check(err)
		return won
	}
	f.equal("at first", shown(), "")
	f.equal("a closed one is probed", probe("relay"), false)
	f.check(f.CloseCircuit(f.ctx, "relay"))

	open("relay", 1, time.Second)
	c := open("relay", 1, time.Minute) // the second of two that failed together
	f.equal("opened twice at once", c.Until, f.now.Add(time.Second))
	f.equal("probed too early", probe("relay"), false)
	f.now = epoch.Add(time.Second)
	f.equal("first and second probe", words(probe("relay"), probe("relay")), "true false")
	f.equal("half-open", shown(), "relay half_open 1 0s 21s refused")
	open("relay", 2, 2*time.Second)
	f.equal("opened again", shown(), "relay open 2 0s 3s refused")
	f.now = epoch.Add(3 * time.Second)
	f.equal("third probe", probe("relay"), true)
	f.now = epoch.Add(24 * time.Second)
	f.equal("after one was lost", probe("relay"), true)

	open("domain example.com", 1, time.Hour)
	f.check(f.CloseCircuit(f.ctx, "relay"))
	f.equal("one closed", shown(), "domain example.com open 1 24s 1h0m24s refused")
	f.now = f.now.Add(31 * 24 * time.Hour)
	open("relay", 1, time.Second)
	cs, err := f.Circuits(f.ctx)
	f.check(err)
	f.equal("forgotten after a month", words(len(cs), cs[0].Name), "1 relay")
}

func testTurns(_ *testing.T, f *fixture) {
	borrow := func(limit string, interval time.Duration, n int) time.Duration {
		first, _, err := f.BorrowTurns(f.ctx, f.now, store.Turns{Limit: limit, Interval: interval, N: n, Slack: 100 * time.Millisecond, Ahead: time.Hour})
		f.check(err)
		return first.Sub(epoch)
	}
	const tenth = 100 * time.Millisecond
	f.equal("first", borrow("all", tenth, 10), -tenth)
	f.equal("behind it", borrow("all", tenth, 10), 900*time.Millisecond)
	f.equal("another limit", borrow("example.com", time.Minute, 1), -tenth)
	f.equal("slow", borrow("example.com", time.Minute, 1), time.Minute-tenth)
	f.equal("less than a millisecond", borrow("fast", 100*time.Microsecond, 15), -tenth)
	f.equal("is rounded up", borrow("fast", time.Millisecond, 1), 2*time.Millisecond-tenth)

	for range 2 { // too far ahead: nobody has it yet
		first, ok, err := f.BorrowTurns(f.ctx, f.now, store.Turns{Limit: "all", Interval: tenth, N: 5, Ahead: time.Second})
		f.check(err)
		f.equal("too far ahead", words(first.Sub(epoch), ok), words(1900*time.Millisecond, false))
	}
	first, ok, err := f.BorrowTurns(f.ctx, f.now, store.Turns{Limit: "all", Interval: tenth, N: 1, Ahead: 2 * time.Second})
	f.check(err)
	f.equal("not too far", words(first.Sub(epoch), ok), words(1900*time.Millisecond, true))

	f.now = epoch.Add(10 * time.Second)
	f.equal("what nobody took is lost", borrow("all", tenth, 1), 10*time.Second-tenth)
	f.now = epoch.Add(-24 * time.Hour)
	f.equal("clock set back", borrow("all", tenth, 1), -24*time.Hour-tenth)
}

// testSharedPace lets two processes take turns and probe at once.
func testSharedPace(t *testing.T, a, b store.Store) {
	f := &fixture{Store: a, t: t, ctx: t.Context(), now: epoch}
	const rounds = 30
	_, err := f.OpenCircuit(f.ctx, f.now, store.Circuit{Name: "relay", Streak: 1, Since: f.now, Until: f.now})
	f.check(err)
	var processes sync.WaitGroup
	firsts, won := make(chan time.Time, 2*rounds), make(chan bool, 2)
	for _, s := range []store.Store{a, b} {
		processes.Go(func() {
			probe, err := s.ProbeCircuit(t.Context(), epoch, "relay", epoch.Add(time.Second))
			if err != nil {
				t.Error(err)
			}
			won <- probe
			for range rounds {
				first, _, err := s.BorrowTurns(t.Context(), epoch, store.Turns{Limit: "all", Interval: time.Second, N: 3, Ahead: time.Hour})
				if err != nil {
					t.Error(err)
				}
				firsts <- first
			}
		})
	}
	processes.Wait()
	close(firsts)
	first, second := <-won, <-won
	f.equal("one probe", first != second, true)
	var all []time.Time
	for first := range firsts {
		all = append(all, first)
	}
	slices.SortFunc(all, time.Time.Compare)
	for i, first := range all {
		f.equal(fmt.Sprintf("loan %d", i), first, epoch.Add(time.Duration(3*i)*time.Second))
	}
}
