// Package postgrestest starts a PostgreSQL server of its own for the tests of a
// package, and gives each test a database.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is a PostgreSQL server on a socket of its own. It is started by the
// first Database, and ended by Stop.
type Server struct {
	// Prepare brings a database into the state in which every test gets it; nil
	// leaves it empty. It is called once.
	Prepare func(ctx context.Context, address string) error

	once sync.Once
	err  error
	dir  string
	next atomic.Int64
	user *syscall.Credential
}

// Database makes a database for a test, and gives its address. It goes with the
// test.
func (s *Server) Database(t testing.TB) (address string) {
	t.Helper()
	if s.once.Do(s.start); s.err != nil {
		t.Fatal(s.err)
	}
	name := fmt.Sprintf("test%d", s.next.Add(1))
	if err := s.admin(`CREATE DATABASE ` + name + ` TEMPLATE prepared STRATEGY file_copy`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.admin(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.address(name)
}

// address is that of a database of the server.
func (s *Server) address(name string) string {
	q := url.Values{"host": {s.dir}, "user": {"postgres"}, "sslmode": {"disable"}}
	return "postgres:///" + name + "?" + q.Encode()
}

func (s *Server) admin(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err = conn.Exec(ctx, statement); err != nil {
		err = fmt.Errorf("%s: %w", statement, err)
	}
	return err
}

// Stop ends the server, if it was started, and removes its files.
func (s *Server) Stop() error {
	if s.dir == "" {
		return nil
	}
	err := s.run("pg_ctl", "stop", "--mode=immediate", "--pgdata", s.data())
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Restart ends the server as a crash would, and starts it again.
func (s *Server) Restart() error {
	return errors.Join(s.run("pg_ctl", "stop", "--mode=immediate", "--pgdata", s.data()), s.up())
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) start() {
	s.err = s.begin()
}

func (s *Server) begin() (err error) {
	// A socket's path must be short, so not below the test's own folder.
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return err
	}
	if os.Getuid() == 0 { // the server refuses to run as root
		if s.user, err = nobody(); err != nil {
			return err
		}
		if err := os.Chown(s.dir, int(s.user.Uid), int(s.user.Gid)); err != nil {
			return err
		}
	}
	if err := s.run("initdb", "--pgdata", s.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8",
		"--locale=C.UTF-8", "--no-sync", "--no-instructions"); err != nil {
		return err
	}
	if err := s.up(); err != nil {
		return err
	}
	if err := s.admin(`CREATE DATABASE prepared`); err != nil || s.Prepare == nil {
		return err
	}
	return s.Prepare(context.Background(), s.address("prepared"))
}

// up starts the server. It need not survive a power cut, and listens on its
// socket alone.
func (s *Server) up() error {
	options := strings.Join([]string{"-c listen_addresses=", "-k " + s.dir, "-c fsync=off", "-c full_page_writes=off",
		"-c max_connections=300", "-c shared_buffers=64MB", "-c max_wal_size=4GB", "-c autovacuum_naptime=60s", "-c log_min_messages=fatal"}, " ")
	return s.run("pg_ctl", "start", "--wait", "--pgdata", s.data(), "--log", filepath.Join(s.dir, "log"), "--options", options)
}

func (s *Server) run(program string, args ...string) error {
	path, err := find(program)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	if s.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	}
	// To a file: the server would keep a pipe open.
	out, err := os.CreateTemp("", "pg-out")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s: %w\n%s\n%s", program, err, said, log)
	}
	return nil
}

// find gives the newest of a program where Debian puts it, or in the path.
func find(program string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath(program)
		if err != nil {
			return "", fmt.Errorf("these tests need PostgreSQL (Debian: apt-get install postgresql): %w", err)
		}
		return path, nil
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

// nobody is the user who runs the server where the tests are run by root.
func nobody() (*syscall.Credential, error) {
	return &syscall.Credential{Uid: 65534, Gid: 65534}, nil
}
