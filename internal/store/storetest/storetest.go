// Package storetest is the conformance suite of package store: every engine
// runs it against real databases. It knows the contract only, never an
// engine's tables.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
)

// Run holds an engine to the contract. open gives an empty store of its own to
// each test, and sees to its end.
func Run(t *testing.T, open func(*testing.T) store.Store) {
	RunParts(t, open)
	t.Run("ImportEqualsDryRun", func(t *testing.T) { testImportEqualsDryRun(t, open) })
	t.Run("DeliveryMachine", func(t *testing.T) { testDeliveryMachine(t, open) })
	t.Run("Wishes", func(t *testing.T) { testWishes(t, open) })
}

// RunParts is [Run] without its long part; it meets every query.
func RunParts(t *testing.T, open func(*testing.T) store.Store) {
	parts := map[string]func(*testing.T, *fixture){
		"Posts":         testPosts,
		"PostUpdates":   testPostUpdates,
		"Adopt":         testAdopt,
		"ManyPosts":     testManyPosts,
		"Documents":     testDocuments,
		"Hubs":          testHubs,
		"TermSlugs":     testTermSlugs,
		"SignUp":        testSignUp,
		"SignUpAgain":   testSignUpAgain,
		"SignUpLimits":  testSignUpLimits,
		"Forms":         testForms,
		"SignUpKinds":   testSignUpKinds,
		"WishesApart":   testWishesApart,
		"PendingStays":  testPendingStays,
		"SignUpSeveral": testSignUpSeveral,
		"Unconfirmed":   testUnconfirmed,
		"Confirm":       testConfirm,
		"PrivateFeed":   testPrivateFeed,
		"Preferences":   testPreferences,
		"Return":        testReturn,
		"MoveAddress":   testMoveAddress,
		"AskLink":       testAskLink,
		"Consents":      testConsents,
		"Traces":        testTraces,
		"Unsubscribe":   testUnsubscribe,
		"Subscribers":   testSubscribers,
		"Erase":         testErase,
		"Import":        testImport,
		"ImportFields":  testImportFields,
		"ImportStates":  testImportStates,
		"ImportErased":  testImportErased,
		"Suppressions":  testSuppressions,
		"Notices":       testNotices,
		"Editions":      testEditions,
		"RecordSkipped": testRecordEditions,
		"Archive":       testArchive,
		"Welcome":       testWelcome,
		"Plan":          testPlan,
		"PlanMany":      testPlanMany,
		"Announced":     testAnnounced,
		"Bands":         testBands,
		"Until":         testUntil,
		"Waves":         testWaves,
		"SeenAlike":     testSeenAlike,
		"WaveStates":    testWaveStates,
		"Explaining":    testExplaining,
		"Paused":        testPaused,
		"Claim":         testClaim,
		"Unwanted":      testUnwanted,
		"CalledOff":     testCalledOff,
		"Hastened":      testHastened,
		"Record":        testRecord,
		"EditionStates": testEditionStates,
		"Retry":         testRetry,
		"Copies":        testCopies,
		"Upkeep":        testUpkeep,
		"Timekeeping":   testTimekeeping,
		"Alerts":        testAlerts,
		"Circuits":      testCircuits,
		"Turns":         testTurns,
		"Leases":        testLeases,
		"LateTruth":     testLateTruth,
		"LateHold":      testLateHold,

		"Bounces":            testBounces,
		"BouncesAtSending":   testBouncesAtSending,
		"BouncesHeld":        testBouncesHeld,
		"BouncesHeldAcross":  testBouncesHeldAcross,
		"BouncesHeldForGood": testBouncesHeldForGood,
		"BouncesWear":        testBouncesWear,
		"BouncesWearLate":    testBouncesWearLate,
		"BouncesOfNotices":   testBouncesOfNotices,

		"StagedImport":      testStagedImport,
		"LeavingMeanwhile":  testLeavingMeanwhile,
		"DroppedImport":     testDroppedImport,
		"StagingRefuses":    testStagingRefuses,
		"ImportSuppresses":  testImportSuppresses,
		"ImportOfOnePerson": testImportOfOnePerson,

		"Withdraw":         testWithdraw,
		"WithdrawClaimed":  testWithdrawClaimed,
		"WithdrawWaiting":  testWithdrawWaiting,
		"WithdrawImported": testWithdrawImported,

		"BouncesOfTheExpired":  testBouncesOfTheExpired,
		"BouncesOfNoticesHeld": testBouncesOfNoticesHeld,
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		t.Run(name, func(t *testing.T) { parts[name](t, newFixture(t, open)) })
	}
}

// epoch is when the tests begin, in whole milliseconds.
var epoch = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// failer is what testing.T and rapid.T share.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A fixture is a store with the verbs that tests speak in. A verb that fails
// ends the test.
type fixture struct {
	store.Store
	t    failer
	ctx  context.Context
	now  time.Time
	slot int
}

func newFixture(t *testing.T, open func(*testing.T) store.Store) *fixture {
	return &fixture{Store: open(t), t: t, ctx: t.Context(), now: epoch}
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("unexpected error: %v", err)
	}
}

func (f *fixture) equal(what string, got, want any) {
	f.t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		f.t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func (f *fixture) fails(what string, err, sentinel error) {
	f.t.Helper()
	if !errors.Is(err, sentinel) {
		f.t.Fatalf("%s: error %v, want %v", what, err, sentinel)
	}
}

// key stands for the keyed hash of an address.
func key(email string) string { return "key:" + email }

func person(email string) store.Subscriber {
	return store.Subscriber{Email: email, Key: key(email)}
}

// signUp signs up without a limit.
func (f *fixture) signUp(email, newsletter string) (id int64) {
	f.t.Helper()
	f.attended(person(email), store.Subscription{Newsletter: newsletter})
	p, err := f.SubscriberByEmail(f.ctx, email)
	f.check(err)
	return p.ID
}

// applied signs somebody up without a limit, and attends to it.
func (f *fixture) attended(p store.Subscriber, subs ...store.Subscription) {
	f.t.Helper()
	p.Subscriptions = subs
	queued, err := f.QueueSignUp(f.ctx, f.now, store.SignUp{Subscriber: p, Mailbox: p.Key}, store.SignUpLimits{PerMailbox: 1000, All: 10_000, MailboxSince: f.now, AllSince: f.now})
	f.check(err)
	f.equal("queued", queued, true)
	n, err := f.ApplySignUps(f.ctx, f.now, 10)
	f.check(err)
	f.equal("applied", n, 1)
}

// notices gives how many notices are due, without claiming them for long.
func (f *fixture) notices() int {
	f.t.Helper()
	list, err := f.ClaimNotices(f.ctx, f.now, f.now, 1000)
	f.check(err)
	return len(list)
}

// reader makes an active subscriber.
func (f *fixture) reader(email, newsletter string) (id int64) {
	f.t.Helper()
	id = f.signUp(email, newsletter)
	f.confirm(id, newsletter)
	return id
}

// confirm makes active what a person has just asked for.
func (f *fixture) confirm(id int64, newsletter string) {
	f.t.Helper()
	notices, err := f.ClaimNotices(f.ctx, f.now, f.now, 1000)
	f.check(err)
	var last int64
	for _, n := range notices {
		if n.SubscriberID == id {
			last = max(last, n.SignUpID)
		}
	}
	if last == 0 { // they are asked no more: the address is suppressed, or has it already
		f.check(f.Confirm(f.ctx, f.now, id, newsletter))
		return
	}
	f.check(f.ConfirmWishes(f.ctx, f.now, id, last))
}

func (f *fixture) person(id int64) store.Subscriber {
	f.t.Helper()
	p, err := f.Subscriber(f.ctx, id)
	f.check(err)
	return p
}

// subscription gives what is on record; the zero value if nothing is.
func (f *fixture) subscription(id int64, newsletter string) store.Subscription {
	f.t.Helper()
	for _, sub := range f.person(id).Subscriptions {
		if sub.Newsletter == newsletter {
			return sub
		}
	}
	return store.Subscription{}
}

// posts makes n new posts.
func (f *fixture) posts(n int) (ids []int64) {
	f.t.Helper()
	var list []*store.Post
	for range n {
		f.slot++
		list = append(list, &store.Post{GUID: fmt.Sprintf("post-%d", f.slot)})
	}
	f.check(f.SavePosts(f.ctx, list))
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

// due is an audience that gives everybody the posts they have not seen.
type due struct {
	posts     []int64
	notBefore time.Time
	date      time.Time // of the groups
	groups    []store.Group
	number    map[string]int
	readers   []store.Reader
}

func (d *due) Assign(r store.Reader) int {
	d.readers = append(d.readers, r)
	var left []int64
	for _, id := range d.posts {
		if !slices.Contains(r.Seen, id) {
			left = append(left, id)
		}
	}
	if len(left) == 0 {
		return -1
	}
	if d.date.IsZero() {
		d.date = epoch
	}
	k := words(left)
	if _, ok := d.number[k]; !ok {
		if d.number == nil {
			d.number = map[string]int{}
		}
		d.number[k] = len(d.groups)
		d.groups = append(d.groups, store.Group{
			Number: len(d.groups), PostIDs: left, Subject: "News " + k, Template: []byte(k), NotBefore: d.notBefore, Date: d.date,
		})
	}
	return d.number[k]
}

func (d *due) Groups() ([]store.Group, error) { return d.groups, nil }

// edition is a manual edition for a slot of its own.
func (f *fixture) edition(newsletter string) store.Edition {
	f.slot++
	return store.Edition{
		Newsletter: newsletter, Cadence: store.CadenceSchedule, Slot: fmt.Sprintf("manual-%d", f.slot), Manual: true,
		InDoubt: store.Resend, ExpiresAt: f.now.Add(72 * time.Hour),
	}
}

// plan plans an edition of posts.
func (f *fixture) plan(newsletter string, posts ...int64) store.Edition {
	f.t.Helper()
	e, _, err := f.PlanEdition(f.ctx, f.now, f.edition(newsletter), posts, &due{posts: posts}, false)
	f.check(err)
	return e
}

func (f *fixture) claim(holder string, limit int) []store.Job {
	f.t.Helper()
	jobs, err := f.Claim(f.ctx, f.now, holder, limit)
	f.check(err)
	return jobs
}

func (f *fixture) claimed(holder string) []store.Job {
	f.t.Helper()
	jobs, err := f.Claimed(f.ctx, holder)
	f.check(err)
	return jobs
}

// record records the same result for some jobs.
func (f *fixture) record(holder string, r store.Result, jobs ...store.Job) {
	f.t.Helper()
	var rs []store.Result
	for _, j := range jobs {
		r.DeliveryRef = j.DeliveryRef
		rs = append(rs, r)
	}
	f.check(f.Record(f.ctx, f.now, holder, rs))
}

// account checks an edition's status and counts.
func (f *fixture) account(id int64, status string, want store.Counts) {
	f.t.Helper()
	e, err := f.Edition(f.ctx, id)
	f.check(err)
	f.equal(fmt.Sprintf("edition %d", id), e.Status+fmt.Sprintf(" %+v", e.Counts), status+fmt.Sprintf(" %+v", want))
	if open := e.FinishedAt.IsZero(); open != (status == store.EditionPlanned || status == store.EditionSending || status == store.EditionPaused) {
		f.t.Fatalf("edition %d is %s, but FinishedAt is %v", id, status, e.FinishedAt)
	}
}

// deliveries gives those of an edition in one state; "" means all.
func (f *fixture) deliveries(id int64, state string) (list []store.Delivery) {
	f.t.Helper()
	f.check(f.EachDelivery(f.ctx, id, state, func(d store.Delivery) error {
		list = append(list, d)
		return nil
	}))
	return list
}

// words puts a space between all its arguments.
func words(args ...any) string { return strings.TrimSuffix(fmt.Sprintln(args...), "\n") }

func emails(jobs []store.Job) (list []string) {
	for _, j := range jobs {
		list = append(list, j.Email)
	}
	return list
}
