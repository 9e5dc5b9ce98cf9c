package cachefile_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"tidings/internal/cachefile"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		file := filepath.Join(dir, "cache")
		want := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Byte())).Draw(t, "records")
		stamp := rapid.String().Draw(t, "stamp")
		if err := cachefile.Write(file, stamp, maps.All(want)); err != nil {
			t.Fatal(err)
		}
		got, err := cachefile.Read(file, stamp)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d records and %v, want %d", len(got), err, len(want))
		}
		for name := range want {
			if !bytes.Equal(got[name], want[name]) {
				t.Fatalf("%q: %q, want %q", name, got[name], want[name])
			}
		}
		if other, err := cachefile.Read(file, stamp+"x"); len(other) != 0 || err != nil {
			t.Fatalf("with another stamp: %v, %v", other, err)
		}
	})
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestADamagedFileHoldsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "cache")
	if got, err := cachefile.Read(file, ""); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	records := map[string][]byte{"a": []byte("one"), "b": nil}
	if err := cachefile.Write(file, "s", maps.All(records)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		for name, b := range map[string][]byte{"cut": whole[:i], "changed": flipped(whole, i)} {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := cachefile.Read(file, "s"); len(got) > 0 || err != nil {
				t.Errorf("%s at %d: %v, %v", name, i, got, err)
			}
		}
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestAFolderInTheWay(t *testing.T) {
	dir := t.TempDir()
	if _, err := cachefile.Read(dir, ""); err == nil {
		t.Error("a folder was read")
	}
	if err := cachefile.Write(dir, "", maps.All(map[string][]byte{})); err == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
