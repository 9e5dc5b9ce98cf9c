package main

import (
	"context"
	"fmt"
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
		}
		config := smtpConfig(m.relay.port()) + fmt.Sprintf("delivery: {retry_base: 100ms}\nhttp: {listen: \"127.0.0.1:%d\", url: \"http://localhost:8080\"}\n", freePort(t))
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
func (f *fleet) serve(m *machine) {
	f.t.Helper()
	cmd := m.command("serve")
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
