package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/sqlite"
)

// TestKilled kills senders with kill -9, at every named point and at random
// moments, and holds what the relay took against what is on record. Set
// TIDINGS_KILLS for a longer run: the number of kills.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kinds  [][]string
		engine func(*testing.T, *blog) store.Store
	}{
		"one after the other": {[][]string{{"send", "serve"}}, onSQLite},
		"two share the work":  {[][]string{{"serve"}, {"send"}}, onSQLite},
		"two on PostgreSQL":   {[][]string{{"serve"}, {"send"}}, onPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiege(t, c.kinds, c.engine)
			for s.round(); s.kills < wantedKills(t)/2; s.round() {
			}
			s.leftNothing()
			t.Logf("%d editions, %d kills (%s), %d mails, %d of them copies; nobody lost", s.rounds, s.kills, s.where(), s.server.Count(), s.copies)
		})
	}
}

func wantedKills(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("TIDINGS_KILLS"), "1"))
	if err != nil {
		t.Fatalf("TIDINGS_KILLS: %v", err)
	}
	return n
}

// A siege is one blog whose senders are killed.
type siege struct {
	*blog
	kinds  [][]string // for each process that is to run at a time: what it is, in turn
	server *relaytest.Server
	db     store.Store // the same database, looked at from here

	rounds, kills, copies int
	killedAt              map[string]int
	points                []string // what comes next, in turn
	edition               int64
	before                int             // mails that the relay had taken before this edition
	gone                  map[string]bool // who left
	left                  map[string]bool // who did before their turn
}

const (
	besieged     = 80 // readers at first
	mostMessages = 3  // to one reader without an answer: docs/newsletters.md
)

// onSQLite and onPostgres give the database of a blog.
func onSQLite(t *testing.T, b *blog) store.Store {
	b.must("db", "migrate")
	db, err := sqlite.Open(t.Context(), filepath.Join(b.dir, "data", "tidings.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func onPostgres(t *testing.T, b *blog) store.Store {
	address := server.Database(t)
	b.env = []string{databaseEnv + "=" + address}
	db, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newSiege(t *testing.T, kinds [][]string, engine func(*testing.T, *blog) store.Store) *siege {
	server := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Dot, Delay: 2 * time.Millisecond}}})
	config := smtpConfig(server.Port()) + fmt.Sprintf("delivery: {retry_base: 100ms}\nhttp: {listen: \"127.0.0.1:%d\"}\n", freePort(t))
	s := &siege{blog: newBlog(t, config, onePost), kinds: kinds, server: server, killedAt: map[string]int{}, gone: map[string]bool{}, left: map[string]bool{}}
	s.db = engine(t, s.blog)
	s.subscribe(besieged)
	return s
}

// round plans an edition of a new post and kills senders until it is finished.
func (s *siege) round() {
	s.rounds++
	s.before = s.server.Count()
	s.write(fmt.Sprintf("posts/round-%d.md", s.rounds), fmt.Sprintf("---\ntitle: Round %d\ndate: 2025-03-01\n---\nText.\n", s.rounds))
	s.plan()
	procs := make([]*process, len(s.kinds))
	for !s.finished() {
		for i, kinds := range s.kinds {
			if procs[i] == nil {
				procs[i] = s.start(kinds[s.kills%len(kinds)])
			}
		}
		s.await(procs)
		s.reap(procs)
		s.consistent()
		s.letSomebodyLeave()
	}
	for _, p := range procs {
		if p != nil {
			p.stop(s)
		}
	}
	s.everybodyOnce()
}

// plan makes the edition, after a process that was killed in planning it.
func (s *siege) plan() {
	s.t.Helper()
	detach := []string{"send", "weekly", "--since", "2025-01-01", "--detach", "--yes"}
	point := []string{amidPlan, atCompose, afterPlan}[s.rounds%3]
	was := s.newest()
	p := s.launch(fmt.Sprintf("%s:%d", point, 1), detach...)
	<-p.ended
	s.reap([]*process{p})
	if made := s.newest() != was; made != (point == afterPlan) {
		s.t.Fatalf("killed %s: edition made %t", point, made)
	} else if !made {
		s.must(detach...)
	}
	s.edition = s.newest()
	if e := s.account(); e.Status != store.EditionSending || e.Counts.Eligible != e.Counts.Pending || e.Counts.Pending != besieged-len(s.gone) {
		s.t.Fatalf("planned %+v", e)
	}
}

// newest gives the number of the newest edition; 0 if there is none.
func (s *siege) newest() int64 {
	s.t.Helper()
	es, err := s.db.ListEditions(s.t.Context(), "weekly", 1)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(es) == 0 {
		return 0
	}
	return es[0].ID
}

func (s *siege) account() store.Edition {
	s.t.Helper()
	e, err := s.db.Edition(s.t.Context(), s.edition)
	if err != nil {
		s.t.Fatal(err)
	}
	if !e.Counts.Balanced() {
		s.t.Fatalf("does not balance: %+v", e.Counts)
	}
	return e
}

func (s *siege) finished() bool { return s.account().Status == store.EditionFinished }

// start starts a sender that is to die at the next point in turn.
func (s *siege) start(kind string) *process {
	if len(s.points) == 0 {
		s.points = []string{beforeClaim, afterClaim, beforeDot, atDot, afterAnswer, beforeRecord, afterRecord, noPoint, noPoint}
		rand.Shuffle(len(s.points), func(i, j int) { s.points[i], s.points[j] = s.points[j], s.points[i] })
	}
	point := s.points[0]
	s.points = s.points[1:]
	n := 1
	if slices.Contains([]string{beforeDot, atDot, afterAnswer}, point) {
		n += rand.IntN(12) // there are as many of these as mails
	}
	args := map[string][]string{"send": {"send", "weekly", "--yes"}, "serve": {"serve"}}[kind]
	return s.launch(fmt.Sprintf("%s:%d", point, n), args...)
}

// A process is a running sender.
type process struct {
	cmd   *exec.Cmd
	crash string
	ended chan struct{}
}

func (s *siege) launch(crash string, args ...string) *process {
	s.t.Helper()
	p := &process{cmd: s.command(args...), crash: crash, ended: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, crashEnv+"="+crash)
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	s.t.Cleanup(func() { p.cmd.Process.Kill(); <-p.ended })
	return p
}

// waitsForUs reports whether a process has no point of its own to die at.
func (p *process) waitsForUs() bool { return strings.HasPrefix(p.crash, noPoint) }

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// await returns when a process has died, when the edition is finished, or when
// it has killed one because enough mails have been taken.
func (s *siege) await(procs []*process) {
	s.t.Helper()
	goal := s.server.Count() + 1 + rand.IntN(30)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Microsecond) {
		if slices.ContainsFunc(procs, (*process).over) {
			return
		}
		if i := slices.IndexFunc(procs, (*process).waitsForUs); i >= 0 && s.server.Count() >= goal {
			procs[i].cmd.Process.Kill()
			<-procs[i].ended
			return
		}
		if s.finished() {
			return
		}
	}
	s.t.Fatalf("nothing moves: %+v", s.account())
}

// reap counts the processes that were killed and forgets those that ended.
func (s *siege) reap(procs []*process) {
	for i, p := range procs {
		if !p.over() {
			continue
		}
		if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
			s.kills++
			point, _, _ := strings.Cut(p.crash, ":")
			s.killedAt[point]++
		}
		procs[i] = nil
	}
}

// stop ends a process in good order.
func (p *process) stop(s *siege) {
	s.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second):
		s.t.Fatal("a process did not stop")
	}
}

// where tells how often the points were met.
func (s *siege) where() string {
	var list []string
	for point, n := range s.killedAt {
		list = append(list, fmt.Sprintf("%d %s", n, point))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// taken gives what the relay took of this edition, by reader.
func (s *siege) taken() map[string][]relaytest.Message {
	taken := map[string][]relaytest.Message{}
	for _, m := range s.server.Messages()[s.before:] {
		taken[m.To[0]] = append(taken[m.To[0]], m)
	}
	return taken
}

func (s *siege) deliveries() (ds []store.Delivery) {
	s.t.Helper()
	err := s.db.EachDelivery(s.t.Context(), s.edition, "", func(d store.Delivery) error {
		ds = append(ds, d)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ds
}

// consistent holds at any instant: whatever is recorded as sent was taken.
func (s *siege) consistent() {
	s.t.Helper()
	ds := s.deliveries() // before what the relay took, which may grow meanwhile
	taken := s.taken()
	if e := s.account(); len(ds) != e.Counts.Eligible {
		s.t.Fatalf("%d deliveries, %+v", len(ds), e.Counts)
	}
	for _, d := range ds {
		if d.State == store.DeliverySent && len(taken[d.Email]) == 0 {
			s.t.Fatalf("%s: on record as sent, but never taken", d.Email)
		}
	}
}

// letSomebodyLeave unsubscribes one reader of the edition whose turn has not
// come: nobody may mail them any more.
func (s *siege) letSomebodyLeave() {
	s.t.Helper()
	waits := func(d store.Delivery) bool {
		return d.State == store.DeliveryPending && d.Attempts == 0 && !d.Resent
	}
	ds := s.deliveries()
	i := slices.IndexFunc(ds, func(d store.Delivery) bool { return waits(d) && !s.gone[d.Email] })
	if i < 0 || len(s.gone) >= s.rounds {
		return
	}
	if err := s.db.Unsubscribe(s.t.Context(), time.Now(), ds[i].SubscriberID, "weekly"); err != nil {
		s.t.Fatal(err)
	}
	s.gone[ds[i].Email] = true
	if d := s.deliveries()[i]; waits(d) && len(s.taken()[d.Email]) == 0 { // else they were just claimed
		s.left[d.Email] = true
	}
}

// everybodyOnce holds in the end: everybody has it; copies came only where the
// relay's answer was lost, and no more of them than were on the wire.
func (s *siege) everybodyOnce() {
	s.t.Helper()
	s.consistent()
	taken, copied, doubtful := s.taken(), 0, 0
	for _, d := range s.deliveries() {
		n := len(taken[d.Email])
		switch {
		case d.State == store.DeliverySuppressed && n == 0:
		case d.State == store.DeliveryInDoubt && s.gone[d.Email] && !s.left[d.Email] && n <= d.Attempts:
			doubtful++ // it was on the wire when the sender was killed, and they left before it could be sent again
		case d.State == store.DeliveryInDoubt && d.Resent && d.Attempts >= mostMessages && n <= d.Attempts:
			doubtful++ // so many of their mails met a kill, and a maintainer is to decide
		case d.State != store.DeliverySent:
			s.t.Errorf("%s: %s, taken %d times", d.Email, d.State, n)
		case n < 1 || n > d.Attempts || !d.Resent && n > 1:
			s.t.Errorf("%s: taken %d times in %d attempts, resent %t", d.Email, n, d.Attempts, d.Resent)
		}
		if n > 0 && s.left[d.Email] {
			s.t.Errorf("%s left before their turn and was mailed", d.Email)
		}
		if n > 1 {
			copied++
			s.copies += n - 1
		}
		for _, m := range taken[d.Email] {
			if first := taken[d.Email][0]; m.MessageID != first.MessageID || string(m.Data) != string(first.Data) {
				s.t.Errorf("%s: two mails, not two copies: %s and %s", d.Email, first.MessageID, m.MessageID)
			}
		}
	}
	if e := s.account(); copied > e.Counts.ResentInDoubt || e.Counts.Sent+e.Counts.Suppressed+doubtful != e.Counts.Eligible {
		s.t.Errorf("%d readers got copies: %+v", copied, e.Counts)
	}
	if most := connections * s.kills; s.copies > most {
		s.t.Errorf("%d copies after %d kills of %d connections", s.copies, s.kills, connections)
	}
}

// leftNothing expects, after an edition whose sender is not killed, a database
// in order and no journals.
func (s *siege) leftNothing() {
	s.t.Helper()
	s.write("posts/peace.md", "---\ntitle: Peace\ndate: 2025-03-02\n---\nText.\n")
	s.must("send", "weekly", "--since", "2025-01-01", "--yes")
	s.must("db", "check")
	if files, err := filepath.Glob(filepath.Join(s.dir, "data", "*-senders", "*")); err != nil || len(files) > 0 {
		s.t.Errorf("left behind: %v, %v", files, err)
	}
}
