package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tidings/internal/clock"
	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/postgres/postgrestest"
)

// TestMain lets the test binary be the program itself, for scripts and for
// tests that kill it.
func TestMain(m *testing.M) {
	os.Setenv(raceEnv, cmp.Or(os.Getenv(raceEnv), leaveAtOnce))
	testscript.Main(withServer{m}, map[string]func(){"tidings": func() { program(onDatabase(spoilt())) }})
}

// The race detector has a process that found nothing wait for a second at its
// end, lest a goroutine still be about to race. Hundreds of processes are run
// here, whose parts have ended by then; a race is reported as before.
const (
	raceEnv     = "GORACE"
	leaveAtOnce = "atexit_sleep_ms=0"
)

// server is the PostgreSQL server of those tests that need one.
var server = postgrestest.Server{Prepare: func(ctx context.Context, address string) error {
	_, _, err := postgres.Migrate(ctx, address)
	return err
}}

// withServer ends the server after the tests.
type withServer struct{ *testing.M }

func (m withServer) Run() int {
	code := m.M.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// databaseEnv is the address of the database that a process uses, whatever its
// configuration says.
const databaseEnv = "TIDINGS_TEST_DATABASE"

// leaseEnv is the length of a sender's lease, and aheadEnv how far the clock of
// its machine is ahead.
const (
	leaseEnv = "TIDINGS_TEST_LEASE"
	aheadEnv = "TIDINGS_TEST_AHEAD"
)

func onDatabase(s seams) seams {
	s.database = os.Getenv(databaseEnv)
	s.lease = durationEnv(leaseEnv)
	s.clock = clock.Wrong(durationEnv(aheadEnv))
	return s
}

func durationEnv(name string) time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv(name), "0s"))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return d
}

// spoilt gives the seams that the environment asks for.
func spoilt() seams {
	if file := os.Getenv(fullEnv); file != "" {
		return seams{store: func(s store.Store) store.Store { return fullStore{s, file} }}
	}
	return crashing(os.Getenv(crashEnv))
}

// TestScripts runs the program as people do: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv(raceEnv, os.Getenv(raceEnv))
			return nil
		},
	})
}

// TestScriptsOnPostgres runs those of the scripts that are about what is kept
// in the database, on a server.
func TestScriptsOnPostgres(t *testing.T) {
	var files []string
	for _, name := range []string{"bounce", "explain", "frequencies", "import", "interrupted", "people", "plan", "send"} {
		files = append(files, filepath.Join("testdata", "script", name+".txtar"))
	}
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv(databaseEnv, server.Database(t))
			env.Setenv(raceEnv, os.Getenv(raceEnv))
			return nil
		},
	})
}
