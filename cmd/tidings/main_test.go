package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tidings/internal/store"
)

// TestMain lets the test binary be the program itself, for scripts and for
// tests that kill it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tidings": func() { program(spoilt()) }})
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
	})
}
