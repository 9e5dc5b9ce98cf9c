package catalog

import (
	"testing"
	"time"
)

// TestAnnouncedAgain follows the wish of a post to be mailed again: each new
// value counts once, and none that stood there from the start.
func TestAnnouncedAgain(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	s.post("old.md", "Old", "2026-01-01", "announce: again")
	s.post("a.md", "A", "2026-01-01")
	announced := func() map[string]time.Time {
		at := map[string]time.Time{}
		for _, e := range s.load().Entries {
			if !e.Announced.IsZero() {
				at[e.File] = e.Announced
			}
		}
		return at
	}
	if got := announced(); len(got) != 0 {
		t.Fatalf("announced at first sight: %v", got)
	}

	var last time.Time
	for _, step := range []struct {
		line  string
		again bool
	}{
		{"announce: again", true},
		{"announce: again", false}, // another edit
		{"pin: true", false},
		{"announce: again", true},
		{"announce: again, corrected", true},
		{"hold: true", false},
		{"pin: false", false},
	} {
		s.pass(time.Hour)
		s.post("a.md", "A", "2026-01-01", step.line, "note: "+s.now.String())
		want := last
		if step.again {
			want = s.now
		}
		restart() // what is known must outlast the process
		got := announced()
		if !got["a.md"].Equal(want) || len(got) > 1 {
			t.Fatalf("after %q: %v, want %s", step.line, got, want)
		}
		last = want
	}
}
