package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A blog is a folder with a configuration, for the real program.
type blog struct {
	t   testing.TB
	dir string
	env []string // of its processes, beside our own
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
	cmd.Env = append(os.Environ(), b.env...)
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
