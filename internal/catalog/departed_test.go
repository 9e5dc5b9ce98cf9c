package catalog

import (
	"slices"
	"testing"
	"time"

	"tidings/internal/store"
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

// TestWhenAPostLeft: the instant stays whatever becomes of the file, until the
// post is back.
func TestWhenAPostLeft(t *testing.T) {
	s := newSite(t)
	restart := onDisk(t, s)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		s.post(name+".md", "Title "+name, "2026-01-01")
	}
	s.load()
	step := func(what string, want ...string) {
		t.Helper()
		restart()
		if got := departures(s.load()); !slices.Equal(got, want) {
			t.Errorf("%s: departed %q, want %q", what, got, want)
		}
		s.pass(24 * time.Hour)
	}
	const id = "tag:localhost,2026-01-01:/posts/a/ "
	s.pass(time.Hour)
	s.post("a.md", "Title a", "2026-01-01", "draft: true")
	step("withdrawn", id+"2026-03-01T13:00:00Z")
	s.post("a.md", "Title a", "2026-01-01", "draft: true", "note: edited")
	step("edited", id+"2026-03-01T13:00:00Z")
	s.rename("a.md", "other.md")
	step("renamed", id+"2026-03-01T13:00:00Z")
	s.post("other.md", "Title a", "2026-08-01")
	step("put off", id+"2026-03-01T13:00:00Z")
	s.remove("other.md")
	step("deleted", id+"2026-03-01T13:00:00Z")
	s.post("a.md", "Title a", "2026-01-01")
	step("back")
	s.remove("a.md")
	step("deleted again", id+"2026-03-07T13:00:00Z")
	s.post("a.md", "Title a", "2026-01-01", "expires: 2026-03-08")
	step("back, but expired", id+"2026-03-07T13:00:00Z")
	s.pass(27 * 24 * time.Hour)
	step("almost a month later", id+"2026-03-07T13:00:00Z")
	step("a month later")
}

func TestTermsOfPostsThatLeft(t *testing.T) {
	s := newSite(t)
	s.cfg.Authors, s.cfg.Author, s.cfg.Slugs = true, "House", &slugStore{rows: map[string]store.TermSlug{}}
	s.cfg.Terms = []TermRule{{Kind: Tag, Name: "Go", Was: []string{"golang"}}}
	for _, name := range []string{"b", "c", "d", "e", "f"} {
		s.post(name+".md", "Title "+name, "2026-01-01")
	}
	s.post("a.md", "Title a", "2026-01-01", "tags: [golang, GO, a.b]", "categories: [a/b]")
	s.load()
	s.remove("a.md")
	s.load()
	snap := s.load() // knows the terms from the database alone
	want := []TermRef{{TermKey{Category, "a/b"}, "a-b"}, {TermKey{Tag, "go"}, "go"}, {TermKey{Tag, "a.b"}, "a-b"}, {TermKey{Author, "house"}, "house"}}
	if d := snap.Departed; len(d) != 1 || !slices.Equal(d[0].Terms, want) {
		t.Fatalf("departed %+v, want terms %v", d, want)
	}
	if got := snap.Retired[Tag]; got["go"] != "go" || got["a-b"] != "a.b" || len(got) != 3 { // and "golang"
		t.Errorf("retired tags: %v", got)
	}
	goTag, ab, house, other := TermKey{Tag, "go"}, TermKey{Tag, "a/b"}, TermKey{Author, "house"}, TermKey{Tag, "x"}
	every := func(lists ...[]TermKey) Expression { return Expression{Every: lists} }
	for _, c := range []struct {
		by   []Expression
		want bool
	}{
		{[]Expression{{}}, true},
		{[]Expression{every([]TermKey{other, goTag})}, true},
		{[]Expression{every([]TermKey{ab})}, false}, // that is a category of the post
		{[]Expression{every([]TermKey{goTag}, []TermKey{house})}, true},
		{[]Expression{every([]TermKey{goTag}, []TermKey{other})}, false},
		{[]Expression{{Every: [][]TermKey{{goTag}}, Not: []TermKey{house}}}, false},
		{[]Expression{{Not: []TermKey{other}}}, true},
		{[]Expression{every([]TermKey{other}), every([]TermKey{house})}, true},
		{nil, false},
	} {
		if got := snap.Departed[0].Within(c.by...); got != c.want {
			t.Errorf("within %v: %v", c.by, got)
		}
	}
}
