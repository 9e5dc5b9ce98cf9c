package catalog

import (
	"slices"
	"testing"
	"time"
)

func departures(snap *Snapshot) []string {
	var list []string
	for _, d := range snap.Departed {
		list = append(list, d.ID+" "+d.When.Format(time.RFC3339))
	}
	return list
}

func TestPostsThatLeftAreRememberedForAMonth(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		s.post(name+".md", "Title "+name, "2026-01-01", "tags: [x, "+name+"]")
	}
	s.post("draft.md", "Draft", "2026-01-01", "draft: true")
	s.post("brief.md", "Brief", "2026-01-02", "expiryDate: 2026-03-02T12:00:00Z")
	first := s.load()
	if len(first.Departed) != 0 || len(first.Gone) != 0 || first.Gone == nil {
		t.Fatalf("before anything left: %v, %v", departures(first), first.Gone)
	}
	id := map[string]string{}
	for _, e := range first.Entries {
		id[e.File] = e.ID
	}

	s.pass(time.Hour)
	s.remove("a.md", "draft.md")
	s.pass(time.Hour)
	s.load()
	withdrawn := s.now
	s.post("b.md", "Title b", "2026-01-01", "tags: [x]", "draft: true")
	s.pass(time.Hour)
	restart()
	snap := s.load()
	want := []string{id["b.md"] + " " + s.now.Format(time.RFC3339), id["a.md"] + " " + withdrawn.Format(time.RFC3339)}
	if got := departures(snap); !slices.Equal(got, want) {
		t.Fatalf("departed %q, want %q", got, want)
	}
	if d := snap.Departed[1]; !slices.Equal(d.Tags, []string{"x", "a"}) || d.Title != "Title a" {
		t.Errorf("after a restart it is not known what left: %+v", d.Post)
	}
	if !snap.Gone["/posts/a/"] || !snap.Gone["/posts/b/"] || snap.Gone["/posts/draft/"] || snap.Gone["/posts/c/"] || len(snap.Gone) != 2 {
		t.Errorf("gone: %v", snap.Gone)
	}

	s.post("b.md", "Title b", "2026-01-01", "tags: [x]") // it is back
	s.pass(24 * time.Hour)                               // and another one expires
	snap = s.load()
	want = []string{id["brief.md"] + " 2026-03-02T12:00:00Z", want[1]}
	if got := departures(snap); !slices.Equal(got, want) {
		t.Errorf("departed %q, want %q", got, want)
	}
	if end := withdrawn.Add(remembrance); !snap.Next.Equal(end) {
		t.Errorf("next change at %s, want %s", snap.Next, end)
	}

	s.pass(remembrance - 24*time.Hour)
	restart()
	if got := departures(s.load()); !slices.Equal(got, want[:1]) {
		t.Errorf("a month later %q, want %q", got, want[:1])
	}
	s.pass(remembrance)
	snap = s.load()
	if len(snap.Departed) != 0 || !snap.Gone["/posts/a/"] || !snap.Gone["/posts/brief/"] {
		t.Errorf("two months later %q, gone %v", departures(snap), snap.Gone)
	}
}

func TestAnAddressThatIsTakenAgainIsNotGone(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		s.post(name+".md", "Title "+name, "2026-01-01")
	}
	s.load()
	s.remove("a.md")
	s.load()
	s.post("new.md", "Other", "2026-02-01", "slug: a")
	snap := s.load()
	if e := snap.ByPath["/posts/a/"]; e == nil || e.Title != "Other" {
		t.Fatalf("at /posts/a/ there is %+v", e)
	}
	if len(snap.Departed) != 1 {
		t.Errorf("departed %q", departures(snap))
	}
}

func TestAMassDisappearanceIsNotTold(t *testing.T) {
	s := eleven(t)
	s.remove("00.md", "01.md", "02.md", "03.md")
	snap := s.load()
	if snap.Alarm == nil || len(snap.Departed)+len(snap.Gone) != 0 {
		t.Errorf("alarm %+v, departed %q", snap.Alarm, departures(snap))
	}
	if n, err := Accept(t.Context(), s.cfg); n != 4 || err != nil {
		t.Fatalf("accepted %d, %v", n, err)
	}
	if snap := s.load(); len(snap.Departed) != 4 || len(snap.Gone) != 4 {
		t.Errorf("after it was accepted: %q", departures(snap))
	}
}
