package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/postgres/postgrestest"
)

// A machine is a daemon with a configuration, a secret key and a journal of its
// own, and with networks that can be cut.
type machine struct {
	*blog
	name            string
	database, relay *proxy
	listens         int
	daemon          *process
	logs            *syncBuffer
}

// A fleet is several machines on one database and one relay, which are the
// truth.
type fleet struct {
	siege
	machines []*machine
}

const fleetLease = 3 * time.Second

// newFleet makes machines on a database; none of them runs yet.
func newFleet(t *testing.T, db *postgrestest.Server, readers, machines int) *fleet {
	t.Helper()
	address := db.Database(t)
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(at.Query().Get("host"), ".s.PGSQL.5432")
	sink := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Dot, Delay: 5 * time.Millisecond}}})
	f := &fleet{siege: siege{server: sink, gone: map[string]bool{}, left: map[string]bool{}}}
	for i := range machines {
		m := &machine{name: fmt.Sprint("machine ", i), logs: &syncBuffer{},
			database: startProxy(t, "unix", socket),
			relay:    startProxy(t, "tcp", fmt.Sprintf("127.0.0.1:%d", sink.Port())),
			listens:  freePort(t),
		}
		config := smtpConfig(m.relay.port()) + fmt.Sprintf("delivery: {retry_base: 100ms}\nhttp: {listen: \"127.0.0.1:%d\", url: \"http://localhost:8080\"}\n", m.listens)
		m.blog = newBlog(t, config, onePost)
		m.env = []string{leaseEnv + "=" + fleetLease.String(), fmt.Sprintf("%s=postgres://postgres@127.0.0.1:%d%s?sslmode=disable&idle_in_transaction_session_timeout=2s&connect_timeout=2",
			databaseEnv, m.database.port(), at.Path)}
		f.machines = append(f.machines, m)
	}
	f.blog = f.machines[0].blog
	f.subscribe(readers)
	key, err := os.ReadFile(filepath.Join(f.dir, "data", "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range f.machines[1:] {
		m.write("data/secret.key", string(key))
		if err := os.Chmod(filepath.Join(m.dir, "data", "secret.key"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	f.db = store
	f.must("send", "weekly", "--since", "2025-01-01", "--detach", "--yes")
	f.edition = f.newest()
	return f
}

// serve starts the daemon of a machine.
func (f *fleet) serve(m *machine, args ...string) {
	f.t.Helper()
	cmd := m.command(append([]string{"serve"}, args...)...)
	cmd.Stderr = m.logs
	m.daemon = &process{cmd: cmd, ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	p := m.daemon
	go func() { cmd.Wait(); close(p.ended) }()
	f.t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
		if f.t.Failed() {
			f.t.Logf("log of %s:\n%s", m.name, m.logs)
		}
	})
}

func (m *machine) signal(s syscall.Signal) { m.daemon.cmd.Process.Signal(s) }

// until waits for a condition.
func (f *fleet) until(what string, met func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("not within a minute: %s; %+v, %d mails", what, f.account(), f.server.Count())
		}
	}
}

func (f *fleet) taken(n int) func() bool { return func() bool { return f.server.Count() >= n } }

// quiet stops the daemons that run, in good order: nothing is under way then.
func (f *fleet) quiet() {
	f.t.Helper()
	for _, m := range f.machines {
		if m.daemon != nil {
			m.daemon.stop(&f.siege)
		}
	}
}

// fair holds at the end: everybody has the mail; whoever has it twice is counted
// as in doubt; and there are no more copies than a sender may have unrecorded.
func (f *fleet) fair() (copies int) {
	f.t.Helper()
	f.consistent()
	taken, copied := f.siege.taken(), 0
	for _, d := range f.deliveries() {
		got := taken[d.Email]
		if d.State != store.DeliverySent || len(got) == 0 {
			f.t.Errorf("%s: %s, taken %d times", d.Email, d.State, len(got))
			continue
		}
		if len(got) > 1 {
			copied++
			copies += len(got) - 1
		}
		if len(got) > 1 && !d.Resent {
			f.t.Errorf("%s: taken %d times, and never in doubt", d.Email, len(got))
		}
		for _, m := range got {
			if m.MessageID != got[0].MessageID || string(m.Data) != string(got[0].Data) {
				f.t.Errorf("%s: two mails, not two copies", d.Email)
			}
		}
	}
	if e := f.account(); copied > e.Counts.ResentInDoubt || e.Counts.Sent != e.Counts.Eligible {
		f.t.Errorf("%d readers got copies: %+v", copied, e.Counts)
	}
	if most := 64 + connections; copies > most {
		f.t.Errorf("%d copies, want at most %d", copies, most)
	}
	f.must("db", "check")
	return copies
}

// TestFleet does to one of two machines, amid an edition of which it holds every
// delivery, what may happen to machines. The sink and the database say what
// readers got.
func TestFleet(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*fleet, *machine){
		"killed": func(_ *fleet, m *machine) { m.signal(syscall.SIGKILL) },
		"stopped for longer than its lease": func(f *fleet, m *machine) {
			m.signal(syscall.SIGSTOP)
			f.takenOver()
			m.signal(syscall.SIGCONT)
		},
		"cut off from the database":     func(f *fleet, m *machine) { m.database.turn(cut); f.takenOver(); m.database.turn(open) },
		"stalled before the database":   func(f *fleet, m *machine) { m.database.turn(stalled); f.takenOver(); m.database.turn(open) },
		"cut off from the relay":        func(_ *fleet, m *machine) { m.relay.turn(cut) },
		"database cut off for a moment": func(_ *fleet, m *machine) { m.database.turn(cut); time.Sleep(time.Second); m.database.turn(open) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, &server, 150, 2)
			f.serve(f.machines[0])
			f.until("mails of the first machine", f.taken(20))
			f.serve(f.machines[1])
			harm(f, f.machines[0])
			f.until("the edition's end", f.finished)
			f.quiet()
			t.Logf("%d copies; %+v", f.fair(), f.account().Counts)
		})
	}
}

// takenOver waits until nobody holds what the first sender held.
func (f *fleet) takenOver() {
	f.t.Helper()
	holders, err := f.db.Holders(f.t.Context())
	if err != nil || len(holders) == 0 {
		f.t.Fatalf("holders %q, %v", holders, err)
	}
	f.until("the end of the lease", func() bool {
		now, err := f.db.Holders(f.t.Context())
		return err == nil && !slices.Contains(now, holders[0])
	})
}

// TestDatabaseRestarted restarts the server amid an edition of two machines.
func TestDatabaseRestarted(t *testing.T) {
	t.Parallel()
	own := postgrestest.Server{Prepare: func(ctx context.Context, address string) error {
		_, _, err := postgres.Migrate(ctx, address)
		return err
	}}
	t.Cleanup(func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	})
	f := newFleet(t, &own, 150, 2)
	for _, m := range f.machines {
		f.serve(m)
	}
	f.until("mails", f.taken(20))
	if err := own.Restart(); err != nil {
		t.Fatal(err)
	}
	f.until("the edition's end", func() bool {
		e, err := f.db.Edition(t.Context(), f.edition)
		return err == nil && e.Status == store.EditionFinished
	})
	f.quiet()
	t.Logf("%d copies; %+v", f.fair(), f.account().Counts)
}

// TestWrongClock: a machine whose clock is an hour ahead mails nobody, and says
// why; the other one goes on.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	f := newFleet(t, &server, 40, 2)
	wrong := f.machines[1]
	wrong.env = append(wrong.env, aheadEnv+"=1h")
	f.serve(wrong)
	f.until("the machine's complaint", func() bool { return strings.Contains(wrong.logs.String(), "the database server's says") })
	if f.server.Count() != 0 {
		t.Errorf("%d mails of a time to come", f.server.Count())
	}
	f.serve(f.machines[0])
	f.until("the edition's end", f.finished)
	f.quiet()
	if copies := f.fair(); copies > 0 {
		t.Errorf("%d copies", copies)
	}
}

// TestSharedRate: two machines keep to one limit between them.
func TestSharedRate(t *testing.T) {
	t.Parallel()
	const rate, readers = 40, 120
	f := newFleet(t, &server, readers, 2)
	f.must("editions", "pause", fmt.Sprint(f.edition))
	for _, m := range f.machines {
		m.append("config.yaml", fmt.Sprintf("  rate: {per_second: %d}\n", rate), "\ndelivery:")
		f.serve(m)
		f.until("a daemon is ready", func() bool { return m.status("/readyz") == http.StatusOK })
	}
	f.must("editions", "resume", fmt.Sprint(f.edition))
	f.until("the edition's end", f.finished)
	f.quiet()
	if copies := f.fair(); copies > 0 {
		t.Errorf("%d copies", copies)
	}
	mails := f.server.Messages()
	// As long as one machine would take; on their own they would take half of it.
	if took, least := mails[len(mails)-1].Time.Sub(mails[0].Time), readers*time.Second/rate*4/5; took < least {
		t.Errorf("%d mails in %s, at most %d a second", len(mails), took, rate)
	}
	for _, m := range f.machines {
		if !m.relay.used() {
			t.Errorf("%s sent nothing", m.name)
		}
	}
}

// append puts lines into a file, before the first occurrence of a text.
func (b *blog) append(name, lines, before string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	i := strings.Index(string(text), before)
	if i < 0 {
		b.t.Fatalf("%s: no %q", name, before)
	}
	b.write(name, string(text[:i+1])+lines+string(text[i+1:]))
}

// TestRoles leaves pages, sending and schedules to a daemon each.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := newFleet(t, &server, 40, 3)
	for i, role := range []string{"web", "send", "schedule"} {
		f.serve(f.machines[i], "--only", role)
	}
	for i, m := range f.machines {
		f.until(m.name+" is ready", func() bool { return m.status("/readyz") == http.StatusOK })
		want := http.StatusNotFound
		if i == 0 {
			want = http.StatusOK
		}
		for path, want := range map[string]int{"/": want, "/feed.xml": want, "/healthz": http.StatusOK, "/metrics": http.StatusOK} {
			if got := m.status(path); got != want {
				t.Errorf("%s: %s is %d, want %d", m.name, path, got, want)
			}
		}
	}
	f.until("the edition's end", f.finished)
	f.quiet()
	if copies := f.fair(); copies > 0 {
		t.Errorf("%d copies", copies)
	}
	for i, m := range f.machines {
		if m.relay.used() != (i == 1) {
			t.Errorf("%s had to do with the relay: %t", m.name, m.relay.used())
		}
	}
}

// status is the answer's, to a request for a path of the machine's daemon; 0 if
// there is none.
func (m *machine) status(path string) int {
	res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", m.listens, path))
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// TestSlotsOfAFleet lets three daemons rehearse the same hours: each slot has one
// record, and every reader one mail of each that had posts.
func TestSlotsOfAFleet(t *testing.T) {
	t.Parallel()
	f := newFleet(t, &server, 30, 3)
	f.must("editions", "cancel", fmt.Sprint(f.edition), "--yes")
	box := filepath.Join(f.dir, "box")
	for _, m := range f.machines {
		var config strings.Builder
		for hour := range 60 { // enough for daemons that are slow to start
			date := time.Date(2031, 1, 6, 8+hour, 30, 0, 0, time.UTC).Format(time.RFC3339)
			m.write(fmt.Sprintf("posts/%d.md", hour), fmt.Sprintf("---\ntitle: Hour %d\ndate: %s\n---\nText.\n", hour, date))
		}
		config.WriteString("site: {timezone: UTC}\nposts: {dir: posts, settle: 0s}\nnewsletters: {hourly: {schedule: \"0 * * * *\"}}\n")
		fmt.Fprintf(&config, "mail: {transport: capture, capture_dir: %q}\nhttp: {listen: \"127.0.0.1:%d\", url: \"http://localhost:8080\"}\n", box, m.listens)
		m.write("config.yaml", config.String())
	}
	f.subscribe(30)
	for _, m := range f.machines {
		f.serve(m, "--clock", "2031-01-06T08:05:00Z,3600")
	}
	// Slots go by while daemons start, so which ones these are is not given.
	f.until("three editions", func() bool {
		mailed := 0
		for _, e := range f.hours() {
			if e.Status == store.EditionFinished {
				mailed++
			}
		}
		return mailed >= 3
	})
	f.quiet()
	slots, sent := map[string]bool{}, 0
	for _, e := range f.hours() {
		if slots[e.Slot] {
			t.Errorf("slot %s has two records", e.Slot)
		}
		slots[e.Slot] = true
		sent += e.Counts.Sent
		if c := e.Counts; c.Sent+c.Pending+c.Empty != c.Eligible || c.ResentInDoubt > 0 {
			t.Errorf("slot %s: %+v", e.Slot, c)
		}
	}
	mails, err := filepath.Glob(filepath.Join(box, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if sent != len(mails) || sent < 3*30 {
		t.Errorf("%d mails on record, %d captured, want both at least %d", sent, len(mails), 3*30)
	}
}

// hours gives the runs of the hourly newsletter.
func (f *fleet) hours() []store.Edition {
	f.t.Helper()
	es, err := f.db.ListEditions(f.t.Context(), "hourly", 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return es
}
