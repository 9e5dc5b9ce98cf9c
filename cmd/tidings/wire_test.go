package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestJournalsOfALinkedDatabase are where those of the database itself are,
// however it is called: else its senders would not know of each other.
func TestJournalsOfALinkedDatabase(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, folder := filepath.Join(dir, "real", "tidings.db"), filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	want := journals(file) // before the first start there is no file yet
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.db")
	for name, to := range map[string]string{folder: filepath.Dir(file), link: file, link + "2": link} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{file, link, link + "2", filepath.Join(folder, "tidings.db")} {
		if got := journals(name); got != want {
			t.Errorf("journals of %s are at %s, want %s", name, got, want)
		}
	}
}
