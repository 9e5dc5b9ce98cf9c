package pace

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// begin lets n workers of a gate begin mails for some time and gives when they
// did.
func begin(t *testing.T, g *Gate, workers int, m Mail, lasts time.Duration, during time.Duration) (begun []time.Time) {
	ctx, stop := context.WithTimeout(t.Context(), during)
	defer stop()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				p, until := g.Admit(ctx, m)
				if p == nil {
					sleep(ctx, time.Until(until))
					continue
				}
				mu.Lock()
				begun = append(begun, time.Now())
				mu.Unlock()
				time.Sleep(lasts)
				p.Done(Accepted, "")
			}
		})
	}
	all.Wait()
	return begun
}

// within checks that no span of time holds more than its share.
func within(t *testing.T, begun []time.Time, perSecond float64) {
	t.Helper()
	slices.SortFunc(begun, time.Time.Compare)
	allowance := perSecond*max(slack.Seconds(), 0.5/perSecond) + 1.001
	for i, from := range begun {
		for j := i; j < len(begun); j++ {
			if n, span := j-i+1, begun[j].Sub(from).Seconds(); float64(n) > perSecond*span+allowance {
				t.Fatalf("%d mails in %.3f s at %v a second", n, span, perSecond)
			}
		}
	}
}

func TestProcessesShareTheSpeed(t *testing.T) {
	for _, perSecond := range []float64{0.5, 3, 20, 333} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			inTime(t, func(t *testing.T, h *house) {
				const during = 20 * time.Second
				var mu sync.Mutex
				var begun []time.Time
				var processes sync.WaitGroup
				for i := range 3 {
					processes.Go(func() {
						time.Sleep(time.Duration(i) * 730 * time.Millisecond)
						g := h.process(Config{PerSecond: perSecond})
						times := begin(t, g, 4, Mail{Newsletter: "weekly", Domain: "a.example"}, 10*time.Millisecond, during)
						mu.Lock()
						defer mu.Unlock()
						begun = append(begun, times...)
					})
				}
				processes.Wait()
				within(t, begun, perSecond)
				if got, want := float64(len(begun)), perSecond*during.Seconds(); got < 0.9*want-1 {
					t.Errorf("%v mails in %v, want about %v", got, during, want)
				}
			})
		})
	}
}

func TestADomainHasItsOwnSpeed(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{PerSecond: 50, Domains: map[string]Limit{"slow.example": {PerSecond: 4}}})
		var slow, fast []time.Time
		var both sync.WaitGroup
		both.Go(func() { slow = begin(t, g, 2, Mail{Domain: "slow.example"}, 0, 10*time.Second) })
		both.Go(func() { fast = begin(t, g, 2, Mail{Domain: "fast.example"}, 0, 10*time.Second) })
		both.Wait()
		within(t, slow, 4)
		within(t, slices.Concat(slow, fast), 50)
		if len(slow) < 30 || len(slow)+len(fast) < 450 {
			t.Errorf("%d and %d mails in 10 s", len(slow), len(fast))
		}
	})
}

func TestConnectionsOfADomain(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{Domains: map[string]Limit{"a.example": {Connections: 2}}})
		first, second := h.must(g, "weekly", "a.example"), h.must(g, "weekly", "a.example")
		if h.try(g, "weekly", "a.example") != nil {
			t.Error("a third mail is under way")
		}
		h.must(g, "weekly", "b.example")
		first.Done(Accepted, "")
		second.Done(Refused, "550")
		h.must(g, "weekly", "a.example")
	})
}

func TestSlowingDownAndRecovering(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{Connections: 8})
		fill := func() (passes []*Pass) {
			for range 8 {
				if p := h.try(g, "weekly", "a.example"); p != nil {
					passes = append(passes, p)
				}
			}
			return passes
		}
		finish := func(passes []*Pass, v Verdict) {
			for _, p := range passes {
				p.Done(v, "421 4.7.0 slow down")
			}
		}
		passes := fill()
		time.Sleep(time.Millisecond)
		finish(passes[:3], Throttled) // together: lowered once
		finish(passes[3:], Accepted)
		if passes = fill(); len(passes) != 4 {
			t.Fatalf("%d under way after a refusal, want 4 of 8", len(passes))
		}
		other := h.must(g, "weekly", "b.example")
		other.Done(Accepted, "")
		finish(passes, Accepted)
		finish(fill(), Accepted)
		if n := len(fill()); n != 4 {
			t.Fatalf("%d under way at once, want 4 for a while", n)
		}
	})
}

func TestRecoveryTakesItsTime(t *testing.T) {
	inTime(t, func(t *testing.T, h *house) {
		g := h.process(Config{Connections: 4})
		h.must(g, "weekly", "a.example").Done(Throttled, "421")
		from := time.Now()
		for len(g.domains) > 0 {
			p := h.must(g, "weekly", "a.example")
			time.Sleep(time.Second)
			p.Done(Accepted, "")
			if time.Since(from) > 10*time.Minute {
				t.Fatal("never recovers")
			}
		}
		if took := time.Since(from); took < 30*time.Second {
			t.Errorf("back to full speed within %v", took)
		}
	})
}

// due is a queue of deliveries as the store keeps it.
type due []delivery

type delivery struct {
	at     time.Time
	seq    int
	domain string
}

func (d due) Len() int { return len(d) }
func (d due) Less(i, j int) bool {
	return d[i].at.Before(d[j].at) || d[i].at.Equal(d[j].at) && d[i].seq < d[j].seq
}
func (d due) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *due) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *due) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// send takes what is due from a queue until it is empty, processes that look
// every tenth of a second, and calls sent for each mail.
func send(gates []*Gate, q *due, sent func(delivery)) (claims int) {
	var busy []*Pass
	for q.Len() > 0 {
		for _, p := range busy {
			p.Done(Accepted, "")
		}
		busy = nil
		time.Sleep(soon)
		for q.Len() > 0 && !(*q)[0].at.After(time.Now()) {
			d := heap.Pop(q).(delivery)
			claims++
			p, held := gates[claims%len(gates)].admit(context.Background(), Mail{Domain: d.domain}, new(time.Time))
			if p == nil && held.stay {
				time.Sleep(held.wait)
				held.wait = 0
			}
			if p == nil {
				d.at = time.Now().Add(held.wait).Truncate(time.Millisecond)
				heap.Push(q, d)
				continue
			}
			busy = append(busy, p)
			sent(d)
		}
	}
	return claims
}

// TestOneSlowDomainHoldsUpNobody sends to many readers of a limited domain and
// some of others. It counts claims: what waits is not looked at over and over.
func TestOneSlowDomainHoldsUpNobody(t *testing.T) {
	for name, test := range map[string]struct {
		limit     Limit
		processes int
		longest   time.Duration
	}{
		"speed":       {Limit{PerSecond: 20}, 1, 210 * time.Second},
		"processes":   {Limit{PerSecond: 20}, 3, 230 * time.Second},
		"connections": {Limit{Connections: 1}, 1, 420 * time.Second}, // one mail in 0.1 s
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, h *house) {
				const slow, others = 4000, 200
				var gates []*Gate
				for range test.processes {
					gates = append(gates, h.process(Config{Domains: map[string]Limit{"slow.example": test.limit}}))
				}
				q := &due{}
				for i := range slow + others {
					d := delivery{time.Now(), i, "slow.example"}
					if i%(slow/others) == 0 {
						d.domain = fmt.Sprintf("d%d.example", i)
					}
					heap.Push(q, d)
				}
				begun := time.Now()
				claims := send(gates, q, func(d delivery) {
					if time.Since(begun) > time.Second && d.domain != "slow.example" {
						t.Errorf("a mail to %s came only after %v", d.domain, time.Since(begun))
					}
				})
				if took := time.Since(begun); took > test.longest {
					t.Errorf("took %v, want at most %v", took, test.longest)
				}
				if claims > 5*(slow+others) {
					t.Errorf("%d claims for %d deliveries", claims, slow+others)
				}
				t.Logf("%d claims, %v", claims, time.Since(begun))
			})
		})
	}
}

// TestAFewASecond sends to a domain that takes three a second. No process holds
// a turn while another one has the mails.
func TestAFewASecond(t *testing.T) {
	for _, processes := range []int{1, 3} {
		t.Run(fmt.Sprint(processes), func(t *testing.T) {
			inTime(t, func(t *testing.T, h *house) {
				const readers, perSecond = 900, 3
				var gates []*Gate
				for range processes {
					gates = append(gates, h.process(Config{Domains: map[string]Limit{"slow.example": {PerSecond: perSecond}}}))
				}
				q := &due{}
				for i := range readers {
					heap.Push(q, delivery{time.Now(), i, "slow.example"})
				}
				begun := time.Now()
				var times []time.Time
				claims := send(gates, q, func(delivery) { times = append(times, time.Now()) })
				within(t, times, perSecond)
				if took, want := time.Since(begun), readers/perSecond*time.Second; took > want*5/4 {
					t.Errorf("took %v, want about %v", took, want)
				}
				for i := range times[1:] {
					if gap := times[i+1].Sub(times[i]); gap > 5*time.Second {
						t.Errorf("until %v, nothing for %v", times[i+1].Sub(begun), gap)
					}
				}
				if claims > 5*readers {
					t.Errorf("%d claims for %d mails", claims, readers)
				}
				t.Logf("%d claims, %v", claims, time.Since(begun))
			})
		})
	}
}
