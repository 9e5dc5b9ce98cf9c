package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tidings/internal/relay"
	"tidings/internal/store"
)

// crashEnv makes a process kill itself: "POINT:N" at the nth passage of a
// point. Nothing is cleaned up, as nothing is by kill -9.
const crashEnv = "TIDINGS_TEST_CRASH"

// Points of the way from a plan to a recorded result.
const (
	amidPlan     = "amid the plan"        // readers are being assigned
	atCompose    = "at compose"           // all of them are, the plan is not committed
	afterPlan    = "planned"              // it is
	beforeClaim  = "before the claim"     // nothing is claimed
	afterClaim   = "after the claim"      // the claim is committed
	beforeDot    = "before the dot"       // the message is written, the journal does not say so
	atDot        = "at the dot"           // the journal says so, the dot is not written
	afterAnswer  = "after the answer"     // it is here, the journal does not know it
	beforeRecord = "before the record"    // the journal knows, the database does not
	afterRecord  = "after the record"     // the result is committed
	noPoint      = "not at a named point" // killed from outside
)

// A crash waits for its point.
type crash struct {
	point string
	left  atomic.Int64
}

// crashing gives the seams at which a crash lies in wait.
func crashing(spec string) seams {
	point, n, ok := strings.Cut(spec, ":")
	if !ok {
		return seams{}
	}
	times, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s=%s: %v", crashEnv, spec, err))
	}
	c := &crash{point: point}
	c.left.Store(times)
	return seams{
		store: func(s store.Store) store.Store { return crashStore{s, c} },
		relay: func(r relay.Relay) relay.Relay { return crashRelay{r, c} },
	}
}

// pass ends the process if this is the point and the time.
func (c *crash) pass(point string) {
	if c.point == point && c.left.Add(-1) == 0 {
		syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {} // the signal is under way
	}
}

type crashStore struct {
	store.Store
	*crash
}

func (s crashStore) PlanEdition(ctx context.Context, now time.Time, e store.Edition, candidates []int64, a store.Audience, dryRun bool) (store.Edition, []store.Group, error) {
	if dryRun {
		return s.Store.PlanEdition(ctx, now, e, candidates, a, dryRun)
	}
	e, groups, err := s.Store.PlanEdition(ctx, now, e, candidates, crashAudience{a, s.crash}, dryRun)
	s.pass(afterPlan)
	return e, groups, err
}

func (s crashStore) PlanWave(ctx context.Context, now time.Time, e store.Edition, w store.Wave, candidates []int64, a store.Audience, dryRun bool) (store.Edition, store.Wave, []store.Group, error) {
	if dryRun {
		return s.Store.PlanWave(ctx, now, e, w, candidates, a, dryRun)
	}
	e, w, groups, err := s.Store.PlanWave(ctx, now, e, w, candidates, crashAudience{a, s.crash}, dryRun)
	s.pass(afterPlan)
	return e, w, groups, err
}

type crashAudience struct {
	store.Audience
	*crash
}

func (a crashAudience) Assign(r store.Reader) int {
	a.pass(amidPlan)
	return a.Audience.Assign(r)
}

func (a crashAudience) Groups() ([]store.Group, error) {
	groups, err := a.Audience.Groups()
	a.pass(atCompose)
	return groups, err
}

func (s crashStore) Claim(ctx context.Context, now time.Time, holder string, limit int, except ...string) ([]store.Job, error) {
	s.pass(beforeClaim)
	jobs, err := s.Store.Claim(ctx, now, holder, limit, except...)
	if len(jobs) > 0 {
		s.pass(afterClaim)
	}
	return jobs, err
}

func (s crashStore) Record(ctx context.Context, now time.Time, holder string, rs []store.Result) error {
	s.pass(beforeRecord)
	err := s.Store.Record(ctx, now, holder, rs)
	s.pass(afterRecord)
	return err
}

type crashRelay struct {
	relay.Relay
	*crash
}

func (r crashRelay) Connect(ctx context.Context) (relay.Conn, error) {
	conn, err := r.Relay.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return crashConn{conn, r.crash}, nil
}

type crashConn struct {
	relay.Conn
	*crash
}

func (c crashConn) Send(ctx context.Context, env relay.Envelope, msg []byte, write func() error) (relay.Reply, error) {
	reply, err := c.Conn.Send(ctx, env, msg, func() error {
		c.pass(beforeDot)
		if write != nil {
			if err := write(); err != nil {
				return err
			}
		}
		c.pass(atDot)
		return nil
	})
	if err == nil {
		c.pass(afterAnswer)
	}
	return reply, err
}
