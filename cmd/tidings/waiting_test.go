package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

// TestSendLeavesADownRelayAlone starts a send while an earlier process found
// the relay to be down: it neither tries it early nor waits for long, and
// says what it waits for.
func TestSendLeavesADownRelayAlone(t *testing.T) {
	server := relaytest.Start(t, relaytest.Options{})
	b := newBlog(t, smtpConfig(server.Port()), onePost)
	b.subscribe(500)
	db, err := sqlite.Open(t.Context(), filepath.Join(b.dir, "data", "tidings.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	name := fmt.Sprintf("relay 127.0.0.1:%d", server.Port())
	down := store.Circuit{Name: name, Streak: 9, Since: now.Add(-time.Hour), Until: now.Add(5 * time.Minute), Reason: "connection refused"}
	if _, err := db.OpenCircuit(t.Context(), now, down); err != nil {
		t.Fatal(err)
	}
	cmd := b.command("send", "weekly", "--since", "2025-01-01", "--yes")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("send: %v\n%s", err, out.String())
	}
	if text := out.String(); !strings.Contains(text, "500 pending") || !strings.Contains(text, "waiting for "+name) || !strings.Contains(text, "connection refused") {
		t.Errorf("send says:\n%s", text)
	}
	if c := server.Commands(); len(c) > 0 {
		t.Errorf("the relay was asked %q", c)
	}
	if e := b.edition(1); len(e.Waiting) != 1 || e.Waiting[0].For != name || e.Waiting[0].Reason != "connection refused" {
		t.Errorf("editions show: %+v", e.Waiting)
	}
	if err := db.CloseCircuit(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	b.must("send", "weekly", "--yes")
	if e := b.edition(1); e.Sent != 500 || e.Waiting != nil {
		t.Errorf("once it is up: %+v", e)
	}
}
