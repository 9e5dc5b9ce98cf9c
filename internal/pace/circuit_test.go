package pace

import (
	"context"
	"testing"
	"time"

	"tidings/internal/store"
)

func TestRelayThatIsDownIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		first, second := h.must(g, "weekly", "a.example"), h.must(g, "weekly", "b.example")
		first.Done(Unreachable, "connection refused")
		until := g.Until("")
		if second.Done(Unreachable, "connection refused"); !g.Until("").Equal(until) {
			t.Errorf("two failures together are a pause until %v, then %v", until, g.Until(""))
		}
		if pause := time.Until(until); pause < 750*time.Millisecond || pause > 1250*time.Millisecond {
			t.Errorf("first pause %v, want about 1s", pause)
		}
		if n, _ := g.Claimable(200); n != 0 || h.try(g, "weekly", "c.example") != nil {
			t.Error("mails pass an open circuit")
		}
		time.Sleep(time.Until(until))
		if n, _ := g.Claimable(200); n != 1 {
			t.Errorf("%d deliveries to claim for the probe", n)
		}
		h.sync(g)
		probe := h.must(g, "weekly", "a.example")
		if n, _ := g.Claimable(200); n != 0 || h.try(g, "weekly", "b.example") != nil {
			t.Error("a second mail passes beside the probe")
		}
		probe.Done(Accepted, "")
		if n, _ := g.Claimable(200); n != 200 {
			t.Errorf("%d deliveries to claim after the probe", n)
		}
	})
}

func TestPausesGrowUntilTheirLongest(t *testing.T) {
	for name, test := range map[string]struct {
		fail           Verdict
		times          int // that open the circuit at first
		first, longest time.Duration
	}{
		"relay":      {Unreachable, 1, time.Second, 5 * time.Minute},
		"crowded":    {Crowded, 5, time.Second, 5 * time.Minute},
		"newsletter": {SenderRefused, 1, time.Second, 5 * time.Minute},
		"domain":     {Throttled, 5, 30 * time.Second, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, h *house) {
				g := h.process(Config{})
				for range test.times {
					if open := g.Open(); len(open) > 0 {
						t.Fatalf("open too early: %v", open)
					}
					h.must(g, "weekly", "a.example").Done(test.fail, "no")
				}
				want := test.first
				for range 14 {
					open := g.Open()
					if len(open) != 1 {
						t.Fatalf("open are %v", open)
					}
					if pause := time.Until(open[0].Until); pause < want*3/4 || pause > want*5/4 {
						t.Errorf("pause %v, want about %v", pause, want)
					}
					h.sync(g)
					time.Sleep(time.Until(open[0].Until))
					h.must(g, "weekly", "a.example").Done(test.fail, "no")
					want = min(2*want, test.longest)
				}
			})
		})
	}
}

func TestFailuresAmongSuccesses(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		for i := range 100 { // every third is lost: not the relay
			v := Accepted
			if i%3 == 0 {
				v = Broken
			}
			h.must(g, "weekly", "a.example").Done(v, "reset")
		}
		if open := g.Open(); len(open) > 0 {
			t.Fatalf("open are %v", open)
		}
		for i := 0; len(g.Open()) == 0; i++ { // two of three
			v := Broken
			if i%3 == 0 {
				v = Accepted
			}
			h.must(g, "weekly", "a.example").Done(v, "reset")
			if i > sample {
				t.Fatal("two losses of three are not noticed")
			}
		}
	})
}

func TestOnlyTheGuiltyIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		h.must(g, "bad", "a.example").Done(SenderRefused, "553")
		if h.try(g, "bad", "b.example") != nil {
			t.Error("the newsletter whose sender is refused goes on")
		}
		if _, except := g.Claimable(9); len(except) != 1 || except[0] != "bad" {
			t.Errorf("claims leave out %v", except)
		}
		for range failuresInARow {
			h.must(g, "good", "full.example").Done(Throttled, "4.7.1")
		}
		if h.try(g, "good", "full.example") != nil {
			t.Error("the domain that refuses goes on")
		}
		// One address at which the connection always breaks: its domain's.
		for range failuresInARow {
			h.must(g, "good", "a.example").Done(Accepted, "")
			h.must(g, "good", "broken.example").Done(Broken, "reset")
		}
		if h.try(g, "good", "broken.example") != nil {
			t.Error("the domain at which connections break goes on")
		}
		h.must(g, "good", "a.example").Done(Accepted, "")
	})
}

func TestARestartGoesOnWaiting(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		before := h.process(Config{})
		for range 8 {
			h.sync(before)
			if open := before.Open(); len(open) > 0 {
				time.Sleep(time.Until(open[0].Until))
			}
			h.must(before, "weekly", "a.example").Done(Unreachable, "refused")
		}
		h.sync(before)
		was := before.Open()[0]
		after := h.process(Config{})
		if open := after.Open(); len(open) != 1 || open[0].Streak != 8 || open[0].Until.Sub(was.Until).Abs() > time.Millisecond {
			t.Errorf("after a restart open are %v, before %v", open, was)
		}
		if n, _ := after.Claimable(200); n != 0 {
			t.Error("a restart hammers a relay that is down")
		}
		if n, _ := h.process(Config{Relay: "other:25"}).Claimable(200); n == 0 {
			t.Error("another relay is left alone too")
		}
	})
}

func TestProcessesLearnFromEachOther(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		a, b := h.process(Config{}), h.process(Config{})
		h.must(a, "weekly", "a.example").Done(Unreachable, "refused")
		h.sync(a)
		time.Sleep(syncEvery)
		h.sync(b)
		open := b.Open()
		if len(open) != 1 {
			t.Fatal("the other process does not know")
		}
		time.Sleep(time.Until(open[0].Until) + time.Millisecond)
		probe := h.must(a, "weekly", "a.example")
		if h.try(b, "weekly", "b.example") != nil {
			t.Error("two processes probe at once")
		}
		probe.Done(Accepted, "")
		h.sync(a)
		time.Sleep(syncEvery)
		h.sync(b)
		h.must(b, "weekly", "b.example").Done(Accepted, "")
		if cs, err := h.Circuits(t.Context()); err != nil || len(cs) > 0 {
			t.Errorf("on record are %v, %v", cs, err)
		}
	})
}

func TestAProbeThatIsNotMade(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		h.must(g, "weekly", "a.example").Done(Unreachable, "refused")
		until := g.Until("")
		h.sync(g)
		time.Sleep(time.Until(until))
		h.must(g, "weekly", "a.example").Done(Unused, "")
		h.sync(g)
		h.must(g, "weekly", "a.example") // its process dies
		h.sync(g)
		other := h.process(Config{})
		if open := other.Open(); open[0].State != store.CircuitHalfOpen || h.try(other, "weekly", "a.example") != nil {
			t.Errorf("beside a probe: %v", open)
		}
		time.Sleep(probeFor)
		h.must(other, "weekly", "a.example").Done(Accepted, "")
	})
}

// TestMailsLieReadyForWhenTheRelayIsBack puts mails off for the relay's circuit
// in every way: none of them for long, however long the pause is, because it
// may end before.
func TestMailsLieReadyForWhenTheRelayIsBack(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		soon := func(until time.Time) {
			t.Helper()
			if wait := time.Until(until); wait > 2*time.Second {
				t.Errorf("put off for %v", wait)
			}
		}
		late := h.must(g, "weekly", "late.example")
		for range 8 {
			h.sync(g)
			time.Sleep(time.Until(g.Until("")))
			soon(h.must(g, "weekly", "a.example").Done(Unreachable, "refused"))
		}
		if pause := time.Until(g.Until("")); pause < 90*time.Second {
			t.Fatalf("a pause of %v after eight failures", pause)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, until := g.Admit(ctx, Mail{Newsletter: "weekly", Domain: "b.example"})
		soon(until)
		h.sync(g)
		time.Sleep(time.Until(g.Until("")))
		h.must(g, "weekly", "c.example") // the probe
		soon(late.Done(Broken, "reset"))
	})
}

// TestAMailThatFailsAgain says nothing new of what it depends on, unless it is
// the probe.
func TestAMailThatFailsAgain(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{})
		again := func(v Verdict) {
			p, held := g.admit(t.Context(), Mail{Newsletter: "weekly", Domain: "a.example", Again: true}, new(time.Time))
			if p == nil {
				t.Fatalf("held for %v", held.wait)
			}
			p.Done(v, "reset")
		}
		for range 3 * sample {
			again(Broken)
		}
		if open := g.Open(); len(open) != 0 {
			t.Fatalf("open are %v", open)
		}
		for range failuresInARow {
			h.must(g, "weekly", "a.example").Done(Broken, "reset")
		}
		h.sync(g)
		before := g.Until("")
		time.Sleep(time.Until(before))
		again(Broken)
		if open := g.Open(); len(open) == 0 || open[len(open)-1].Streak != 2 {
			t.Errorf("after a probe that failed: %v", open)
		}
	})
}
