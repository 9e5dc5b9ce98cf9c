package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/relay/relaytest"
)

// says runs a command that must fail, and gives what it says.
func (b *blog) says(args ...string) string {
	b.t.Helper()
	cmd := b.command(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err == nil {
		b.t.Errorf("tidings %s succeeded", strings.Join(args, " "))
	}
	return errs.String()
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in: %s", part, text)
		}
	}
}

func (b *blog) copied(from, to string) map[string]tableJSON {
	b.t.Helper()
	var j copiedJSON
	if err := json.Unmarshal([]byte(b.must("db", "copy", "--from", from, "--to", to, "--json")), &j); err != nil {
		b.t.Fatal(err)
	}
	tables := map[string]tableJSON{}
	for _, t := range j.Tables {
		tables[t.Table] = t
	}
	return tables
}

// TestDatabaseThereAndBack moves a blog to a server and back. Nobody is mailed
// twice, and nothing has changed.
func TestDatabaseThereAndBack(t *testing.T) {
	relay := relaytest.Start(t, relaytest.Options{})
	b := newBlog(t, smtpConfig(relay.Port()), onePost)
	b.subscribe(5)
	b.must("send", "weekly", "--since", "2025-01-01", "--yes")
	server, file := server.Database(t), "sqlite:"+filepath.Join(b.dir, "data", "tidings.db")
	there := b.copied(file, server)
	if there["subscribers"].Rows != 5 || there["deliveries"].Rows != 5 {
		t.Errorf("copied: %+v", there)
	}
	has(t, b.says("db", "copy", "--from", file, "--to", server), "holds data already", "empty database")
	back := "sqlite:" + filepath.Join(b.dir, "back.db")
	if diff := cmp.Diff(there, b.copied(server, back)); diff != "" {
		t.Error(diff)
	}
	has(t, b.says("db", "copy", "--from", server, "--to", back), "name a file that is not there yet")

	b.env = []string{databaseEnv + "=" + server}
	has(t, b.must("db", "check"), "0 problems")
	has(t, b.must("send", "weekly", "--since", "2025-01-01", "--yes"), "nothing sent")
	if n := relay.Count(); n != 5 {
		t.Errorf("%d mails for 5 readers", n)
	}
	b.env = []string{databaseEnv + "=" + back}
	if e := b.edition(1); e.Sent != 5 {
		t.Errorf("edition 1: %+v", e)
	}
}

func TestCopyAddresses(t *testing.T) {
	b := newBlog(t, "posts: {dir: posts}\n", onePost)
	b.must("db", "migrate")
	file := "sqlite:" + filepath.Join(b.dir, "data", "tidings.db")
	for words, addresses := range map[string][2]string{
		"give --from and --to":              {file, ""},
		"begin with sqlite: or postgres://": {file, "mysql://host/name"},
		"missing.db":                        {"sqlite:" + filepath.Join(b.dir, "missing.db"), "sqlite:" + filepath.Join(b.dir, "new.db")},
		"file that is not there yet":        {file, file},
		"cannot be reached":                 {file, "postgres://someone:hush@127.0.0.1:1/name?connect_timeout=2"},
	} {
		said := b.says("db", "copy", "--from", addresses[0], "--to", addresses[1])
		if has(t, said, words); strings.Contains(said, "hush") {
			t.Errorf("the password is shown: %s", said)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "*.db*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestCopyOfWhatIsInUse refuses, for what a daemon did meanwhile would be lost.
func TestCopyOfWhatIsInUse(t *testing.T) {
	d := serve(t, "posts: {dir: posts, settle: 0s}\nhttp: {listen: \"127.0.0.1:%d\"}\n", onePost)
	has(t, d.says("db", "copy", "--from", "sqlite:"+filepath.Join(d.dir, "data", "tidings.db"), "--to", "sqlite:"+filepath.Join(d.dir, "copy.db")),
		"is in use")
}

// TestBackupAndRestore loses a database after a digest that the backup does not
// know, on both engines.
func TestBackupAndRestore(t *testing.T) {
	for name, lose := range map[string]func(*testing.T, *blog){
		"SQLite": func(t *testing.T, b *blog) {
			if err := os.RemoveAll(filepath.Join(b.dir, "data", "tidings.db")); err != nil {
				t.Fatal(err)
			}
		},
		"PostgreSQL": func(t *testing.T, b *blog) { b.env = []string{databaseEnv + "=" + server.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			relay := relaytest.Start(t, relaytest.Options{})
			b := newBlog(t, smtpConfig(relay.Port()), onePost)
			if name == "PostgreSQL" {
				lose(t, b)
			}
			b.subscribe(3)
			saved := filepath.Join(b.dir, "saved.db")
			has(t, b.must("db", "backup", saved), "saved to", "secret.key")
			has(t, b.says("db", "backup", saved), "name a file that is not there yet")
			b.must("send", "weekly", "--since", "2025-01-01", "--yes")
			has(t, b.must("db", "restored"), "was not restored")

			lose(t, b)
			has(t, b.must("db", "restore", saved), "restored from", "db restored")
			has(t, b.says("send", "weekly", "--since", "2025-01-01", "--yes"), "tidings db restored")
			has(t, b.must("db", "restored"), "nothing is mailed until")
			has(t, b.says("db", "restored", "--mailed", "nightly"), `no newsletter "nightly"`, "weekly, all and none")
			has(t, b.must("db", "restored", "--mailed", "all"), "mails go out again")
			b.write("posts/two.md", "---\ntitle: Two\ndate: 2025-03-02\n---\nText.\n")
			b.must("send", "weekly", "--since", "2025-03-01", "--yes")
			if n := relay.Count(); n != 6 {
				t.Errorf("%d mails for 3 readers of 2 posts", n)
			}
			has(t, b.must("db", "check"), "0 problems")
		})
	}
}
