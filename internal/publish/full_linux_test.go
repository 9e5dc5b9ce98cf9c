package publish_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/publish"
)

// TestWriteToAFullDisk fills a small file system of a process's own: what was
// there stays whole, and nothing else is left behind.
func TestWriteToAFullDisk(t *testing.T) {
	const env = "TIDINGS_TEST_FULL_DISK"
	if dir := os.Getenv(env); dir != "" {
		writeToAFullDisk(t, dir)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), env+"="+t.TempDir())
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := child.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Skipf("this system lets nobody have a file system of their own: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func writeToAFullDisk(t *testing.T, dir string) {
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Fatal(err)
	}
	sets := twoSets() // of four megabytes each
	w, err := publish.NewWriter(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(t.Context(), sets[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Write(t.Context(), sets[1]); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the disk was not full: %v", err)
		}
		if diff := cmp.Diff(contents(sets[0]), files(t, dir)); diff != "" {
			t.Errorf("not as before:\n%.2000s", diff)
		}
	}
	if err := syscall.Mount("small", dir, "tmpfs", syscall.MS_REMOUNT, "size=12m"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(t.Context(), sets[1]); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if diff := cmp.Diff(contents(sets[1]), files(t, dir)); diff != "" {
		t.Errorf("not as wanted with room again:\n%.2000s", diff)
	}
}
