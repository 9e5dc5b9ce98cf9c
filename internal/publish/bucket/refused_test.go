package bucket_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/publish"
)

// TestOneRefusedObject: an object that is refused for good keeps no other from
// its place, and nothing is written again for its sake.
func TestOneRefusedObject(t *testing.T) {
	c := newCloud(t)
	c.write(c.open("site"), newSet(t, "go/First", "old/Second"))
	c.pass(time.Hour)
	set := newSet(t, "go/First again", "new/Third")
	c.refusing(func(method, key string) bool { return method == http.MethodPut && key == "tags/go/atom.xml" })
	w := c.open("site")
	for attempt := range 2 {
		c.written()
		if _, err := w.Write(t.Context(), set); err == nil || !strings.Contains(err.Error(), "tags/go/atom.xml") || !strings.Contains(err.Error(), "must be allowed to list, read, write and delete") {
			t.Errorf("the error says: %v", err)
		}
		if again := c.written(); attempt > 0 && len(again) > 0 {
			t.Errorf("written again: %q", again)
		}
	}
	got, want := c.objects(), contents(t, set)
	if got["tags/old/feed.xml"] == "" {
		t.Error("something was removed although not all was written")
	}
	for name, text := range want {
		if (got[name] == text) == (name == "tags/go/atom.xml") {
			t.Errorf("%s is as wanted: %t", name, got[name] == text)
		}
	}
	c.refusing(nil)
	c.write(w, set)
	diff(t, want, c.objects())
	if written := c.written(); !slices.Equal(written, []string{"tags/go/atom.xml"}) {
		t.Errorf("in the end %q were written", written)
	}
}

// TestWhatIsMissingIsNotNamed: the OPML waits for a new feed that is refused.
func TestWhatIsMissingIsNotNamed(t *testing.T) {
	c := newCloud(t)
	c.refusing(func(method, key string) bool { return method == http.MethodPut && key == "tags/go/atom.xml" })
	if _, err := c.open("site").Write(t.Context(), newSet(t, "go/First")); err == nil {
		t.Fatal("no error")
	}
	got := c.objects()
	if got["feeds.opml"] != "" || got["feed.xml"] == "" || got["tags/go/feed.json"] == "" {
		t.Errorf("there are: %q", c.written())
	}
}

// TestManyRefusedObjects: where everything is refused, not everything is tried.
func TestManyRefusedObjects(t *testing.T) {
	c := newCloud(t)
	var posts []string
	for i := range 60 {
		posts = append(posts, string(rune('a'+i%26))+string(rune('a'+i/26))+"/Post")
	}
	tried := 0
	c.refusing(func(method, key string) bool {
		if method != http.MethodPut || !strings.HasPrefix(key, "tags/") {
			return false
		}
		tried++
		return true
	})
	_, err := c.open("site").Write(t.Context(), newSet(t, posts...))
	if err == nil || !strings.Contains(err.Error(), "more") || len(err.Error()) > 2000 {
		t.Errorf("the error says: %v", err)
	}
	if tried < 20 || tried > 20+2*16 {
		t.Errorf("%d objects were tried", tried)
	}
}

// TestAfterAKill: what had arrived is not written again.
func TestAfterAKill(t *testing.T) {
	c := newCloud(t)
	set := newSet(t, "go/First", "web/Second", "db/Third")
	left := 9 // the claim, and eight objects
	c.refusing(func(method, _ string) bool {
		left--
		return method == http.MethodPut && left < -2 // the manifest and the listing are asked for before
	})
	if _, err := c.open("site").Write(t.Context(), set); err == nil {
		t.Fatal("no error")
	}
	first := c.written()
	if len(first) == 0 {
		t.Fatal("nothing had arrived")
	}
	c.refusing(nil)
	c.pass(time.Hour)
	c.write(c.open("site"), set)
	for _, name := range c.written() {
		if slices.Contains(first, name) {
			t.Errorf("%s was written again", name)
		}
	}
	diff(t, contents(t, set), c.objects())
}

// TestAChangeOfTheSameLength is noticed also when the manifest is younger.
func TestAChangeOfTheSameLength(t *testing.T) {
	c := newCloud(t)
	w := c.open("site")
	c.write(w, newSet(t, "go/First", "web/Second"))
	before, _ := c.object("tags/go/feed.xml")
	c.pass(time.Minute)
	c.put("tags/go/feed.xml", strings.Replace(before, "First", "Worst", 1))
	c.pass(time.Minute)
	set := newSet(t, "go/First", "web/Second edited")
	c.write(w, set) // which does not look
	c.pass(time.Hour)
	c.write(c.open("site"), set)
	diff(t, contents(t, set), c.objects())
}

// TestAFolderThatWasCopiedHere takes over what "tidings build" and a provider's
// tool brought there, but not what was changed since.
func TestAFolderThatWasCopiedHere(t *testing.T) {
	c := newCloud(t)
	dir := t.TempDir()
	w, err := publish.NewWriter(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(t.Context(), newSet(t, "go/First", "old/Second", "gone/Third")); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		b, err := os.ReadFile(path)
		c.put(filepath.ToSlash(name), string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.put("index.json", "somebody's search index")
	c.put("tags/gone/atom.xml", "somebody's own")
	c.pass(time.Hour)
	set := newSet(t, "go/First again", "old/Second")
	c.write(c.open("site"), set)
	want := contents(t, set)
	want["index.json"], want["tags/gone/atom.xml"] = "somebody's search index", "somebody's own"
	diff(t, want, c.objects())
	if _, headers := c.object("tags/old/atom.xml"); headers.Get("Cache-Control") != publish.Caching {
		t.Errorf("the headers of what was copied stayed: %v", headers)
	}
}
