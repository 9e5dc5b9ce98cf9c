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
			newsletter: fmt.Sprintf("letter-%d", run), held: map[string][]store.Job{}, barred: map[int64]bool{}, away: map[int64]bool{},
		}
		m.check(st.AcceptClock(t.Context(), epoch)) // each run begins anew
		m.join(r)
		m.postIDs = m.posts(2)
		r.Repeat(map[string]func(*rapid.T){
			"": m.invariants, "join": m.join, "post": m.post, "plan": m.planSome, "claim": m.claimSome, "record": m.recordSome,
			"pause": m.pause, "resume": m.resume, "cancel": m.cancel, "retry": m.retry,
			"leave": m.leave, "return": m.comeBack, "suppress": m.suppress, "erase": m.erase, "wait": m.wait,
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
	away       map[int64]bool // those of them who only left, and may sign up again
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
	had := m.ledger()
	e, _, err := m.PlanEdition(m.ctx, m.now, e, posts, audience, false)
	m.check(err)
	m.editions = append(m.editions, e.ID)
	m.offered(audience, had)
}

// offered checks that a plan was shown all readers, each with those of its
// posts that fill their ledger, and no others: failed, cancelled and expired
// deliveries have released theirs.
func (m *machine) offered(a *due, had map[string]int64) {
	m.t.Helper()
	var got, want []int64
	for _, r := range a.readers {
		got = append(got, r.SubscriberID)
		for _, post := range a.posts {
			if k := words(r.SubscriberID, post); (had[k] != 0) != slices.Contains(r.Seen, post) {
				m.t.Fatalf("reader and post %s: seen %v, on record in edition %d", k, r.Seen, had[k])
			}
		}
	}
	for _, id := range m.people {
		if !m.barred[id] {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	m.equal("readers of the plan", got, want)
}

func (m *machine) claimSome(r *rapid.T) {
	holder := m.holder(r)
	for _, j := range m.claim(holder, rapid.IntRange(1, 5).Draw(r, "limit")) {
		if m.barred[j.SubscriberID] {
			r.Fatalf("delivery %+v was claimed for somebody who said no", j)
		}
		m.held[holder] = append(m.held[holder], j)
		m.claimable(j)
	}
	for _, id := range m.editions {
		if e := m.kept(id); e.Status == store.EditionSending && !e.ExpiresAt.After(m.now) && len(m.deliveries(id, store.DeliveryPending)) > 0 {
			r.Fatalf("edition %d expired and has deliveries to make: %+v", id, e)
		}
	}
}

// claimable checks that a delivery's time had come and had not passed.
func (m *machine) claimable(j store.Job) {
	m.t.Helper()
	g, err := m.Group(m.ctx, j.EditionID, j.Group)
	m.check(err)
	e := m.kept(j.EditionID)
	if e.Status != store.EditionSending || g.NotBefore.After(m.now) || !e.ExpiresAt.After(m.now) {
		m.t.Fatalf("at %v, delivery %+v was claimed of edition %+v, not before %v", m.now, j, e, g.NotBefore)
	}
}

func (m *machine) kept(id int64) store.Edition {
	m.t.Helper()
	e, err := m.Edition(m.ctx, id)
	m.check(err)
	return e
}

func (m *machine) recordSome(r *rapid.T) {
	holder := m.holder(r)
	jobs := m.held[holder]
	n := rapid.IntRange(0, len(jobs)).Draw(r, "results")
	var rs []store.Result
	for _, j := range jobs[:n] {
		state := rapid.SampledFrom([]string{store.DeliverySent, store.DeliveryFailed, store.DeliveryInDoubt, store.DeliveryPending, store.DeliverySuppressed}).Draw(r, "state")
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
	m.away[id] = m.away[id] || !m.barred[id]
	m.barred[id] = true
}

// comeBack lets somebody who left sign up and confirm again.
func (m *machine) comeBack(r *rapid.T) {
	id := m.someone(r)
	if !m.away[id] {
		r.Skip("they did not leave")
	}
	m.equal("who came back", m.reader(m.person(id).Email, m.newsletter), id)
	m.away[id], m.barred[id] = false, false
}

func (m *machine) suppress(r *rapid.T) {
	id := m.someone(r)
	_, err := m.Suppress(m.ctx, []store.Suppression{{Key: m.person(id).Key, Reason: store.ReasonBounce, At: m.now}})
	m.check(err)
	m.barred[id], m.away[id] = true, false
}

func (m *machine) erase(r *rapid.T) {
	if len(m.people) == 1 {
		r.Skip("the last person stays")
	}
	id := m.someone(r)
	m.check(m.EraseSubscriber(m.ctx, m.now, id))
	m.people = slices.DeleteFunc(m.people, func(p int64) bool { return p == id })
	m.barred[id], m.away[id] = true, false
}

func (m *machine) wait(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(r, "minutes")) * time.Minute)
}

// invariants holds for every edition, every reader and every claim at any time.
func (m *machine) invariants(*rapid.T) {
	m.ledger()
	for _, id := range m.editions {
		var c store.Counts
		resent := 0
		for _, d := range m.deliveries(id, "") {
			tally(&c, d.State)
			if d.Resent {
				resent++
			}
		}
		e := m.kept(id)
		m.accounted(e, c)
		if e.Counts.ResentInDoubt > resent {
			m.t.Fatalf("edition %d counts %d resent in doubt, but %d may be", id, e.Counts.ResentInDoubt, resent)
		}
	}
	for holder, jobs := range m.held {
		m.holds(holder, jobs)
	}
}

// ledger gives, by reader and post, the edition that mailed it to them, or is
// about to. There is never more than one.
func (m *machine) ledger() map[string]int64 {
	m.t.Helper()
	got := map[string]int64{}
	for _, id := range m.editions {
		groups, err := m.EditionGroups(m.ctx, id)
		m.check(err)
		for _, d := range m.deliveries(id, "") {
			if !fillsLedger(d.State) {
				continue
			}
			for _, post := range groups[d.Group].PostIDs {
				k := words(d.SubscriberID, post)
				if got[k] != 0 {
					m.t.Fatalf("reader and post %s: in editions %d and %d", k, got[k], id)
				}
				got[k] = id
			}
		}
	}
	return got
}

// holds checks that a holder's claims are those it was given and has not
// recorded, whatever happened meanwhile, and that it is told which of them
// are not to be made any more.
func (m *machine) holds(holder string, jobs []store.Job) {
	m.t.Helper()
	var got, want []string
	for _, j := range m.claimed(holder) {
		got = append(got, words(j.EditionID, j.Seq))
	}
	for _, j := range jobs {
		want = append(want, words(j.EditionID, j.Seq))
		state, _, err := m.Unwanted(m.ctx, m.now, j.DeliveryRef)
		m.check(err)
		expect := ""
		if m.barred[j.SubscriberID] {
			expect = store.DeliverySuppressed
		} else if m.kept(j.EditionID).Status != store.EditionSending {
			expect = store.DeliveryPending
		}
		m.equal("whether "+words(j.EditionID, j.Seq)+" is wanted", state, expect)
	}
	slices.Sort(got)
	slices.Sort(want)
	m.equal("claims of "+holder, got, want)
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
