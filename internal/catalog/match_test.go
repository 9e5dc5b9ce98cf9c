package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tidings/internal/post"
	"tidings/internal/store"
)

// findings parses files as the folder would; names in gone have vanished.
func findings(t testing.TB, files map[string]string, gone ...string) []finding {
	t.Helper()
	var found []finding
	for name, text := range files {
		f := finding{file: name, kind: broken, modTime: noon, source: []byte(text)}
		p, _, err := post.Parse(name, []byte(text), post.Options{})
		if err == nil {
			f.kind, f.post = good, p
		}
		found = append(found, f)
	}
	for _, name := range gone {
		found = append(found, finding{file: name, kind: vanished})
	}
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	return found
}

// step lets a roll see what turned the files before into the files after.
func step(t testing.TB, r *roll, now time.Time, before, after map[string]string) {
	t.Helper()
	changed := map[string]string{}
	var gone []string
	for name, text := range after {
		if before[name] != text {
			changed[name] = text
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			gone = append(gone, name)
		}
	}
	r.see(now, findings(t, changed, gone...))
	r.admit(now)
	r.refresh(now)
}

func newTestRoll(t testing.TB) *roll {
	return newRoll(Config{Permalink: "/posts/:slug/", SiteURL: mustURL(t, "https://example.org"), Now: func() time.Time { return noon }}.withDefaults())
}

// restarted is a roll that knows only what the database would know.
func restarted(t testing.TB, r *roll) *roll {
	t.Helper()
	next := newTestRoll(t)
	var rows = slices.Collect(func(yield func(record) bool) {
		for _, rec := range r.byGUID {
			if !yield(*rec) {
				return
			}
		}
	})
	slices.SortFunc(rows, func(a, b record) int { return a.row.Published.Compare(b.row.Published) })
	db := newMemory()
	for i := range rows {
		rows[i].row.ID = 0
		must(t, db.SavePosts(t.Context(), []*store.Post{&rows[i].row}))
	}
	saved, err := db.LoadPosts(t.Context())
	must(t, err)
	next.restore(saved, db.paths, time.Now())
	return next
}

func TestRecognise(t *testing.T) {
	const (
		id   = "id: https://example.org/unique"
		id2  = "id: https://example.org/other"
		day  = "2026-01-01"
		next = "2026-01-02"
	)
	a, b, c := postText("Ants", day), postText("Bees", next), postText("Cats", "2026-01-03")
	tests := []struct {
		name          string
		before, after map[string]string
		same          map[string]string // file after → file before; others are new
	}{
		{"nothing", files{"a.md": a}, files{"a.md": a}, files{"a.md": "a.md"}},
		{"edit", files{"a.md": a}, files{"a.md": postText("Other", "2025-01-01")}, files{"a.md": "a.md"}},
		{"rename", files{"a.md": a, "b.md": b}, files{"x.md": a, "b.md": b}, files{"x.md": "a.md", "b.md": "b.md"}},
		{"move into a bundle", files{"a.md": a}, files{"a/index.md": a}, files{"a/index.md": "a.md"}},
		{"rename and new front matter", files{"a.md": a}, files{"x.md": postText2("Ants, revised", "2026-02-02", body("Ants"))}, files{"x.md": "a.md"}},
		{"rename and new text", files{"a.md": a}, files{"x.md": postText2("Ants", day, "Short.")}, files{"x.md": "a.md"}},
		{"rename and all new", files{"a.md": a}, files{"x.md": b}, files{}},
		{"rename by id", files{"a.md": postText("Ants", day, id)}, files{"x.md": postText("All new", next, id)}, files{"x.md": "a.md"}},
		{"two change places", files{"a.md": a, "b.md": b}, files{"a.md": b, "b.md": a}, files{"a.md": "b.md", "b.md": "a.md"}},
		{"three change places", files{"a.md": a, "b.md": b, "c.md": c}, files{"a.md": b, "b.md": c, "c.md": a}, files{"a.md": "b.md", "b.md": "c.md", "c.md": "a.md"}},
		{"two change places by id",
			files{"a.md": postText("Ants", day, id), "b.md": postText("Bees", next, id2)},
			files{"a.md": postText("Bees!", next, id2), "b.md": postText("Ants!", day, id)},
			files{"a.md": "b.md", "b.md": "a.md"}},
		{"all move up", files{"a.md": a, "b.md": b}, files{"b.md": a, "c.md": b}, files{"b.md": "a.md", "c.md": "b.md"}},
		{"moved over another", files{"a.md": a, "b.md": b}, files{"b.md": a}, files{"b.md": "a.md"}},
		{"copy", files{"a.md": a}, files{"a.md": a, "copy.md": a}, files{"a.md": "a.md"}},
		{"copy, original edited", files{"a.md": a}, files{"a.md": postText2("Ants", day, "Rewritten."), "copy.md": a}, files{"a.md": "a.md"}},
		{"copy over another, original edited", files{"a.md": a, "b.md": b}, files{"a.md": postText2("Ants", day, "Rewritten."), "b.md": a}, files{"a.md": "a.md", "b.md": "b.md"}},
		{"copy with its id", files{"a.md": postText("Ants", day, id)}, files{"a.md": postText("Ants", day, id), "copy.md": postText("Copy", next, id)}, files{"a.md": "a.md"}},
		{"copy with its id, original edited", files{"a.md": postText("Ants", day, id)}, files{"a.md": postText("Ants 2", day, id), "copy.md": postText("Ants", day, id)}, files{"a.md": "a.md"}},
		{"renamed, new post under the old name", files{"a.md": a}, files{"a.md": b, "x.md": a}, files{"x.md": "a.md"}},
		{"short bodies tell nothing", files{"a.md": postText2("Ants", day, "Soon.")}, files{"x.md": postText2("Bees", next, "Soon.")}, files{}},
		{"twins moved", files{"p/a.md": a, "q/a2.md": a}, files{"r/a2.md": a, "s/a.md": a}, files{"r/a2.md": "q/a2.md", "s/a.md": "p/a.md"}},
		{"broken when renamed", files{"a.md": a}, files{"x.md": "---\ntitle: [\n---\n"}, files{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, restart := range []bool{false, true} {
				r := newTestRoll(t)
				step(t, r, noon, nil, tt.before)
				was := ids(r)
				if restart {
					r = restarted(t, r)
				}
				step(t, r, noon, vanishing(r, tt.before, restart), tt.after)
				now := ids(r)
				for file, id := range now {
					from, known := tt.same[file]
					if known && was[from] != id {
						t.Errorf("restart %t: %s has id %s, want that of %s, %s", restart, file, id, from, was[from])
					}
					if !known && slices.Contains(slices.Collect(maps.Values(was)), id) {
						t.Errorf("restart %t: %s has the id %s of an older post, want a new one", restart, file, id)
					}
				}
				for file := range tt.same {
					if now[file] == "" {
						t.Errorf("restart %t: %s is not published", restart, file)
					}
				}
			}
		})
	}
}

// vanishing gives the files that a step compares with: after a restart
// everything is read again.
func vanishing(_ *roll, before map[string]string, restart bool) map[string]string {
	if !restart {
		return before
	}
	unread := map[string]string{}
	for name := range before {
		unread[name] = ""
	}
	return unread
}

// TestReturn brings posts back after they were taken for deleted.
func TestReturn(t *testing.T) {
	a, b := postText("Ants", "2026-01-01"), postText("Bees", "2026-01-02")
	tests := []struct {
		name, file, text string
		same             bool
	}{
		{"unchanged", "a.md", a, true},
		{"edited", "a.md", postText2("Ants", "2026-01-01", "New text."), true},
		{"new title", "a.md", postText2("Ants!", "2026-01-01", "New text."), true},
		{"another post under the old name", "a.md", postText("Cats", "2026-02-03"), false},
		{"renamed", "x.md", a, true},
		{"renamed and edited", "x.md", postText2("Ants", "2026-01-01", "New text."), true},
		{"another post", "x.md", postText("Cats", "2026-02-03"), false},
		{"the text of a post that is there", "b.md", a, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, restart := range []bool{false, true} {
				r := newTestRoll(t)
				step(t, r, noon, nil, files{"a.md": a, "b.md": b})
				was := ids(r)
				step(t, r, noon, files{"a.md": a}, files{})
				for _, rec := range r.inOrder(r.missing) {
					r.bury(rec, noon)
				}
				r.refresh(noon)
				if restart {
					r = restarted(t, r)
					step(t, r, noon, nil, files{"b.md": b})
				}
				if _, still := ids(r)["a.md"]; still {
					t.Fatal("a deleted post is still published")
				}
				step(t, r, noon.Add(time.Hour), nil, files{tt.file: tt.text})
				if got := ids(r)[tt.file]; (got == was["a.md"]) != tt.same {
					t.Errorf("restart %t: id %s, the deleted post had %s", restart, got, was["a.md"])
				}
			}
		})
	}
}

type files = map[string]string

// ids gives the ids of the published posts by file.
func ids(r *roll) map[string]string {
	found := map[string]string{}
	for _, rec := range r.byGUID {
		if rec.entry != nil && rec.state != missing {
			found[rec.entry.File] = rec.entry.ID
		}
	}
	return found
}

// body is the text that postText writes.
func body(title string) string {
	return fmt.Sprintf("What there is to say of %s, at such length that nobody would take it for the body of another post.\n", title)
}

// postText2 writes a post with a body of its own.
func postText2(title, date, body string) string {
	return fmt.Sprintf("---\ntitle: %s\ndate: %s\n---\n%s", title, date, body)
}
