package catalog

import (
	"context"
	"strings"
	"testing"
)

// TestABrokenFileThatMoves keeps its last good version, and so does one that
// is cut to nothing.
func TestABrokenFileThatMoves(t *testing.T) {
	s := eleven(t)
	ctx := context.Background()
	k, err := open(ctx, s.cfg)
	must(t, err)
	pass := func(what string) {
		t.Helper()
		change, err := k.pass(ctx, nil, true)
		must(t, err)
		if n := len(change.Snapshot.Entries); n != 11 || change.Snapshot.Alarm != nil {
			t.Errorf("%s: %d entries, alarm %v", what, n, change.Snapshot.Alarm)
		}
	}
	pass("at first")
	s.write("00.md", "---\ntitle: [ x\n---\nbroken\n")
	pass("broken")
	s.rename("00.md", "moved.md")
	pass("broken and moved")
	s.write("01.md", "")
	pass("cut to nothing")
	s.write("2026-01-05-dated.md", "")
	pass("an empty file that never was a post")
	s.post("moved.md", "Post 0", "2026-01-01")
	pass("mended")
	for _, e := range k.shelf.last.Entries {
		if e.File == "moved.md" && !strings.HasSuffix(e.ID, "/00/") {
			t.Errorf("after all its id is %s", e.ID)
		}
	}
}

func TestReservedAddresses(t *testing.T) {
	s := newSite(t)
	s.cfg.Reserved = func(path string) bool { return path == "/" || path == "/feed.xml" }
	s.write("a.md", "---\ntitle: A\ndate: 2026-01-01\npermalink: /\n---\nx\n")
	s.write("b.md", "---\ntitle: B\ndate: 2026-01-02\npermalink: /feed.xml\n---\nx\n")
	snap, err := Load(t.Context(), s.cfg)
	must(t, err)
	for _, e := range snap.Entries {
		if want := map[string]string{"A": "/post-2/", "B": "/feed-2.xml"}[e.Title]; e.Path != want {
			t.Errorf("%s is at %s, want %s", e.Title, e.Path, want)
		}
	}
	if len(snap.Problems) != 2 || !strings.Contains(snap.Problems[0].Message, "tidings' own") {
		t.Errorf("problems %v", snap.Problems)
	}
}
