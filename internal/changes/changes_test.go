package changes_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/changes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "templates")
	write(t, dir, "email/a.txt", "one")
	ctx, stop := context.WithCancel(t.Context())
	told, ended := make(chan struct{}, 100), make(chan struct{})
	w := changes.New(dir, slog.New(slog.DiscardHandler))
	go func() {
		defer close(ended)
		w.Run(ctx, func() { told <- struct{}{} })
	}()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a file is written", func() error { return put(dir, "email/a.txt", "longer") }},
		{"a file in a new folder", func() error { return put(dir, "web/parts/b.html", "x") }},
		{"a file there again", func() error { return put(dir, "web/parts/b.html", "xy") }},
		{"a file is renamed", func() error { return os.Rename(filepath.Join(dir, "email/a.txt"), filepath.Join(dir, "email/c.txt")) }},
		{"a file is put in place", func() error {
			if err := put(dir, ".tmp", "from elsewhere"); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, ".tmp"), filepath.Join(dir, "email/c.txt"))
		}},
		{"everything is removed", func() error { return os.RemoveAll(dir) }},
		{"another directory of that name", func() error { return put(dir, "email/d.txt", "new") }},
		{"a file in that", func() error { return put(dir, "email/d.txt", "newer") }},
	} {
		drain(told)
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
		case <-time.After(30 * time.Second):
			t.Errorf("%s: nothing is told", step.name)
		}
	}
	stop()
	<-ended
}

func drain(c chan struct{}) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := put(dir, name, text); err != nil {
		t.Fatal(err)
	}
}

func put(dir, name, text string) error {
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
