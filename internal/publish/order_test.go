package publish_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/fsnotify/fsnotify"

	"tidings/internal/publish"
)

// TestOrderOfSiblings: at no instant a sibling stands beside a file that it was
// not made from, so that a kill at any instant leaves none.
func TestOrderOfSiblings(t *testing.T) {
	dir := t.TempDir()
	set := func(text string) *publish.Set {
		return publish.NewSet(publish.NewDocument("/feed.xml", "", []byte(text)))
	}
	write(t, dir, set("one"), "gzip", "br")
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Add(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, set("two"), "gzip", "br")
	var got []string
	for last := ""; last != ".tidings-manifest.json"; {
		select {
		case e := <-w.Events:
			name := filepath.Base(e.Name)
			if ok, _ := filepath.Match("feed.xml*", name); ok && (e.Has(fsnotify.Create) || e.Has(fsnotify.Remove)) {
				got = append(got, e.Op.String()+" "+name)
			}
			if e.Has(fsnotify.Create) {
				last = name
			}
		case err := <-w.Errors:
			t.Fatal(err)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
	want := []string{"REMOVE feed.xml.gz", "REMOVE feed.xml.br", "CREATE feed.xml", "CREATE feed.xml.gz", "CREATE feed.xml.br"}
	if !slices.Equal(got, want) {
		t.Errorf("the order was %q, want %q", got, want)
	}
}
