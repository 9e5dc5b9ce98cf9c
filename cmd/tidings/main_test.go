package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program itself, for scripts and for
// tests that kill it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tidings": func() { program(crashing(os.Getenv(crashEnv))) }})
}

// TestScripts runs the program as people do: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
