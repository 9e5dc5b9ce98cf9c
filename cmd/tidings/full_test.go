package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// TestFullDisk fills the disk under a daemon that sends: it stops at once,
// says so, goes on serving, and sends the rest when there is room. The disk is
// a small file system of the test's own; where the system grants none, the
// database refuses to be written instead.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const env = "TIDINGS_TEST_SMALL_DISK"
	if os.Getenv(env) != "" {
		fullDisk(t, smallDisk)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), env+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := child.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Logf("this system lets nobody have a file system of their own: %v", err)
		fullDisk(t, refusingDisk)
		return
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A disk can be filled, and emptied again. env is what a process on it needs.
type disk struct {
	fill, empty func() error
	env         string
}

// smallDisk mounts a small file system at dir.
func smallDisk(t *testing.T, dir string) disk {
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	return disk{
		fill: func() error {
			err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600)
			if !errors.Is(err, syscall.ENOSPC) {
				return fmt.Errorf("the disk did not become full: %w", err)
			}
			return nil
		},
		empty: func() error { return os.Remove(ballast) },
	}
}

// refusingDisk lets the database refuse writes while a file is there.
func refusingDisk(t *testing.T, dir string) disk {
	full := filepath.Join(dir, "full")
	return disk{
		fill:  func() error { return os.WriteFile(full, nil, 0o600) },
		empty: func() error { return os.Remove(full) },
		env:   fullEnv + "=" + full,
	}
}

func fullDisk(t *testing.T, mount func(*testing.T, string) disk) {
	const people = 400
	server := relaytest.Start(t, relaytest.Options{})
	port := freePort(t)
	config := strings.Replace(smtpConfig(server.Port()), "mail:\n", "mail:\n  rate: {per_second: 200}\n", 1) + fmt.Sprintf("http: {listen: \"127.0.0.1:%d\"}\n", port)
	d := &running{blog: newBlog(t, config, onePost), base: fmt.Sprintf("http://127.0.0.1:%d", port), logs: &syncBuffer{}}
	dir := filepath.Join(d.dir, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	disk := mount(t, dir)
	d.subscribe(people)
	d.must("send", "weekly", "--since", "2025-01-01", "--detach", "--yes")
	d.env = append(d.env, disk.env)
	d.start()
	d.eventually("mails go out", func() bool { return server.Count() > 20 })

	if err := disk.fill(); err != nil {
		t.Fatal(err)
	}
	d.eventually("sending stops", func() bool { return strings.Contains(d.logs.String(), "sending stopped until") })
	d.eventually("readiness turns red", func() bool { return d.status("/readyz") == http.StatusServiceUnavailable })
	stopped := server.Count()
	if stopped == people {
		t.Fatal("everything was sent before the disk was full")
	}
	for range 20 {
		if code := d.status("/readyz"); code != http.StatusServiceUnavailable {
			t.Errorf("/readyz: %d while the disk is full", code)
		}
		if code := d.status("/feed.xml"); code != http.StatusOK {
			t.Errorf("/feed.xml: %d while the disk is full", code)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if more := server.Count() - stopped; more > connections {
		t.Errorf("%d more mails went out while the disk was full", more)
	}

	if err := disk.empty(); err != nil {
		t.Fatal(err)
	}
	d.eventually("readiness turns green", func() bool { return d.status("/readyz") == http.StatusOK })
	d.eventually("the rest is sent", func() bool { return server.Count() >= people })
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if e := d.edition(1); e.Status != store.EditionFinished || e.Sent != people {
		t.Errorf("edition %+v", e)
	}
	got := map[string]bool{}
	for _, m := range server.Messages() {
		got[m.To[0]] = true
	}
	if len(got) != people || server.Count() != people {
		t.Errorf("%d mails for %d of %d readers", server.Count(), len(got), people)
	}
}

func (d *running) status(path string) int {
	res, err := http.Get(d.base + path)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// fullEnv names a file while which is there the database cannot be written.
const fullEnv = "TIDINGS_TEST_FULL"

type fullStore struct {
	store.Store
	file string
}

func (s fullStore) refuse() error {
	if _, err := os.Stat(s.file); err != nil {
		return nil
	}
	return fmt.Errorf("write: %w", store.ErrUnwritable)
}

func (s fullStore) Claim(ctx context.Context, now time.Time, holder string, limit int, except ...string) ([]store.Job, error) {
	if err := s.refuse(); err != nil {
		return nil, err
	}
	return s.Store.Claim(ctx, now, holder, limit, except...)
}

func (s fullStore) Record(ctx context.Context, now time.Time, holder string, rs []store.Result) error {
	if err := s.refuse(); err != nil {
		return err
	}
	return s.Store.Record(ctx, now, holder, rs)
}

func (s fullStore) CheckWritable(ctx context.Context) error {
	if err := s.refuse(); err != nil {
		return err
	}
	return s.Store.CheckWritable(ctx)
}
