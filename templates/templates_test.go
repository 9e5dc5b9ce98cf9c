package templates_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"tidings/templates"
)

func TestBuiltinHolds(t *testing.T) {
	for _, name := range []string{"email/frame.html", "email/digest.html", "email/digest.txt", "email/confirm.html", "email/confirm.txt"} {
		if b, err := fs.ReadFile(templates.Builtin(), name); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "email/digest.txt", "mine")
	write(t, dir, "email/extra.txt", "more")
	write(t, dir, "own/page.html", "page")
	files := templates.Overlay(dir)

	for name, want := range map[string]string{"email/digest.txt": "mine", "email/extra.txt": "more", "own/page.html": "page"} {
		if got := read(t, files, name); got != want {
			t.Errorf("%s = %q, want the user's %q", name, got, want)
		}
	}
	if got, want := read(t, files, "email/digest.html"), read(t, templates.Builtin(), "email/digest.html"); got != want {
		t.Error("email/digest.html is not the built-in one")
	}
	if err := fstest.TestFS(files, "email/digest.txt", "email/extra.txt", "email/digest.html", "own/page.html"); err != nil {
		t.Error(err)
	}
}

func TestOverlayListsEachNameOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "email/digest.txt", "mine")
	both, err := fs.ReadDir(templates.Overlay(dir), "email")
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := fs.ReadDir(templates.Builtin(), "email")
	if err != nil {
		t.Fatal(err)
	}
	if len(both) != len(builtin) {
		t.Errorf("%d entries, want %d", len(both), len(builtin))
	}
	for _, e := range both {
		if info, err := e.Info(); e.Name() == "digest.txt" && (err != nil || info.Size() != int64(len("mine"))) {
			t.Errorf("digest.txt is listed as %v, %v: not the user's", info, err)
		}
	}
}

func TestOverlayWithoutDirectory(t *testing.T) {
	for _, dir := range []string{"", filepath.Join(t.TempDir(), "none")} {
		if got := read(t, templates.Overlay(dir), "email/digest.txt"); got != read(t, templates.Builtin(), "email/digest.txt") {
			t.Errorf("Overlay(%q) is not the built-in tree", dir)
		}
	}
}

func TestOverlaySeesChanges(t *testing.T) {
	dir := t.TempDir()
	files := templates.Overlay(dir)
	write(t, dir, "email/digest.txt", "one")
	first := read(t, files, "email/digest.txt")
	write(t, dir, "email/digest.txt", "two")
	if second := read(t, files, "email/digest.txt"); first != "one" || second != "two" {
		t.Errorf("read %q, then %q", first, second)
	}
}

func TestOverlayDoesNotHideUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "email"), 0o755); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "email", "digest.txt")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := fs.ReadFile(templates.Overlay(dir), "email/digest.txt"); err == nil {
		t.Error("a file that cannot be read gave the built-in one")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, files fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
