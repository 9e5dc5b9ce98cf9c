package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/store"
)

// testDeliveryMachine lets maintainers, readers and two senders do what they
// may do, in any order, and asks after every step whether the promises hold.
func testDeliveryMachine(t *testing.T, open func(*testing.T) store.Store) {
	// One database for all runs: what earlier runs left behind is part of the
	// disorder. Each has a newsletter of its own.
	st, run := open(t), 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		m := &machine{
			fixture:    &fixture{Store: st, t: r, ctx: t.Context(), now: epoch, slot: run * 1000},
			newsletter: fmt.Sprintf("letter-%d", run), held: map[string][]store.Job{}, barred: map[int64]bool{},
		}
		m.check(st.AcceptClock(t.Context(), epoch)) // each run begins anew
		m.join(r)
		m.postIDs = m.posts(2)
		r.Repeat(map[string]func(*rapid.T){
			"": m.invariants, "join": m.join, "post": m.post, "plan": m.planSome, "claim": m.claimSome, "record": m.recordSome,
			"pause": m.pause, "resume": m.resume, "cancel": m.cancel, "retry": m.retry,
			"leave": m.leave, "suppress": m.suppress, "erase": m.erase, "wait": m.wait,
		})
		for _, id := range m.editions { // leave nothing that another run would claim
			m.refusable(m.CancelEdition(m.ctx, m.now, id))
		}
		for holder, jobs := range m.held {
			m.record(holder, store.Result{State: store.DeliveryFailed}, jobs...)
		}
	})
}

// A machine knows only what the people in it know.
type machine struct {
	*fixture
	newsletter string
	people     []int64
	postIDs    []int64
	editions   []int64
	held       map[string][]store.Job
	barred     map[int64]bool // left, suppressed or erased: nothing may be claimed for them
}

func (m *machine) holder(r *rapid.T) string {
	return rapid.SampledFrom([]string{"x", "y"}).Draw(r, "holder") + m.newsletter
}

func (m *machine) someone(r *rapid.T) int64 {
	return rapid.SampledFrom(m.people).Draw(r, "person")
}

func (m *machine) someEdition(r *rapid.T) int64 {
	if len(m.editions) == 0 {
		r.Skip("no edition yet")
	}
	return rapid.SampledFrom(m.editions).Draw(r, "edition")
}

func (m *machine) join(r *rapid.T) {
	m.slot++
	m.people = append(m.people, m.reader(fmt.Sprintf("p%d@example.com", m.slot), m.newsletter))
}

func (m *machine) post(*rapid.T) { m.postIDs = append(m.postIDs, m.posts(1)...) }

// planSome plans an edition of some of the posts, some of it for later.
func (m *machine) planSome(r *rapid.T) {
	posts := rapid.SliceOfNDistinct(rapid.SampledFrom(m.postIDs), 1, 4, rapid.ID[int64]).Draw(r, "posts")
	e := m.edition(m.newsletter)
	if rapid.Bool().Draw(r, "approve") {
		e.Status = store.EditionPlanned
	}
	e.ExpiresAt = m.now.Add(time.Duration(rapid.IntRange(1, 10).Draw(r, "hours")) * time.Hour)
	audience := &due{posts: posts, notBefore: m.now.Add(time.Duration(rapid.IntRange(-1, 2).Draw(r, "delay")) * time.Hour)}
	e, _, err := m.PlanEdition(m.ctx, m.now, e, posts, audience, false)
	m.check(err)
	m.editions = append(m.editions, e.ID)
}

func (m *machine) claimSome(r *rapid.T) {
	holder := m.holder(r)
	for _, j := range m.claim(holder, rapid.IntRange(1, 5).Draw(r, "limit")) {
		if m.barred[j.SubscriberID] {
			r.Fatalf("delivery %+v was claimed for somebody who said no", j)
		}
		m.held[holder] = append(m.held[holder], j)
	}
}

func (m *machine) recordSome(r *rapid.T) {
	holder := m.holder(r)
	jobs := m.held[holder]
	n := rapid.IntRange(0, len(jobs)).Draw(r, "results")
	var rs []store.Result
	for _, j := range jobs[:n] {
		state := rapid.SampledFrom([]string{store.DeliverySent, store.DeliveryFailed, store.DeliveryInDoubt, store.DeliveryPending}).Draw(r, "state")
		rs = append(rs, store.Result{DeliveryRef: j.DeliveryRef, State: state, Counted: true,
			Resent: rapid.Bool().Draw(r, "resent"), NextAt: m.now.Add(time.Duration(n) * time.Minute)})
	}
	m.held[holder] = slices.Clone(jobs[n:])
	m.check(m.Record(m.ctx, m.now, holder, append(rs, rs...))) // twice is as good as once
}

// refusable accepts that the present state does not allow an operation.
func (m *machine) refusable(err error) {
	m.t.Helper()
	if err != nil {
		m.fails("refused", err, store.ErrConflict)
	}
}

func (m *machine) pause(r *rapid.T) {
	m.refusable(m.PauseEdition(m.ctx, m.now, m.someEdition(r)))
}

func (m *machine) resume(r *rapid.T) {
	m.refusable(m.ResumeEdition(m.ctx, m.now, m.someEdition(r)))
}

func (m *machine) cancel(r *rapid.T) {
	m.refusable(m.CancelEdition(m.ctx, m.now, m.someEdition(r)))
}

func (m *machine) retry(r *rapid.T) {
	_, err := m.RetryEdition(m.ctx, m.now, m.someEdition(r), m.now.Add(time.Hour))
	m.refusable(err)
}

func (m *machine) leave(r *rapid.T) {
	id := m.someone(r)
	m.check(m.Unsubscribe(m.ctx, m.now, id, rapid.SampledFrom([]string{"", m.newsletter}).Draw(r, "which")))
	m.barred[id] = true
}

func (m *machine) suppress(r *rapid.T) {
	id := m.someone(r)
	_, err := m.Suppress(m.ctx, []store.Suppression{{Key: m.person(id).Key, Reason: store.ReasonBounce, At: m.now}})
	m.check(err)
	m.barred[id] = true
}

func (m *machine) erase(r *rapid.T) {
	if len(m.people) == 1 {
		r.Skip("the last person stays")
	}
	id := m.someone(r)
	m.check(m.EraseSubscriber(m.ctx, m.now, id))
	m.people = slices.DeleteFunc(m.people, func(p int64) bool { return p == id })
	m.barred[id] = true
}

func (m *machine) wait(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(r, "minutes")) * time.Minute)
}

// invariants holds for every edition and every reader at any time.
func (m *machine) invariants(r *rapid.T) {
	got := map[string]int64{} // reader and post → edition
	for _, id := range m.editions {
		e, err := m.Edition(m.ctx, id)
		m.check(err)
		groups, err := m.EditionGroups(m.ctx, id)
		m.check(err)
		var c store.Counts
		for _, d := range m.deliveries(id, "") {
			tally(&c, d.State)
			if !fillsLedger(d.State) {
				continue
			}
			for _, post := range groups[d.Group].PostIDs {
				k := words(d.SubscriberID, " ", post)
				if got[k] != 0 {
					r.Fatalf("reader and post %s: in editions %d and %d", k, got[k], id)
				}
				got[k] = id
			}
		}
		m.accounted(e, c)
	}
}

// accounted checks an edition's account against its deliveries.
func (m *machine) accounted(e store.Edition, c store.Counts) {
	m.t.Helper()
	if e.Status == store.EditionSkipped {
		c = store.Counts{Eligible: e.Counts.Empty, Empty: e.Counts.Empty}
	}
	c.ResentInDoubt = e.Counts.ResentInDoubt
	m.equal(fmt.Sprintf("account of edition %d", e.ID), e.Counts, c)
	idle := e.Status == store.EditionFinished || e.Status == store.EditionSkipped
	if open := e.Status != store.EditionCancelled && c.Pending > 0; !open && !idle && e.Status != store.EditionCancelled || open && idle {
		m.t.Fatalf("edition %d is %s with %d pending", e.ID, e.Status, c.Pending)
	}
}

func fillsLedger(state string) bool {
	return state == store.DeliverySent || state == store.DeliveryInDoubt || state == store.DeliveryPending || state == store.DeliveryClaimed
}

func tally(c *store.Counts, state string) {
	c.Eligible++
	switch state {
	case store.DeliverySent:
		c.Sent++
	case store.DeliveryFailed:
		c.Failed++
	case store.DeliverySuppressed:
		c.Suppressed++
	case store.DeliveryEmpty:
		c.Empty++
	case store.DeliveryInDoubt:
		c.InDoubt++
	default:
		c.Pending++
	}
}
