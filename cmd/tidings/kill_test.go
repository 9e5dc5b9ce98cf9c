package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
)

// A blog is a folder with a configuration, for the real program.
type blog struct {
	t   testing.TB
	dir string
}

func newBlog(t testing.TB, config string, posts map[string]string) *blog {
	t.Helper()
	b := &blog{t: t, dir: t.TempDir()}
	b.write("config.yaml", config)
	for name, text := range posts {
		b.write(filepath.Join("posts", name), text)
	}
	return b
}

func (b *blog) write(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// command is the program itself, as a process of its own.
func (b *blog) command(args ...string) *exec.Cmd {
	self, err := exec.LookPath("tidings") // testscript.Main puts it into PATH
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"--config", filepath.Join(b.dir, "config.yaml")}, args...)...)
	cmd.Dir = b.dir
	return cmd
}

// must runs a command that has to succeed, and gives its standard output.
func (b *blog) must(args ...string) string {
	b.t.Helper()
	cmd := b.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("tidings %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// subscribe imports n confirmed readers, r0@example.com and so on.
func (b *blog) subscribe(n int) {
	b.t.Helper()
	var csv strings.Builder
	csv.WriteString("email\n")
	for i := range n {
		fmt.Fprintf(&csv, "r%d@example.com\n", i)
	}
	b.write("people.csv", csv.String())
	b.must("subscribers", "import", "people.csv", "--confirmed")
}

func (b *blog) edition(id int) (e editionJSON) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.must("editions", "show", fmt.Sprint(id), "--json")), &e); err != nil {
		b.t.Fatal(err)
	}
	if e.Eligible != e.Sent+e.Failed+e.Suppressed+e.Empty+e.InDoubt+e.Pending {
		b.t.Errorf("edition %d does not balance: %+v", id, e)
	}
	return e
}

const connections = 4

func smtpConfig(port int) string {
	return fmt.Sprintf(`
posts: {dir: posts, settle: 0s}
newsletters: {weekly: {}}
mail:
  transport: smtp
  smtp: {host: 127.0.0.1, port: %d, tls: none, connections: %d}
`, port, connections)
}

var onePost = map[string]string{"one.md": "---\ntitle: One\ndate: 2025-01-02\n---\nText.\n"}

// TestKilledWhileSending kills the program again and again amid an edition.
// Everybody gets it; only mails that were on the wire at a kill may come
// twice, with one Message-ID.
func TestKilledWhileSending(t *testing.T) {
	const people = 400
	server := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Dot, Delay: 2 * time.Millisecond}}})
	b := newBlog(t, smtpConfig(server.Port()), onePost)
	b.subscribe(people)
	b.must("send", "weekly", "--since", "2025-01-01", "--detach", "--yes")

	kills := 0
	for server.Count() < people*9/10 {
		goal := server.Count() + 1 + rand.IntN(60)
		cmd := b.command("send", "weekly", "--yes")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		for wait := true; wait && server.Count() < goal; {
			select {
			case <-ended:
				wait = false
			case <-time.After(200 * time.Microsecond):
			}
		}
		cmd.Process.Kill()
		<-ended
		kills++
	}
	b.must("send", "weekly", "--yes")

	e := b.edition(1)
	if e.Status != "finished" || e.Sent != people {
		t.Errorf("edition %+v", e)
	}
	copies, ids := map[string]int{}, map[string]string{}
	for _, m := range server.Messages() {
		to := m.To[0]
		copies[to]++
		if id, ok := ids[to]; ok && id != m.MessageID {
			t.Errorf("%s got two Message-IDs, %s and %s", to, id, m.MessageID)
		}
		ids[to] = m.MessageID
	}
	if len(copies) != people {
		t.Errorf("%d of %d readers got it", len(copies), people)
	}
	doubles, readers := server.Count()-len(copies), 0 // who was unlucky twice got three
	for _, n := range copies {
		if n > 1 {
			readers++
		}
	}
	if limit := kills * connections; doubles > limit || readers > e.ResentInDoubt {
		t.Errorf("%d doubles, to %d readers, after %d kills with %d connections; %d counted as resent", doubles, readers, kills, connections, e.ResentInDoubt)
	}
	t.Logf("%d kills, %d doubles to %d readers, %d counted as resent in doubt", kills, doubles, readers, e.ResentInDoubt)
}
