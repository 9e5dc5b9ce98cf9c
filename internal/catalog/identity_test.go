package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A world is a posts directory without a disk: what is done to its files is
// shown to a keeper, and the snapshots that come of it are checked.
type world struct {
	t     *rapid.T
	tb    testing.TB
	site  *site
	k     *keeper
	posts []*invented
	count int
	known map[int]*Entry // first published form of each post
}

// An invented post has a title, a text and a date that no other has.
type invented struct {
	number  int
	file    string // "" while it is deleted
	title   string
	text    string
	date    time.Time
	slug    string
	draft   bool
	broken  bool
	changes int
}

func (p *invented) source() string {
	if p.broken {
		return brokenText
	}
	more := []string{"tags: [" + []string{"Go", "go", "C++", "a/b", "a-b"}[p.number%5] + "]"}
	if p.draft {
		more = append(more, "draft: true")
	}
	if p.slug != "" {
		more = append(more, "slug: "+p.slug)
	}
	return fmt.Sprintf("---\ntitle: %s\ndate: %s\n%s\n---\nThis is post number <%d>. %s\n", p.title, p.date.Format(time.RFC3339), strings.Join(more, "\n"), p.number, p.text)
}

func newWorld(t *rapid.T, tb testing.TB) *world {
	s := newSite(tb)
	s.cfg.Dir = s.path("nowhere")
	w := &world{t: t, tb: tb, site: s, known: map[int]*Entry{}}
	w.restart(t)
	return w
}

// restart forgets everything but the database.
func (w *world) restart(*rapid.T) {
	k, err := open(w.tb.Context(), w.site.cfg)
	must(w.tb, err)
	w.k = k
	now := w.files()
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(k.roll.present)), func(name string) bool { _, ok := now[name]; return ok })
	w.show(now, gone)
}

func (w *world) files() map[string]string {
	all := map[string]string{}
	for _, p := range w.posts {
		if p.file != "" {
			all[p.file] = p.source()
		}
	}
	return all
}

// do changes the files and shows what is new.
func (w *world) do(change func()) {
	before := w.files()
	change()
	after := w.files()
	var gone []string
	for name := range before {
		if _, ok := after[name]; !ok {
			gone = append(gone, name)
		}
	}
	maps.DeleteFunc(after, func(name, text string) bool { return before[name] == text })
	w.show(after, gone)
}

// show lets the keeper see files as a pass would, and believe at once that
// the missing are deleted.
func (w *world) show(files map[string]string, gone []string) {
	now := w.site.clock()
	w.k.roll.see(now, findings(w.tb, files, gone...))
	must(w.tb, w.k.recall(w.tb.Context()))
	for _, rec := range w.k.roll.inOrder(w.k.roll.missing) {
		w.k.roll.bury(rec, now)
	}
	w.k.roll.admit(now)
	w.k.save(w.tb.Context())
	w.check(w.k.shelf.put(w.k.roll, w.k.folder, now).Snapshot)
}

var numberIn = regexp.MustCompile(`<(\d+)>`)

func (w *world) check(snap *Snapshot) {
	check(w.tb, snap)
	w.checkDeparted(snap)
	seen := map[string]*Entry{}
	for _, e := range snap.Entries {
		seen[numberIn.FindString(w.k.cfg.text(w.tb, e))] = e
	}
	for _, p := range w.posts {
		e := seen[fmt.Sprintf("<%d>", p.number)]
		first := w.known[p.number]
		hidden := p.file == "" || !p.broken && (p.draft || p.date.After(w.site.clock()))
		switch {
		case e != nil && hidden:
			w.t.Fatalf("post %d is published and must not be: %+v", p.number, p)
		case e == nil && !hidden && !p.broken:
			w.t.Fatalf("post %d is not published: %+v", p.number, p)
		case e != nil && first == nil:
			w.known[p.number] = e
		case e != nil && (e.ID != first.ID || e.PostID != first.PostID || !e.Published.Equal(first.Published) || !e.FirstSeen.Equal(first.FirstSeen)):
			w.t.Fatalf("post %d was %+v and is %+v", p.number, first, e)
		}
	}
	if w.tb.Failed() {
		w.t.FailNow()
	}
}

// checkDeparted holds what is told of posts that left, which is kept up to date
// piece by piece, to what follows from the records.
func (w *world) checkDeparted(snap *Snapshot) {
	var want []string
	now := w.site.clock()
	for _, rec := range w.k.roll.byID {
		left := rec.pinned() && rec.entry == nil && rec.state != missing && (rec.post != nil || rec.state == gone)
		if left != (!rec.row.Departed.IsZero() && rec.entry == nil) {
			w.t.Fatalf("%s left: %v, but departed %s", rec.row.File, left, rec.row.Departed)
		}
		if left && rec.post != nil && rec.row.Departed.Add(remembrance).After(now) {
			want = append(want, rec.row.Departed.Format(time.RFC3339Nano)+" "+rec.row.GUID)
		}
		if left && !snap.Gone[rec.row.Path] && snap.ByPath[rec.row.Path] == nil && snap.Redirects[rec.row.Path] == "" {
			w.t.Fatalf("%s left, but %s is not gone", rec.row.File, rec.row.Path)
		}
		if !left && snap.Gone[rec.row.Path] && w.k.roll.paths[rec.row.Path] == rec && snap.ByPath[rec.row.Path] == nil {
			w.t.Fatalf("%s did not leave, but %s is gone", rec.row.File, rec.row.Path)
		}
	}
	var got []string
	for _, d := range snap.Departed {
		got = append(got, d.When.Format(time.RFC3339Nano)+" "+d.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || !slices.IsSortedFunc(snap.Departed, lastToLeaveFirst) {
		w.t.Fatalf("departed %q, want %q", got, want)
	}
}

// any draws a post for which ok holds.
func (w *world) any(t *rapid.T, ok func(*invented) bool) *invented {
	var choice []*invented
	for _, p := range w.posts {
		if ok(p) {
			choice = append(choice, p)
		}
	}
	if len(choice) == 0 {
		t.Skip("no such post")
	}
	return rapid.SampledFrom(choice).Draw(t, "post")
}

func (w *world) freeName(t *rapid.T) string {
	used := w.files()
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "name")
	name = rapid.SampledFrom([]string{name + ".md", "sub/" + name + ".md", name + "/index.md"}).Draw(t, "place")
	if _, taken := used[name]; taken {
		t.Skip("name in use")
	}
	return name
}

func intact(p *invented) bool { return p.file != "" && !p.broken }

func (w *world) Create(t *rapid.T) {
	p := &invented{number: w.count, file: w.freeName(t), title: fmt.Sprintf("Title %d", w.count), text: fmt.Sprintf("The first text of post %d, long enough to tell.", w.count)}
	p.date = noon.Add(time.Duration(rapid.IntRange(-48, 6).Draw(t, "hours"))*time.Hour + time.Duration(w.count)*time.Second)
	p.draft = rapid.IntRange(0, 4).Draw(t, "draft") == 0
	p.slug = rapid.SampledFrom([]string{"", "", "same", "same-2"}).Draw(t, "slug")
	w.count++
	w.do(func() { w.posts = append(w.posts, p) })
}

func (w *world) Edit(t *rapid.T) {
	p := w.any(t, intact)
	w.do(func() {
		p.changes++
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0:
			p.text = fmt.Sprintf("Text %d of post %d, just as long as it must be.", p.changes, p.number)
		case 1:
			p.title = fmt.Sprintf("Title %d of %d", p.changes, p.number)
		case 2:
			p.slug = rapid.SampledFrom([]string{"same", "other", ""}).Draw(t, "slug")
		case 3:
			p.draft = !p.draft
		case 4:
			p.date = p.date.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours")) * time.Hour)
		}
	})
}

func (w *world) Rename(t *rapid.T) {
	p, name := w.any(t, intact), w.freeName(t)
	w.do(func() { p.file = name })
}

func (w *world) RenameAndEdit(t *rapid.T) {
	p, name := w.any(t, func(p *invented) bool { return intact(p) && w.known[p.number] != nil }), w.freeName(t)
	w.do(func() {
		p.changes++
		p.file, p.title = name, fmt.Sprintf("Title %d of %d", p.changes, p.number)
	})
}

func (w *world) Swap(t *rapid.T) {
	p, q := w.any(t, intact), w.any(t, intact)
	w.do(func() { p.file, q.file = q.file, p.file })
}

func (w *world) Delete(t *rapid.T) {
	p := w.any(t, intact)
	w.do(func() { p.file = "" })
}

func (w *world) Restore(t *rapid.T) {
	p, name := w.any(t, func(p *invented) bool { return p.file == "" }), w.freeName(t)
	w.do(func() { p.file = name })
}

func (w *world) Break(t *rapid.T) {
	p := w.any(t, intact)
	w.do(func() { p.broken = true })
}

func (w *world) Mend(t *rapid.T) {
	p := w.any(t, func(p *invented) bool { return p.broken })
	w.do(func() { p.broken = false })
}

func (w *world) TimePasses(t *rapid.T) {
	w.site.pass(time.Duration(rapid.SampledFrom([]int{1, 90, 180, 20 * 24 * 60}).Draw(t, "minutes")) * time.Minute)
	w.do(func() {})
}

// TestIdentities: whatever is done to the files, a post that readers have
// seen keeps its id, its number and its date, and none is seen too early.
func TestIdentities(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t)
		rt.Repeat(map[string]func(*rapid.T){
			"create": w.Create, "edit": w.Edit, "rename": w.Rename, "rename and edit": w.RenameAndEdit,
			"swap": w.Swap, "delete": w.Delete, "restore": w.Restore, "break": w.Break, "mend": w.Mend,
			"time passes": w.TimePasses, "restart": w.restart,
		})
	})
}

// TestSameEverywhere: two fresh databases agree, whatever is read first.
func TestSameEverywhere(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "b", "A", "a b", "a-b", "a/b", "C", "C++", "C#", "日本"})
	rapid.Check(t, func(rt *rapid.T) {
		posts := files{}
		for i := range rapid.IntRange(1, 12).Draw(rt, "posts") {
			more := []string{fmt.Sprintf("tags: [%q, %q]", word.Draw(rt, "tag"), word.Draw(rt, "tag"))}
			if rapid.Bool().Draw(rt, "slug") {
				more = append(more, "slug: same")
			}
			if rapid.IntRange(0, 3).Draw(rt, "id") == 0 {
				more = append(more, "id: https://example.org/same")
			}
			day := rapid.SampledFrom([]string{"2026-01-01", "2026-01-02"}).Draw(rt, "day")
			posts[fmt.Sprintf("%d.md", i)] = postText(rapid.SampledFrom([]string{"X", "Y"}).Draw(rt, "title"), day, more...)
		}
		describe := func() string {
			s := newSite(t)
			s.cfg.Dir = s.path("nowhere")
			k, err := open(t.Context(), s.cfg)
			must(t, err)
			found := findings(t, posts)
			rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
			k.roll.see(noon, found)
			k.roll.admit(noon)
			k.save(t.Context())
			snap := k.shelf.put(k.roll, k.folder, noon).Snapshot
			check(t, snap)
			var b strings.Builder
			for _, e := range snap.Entries {
				fmt.Fprintln(&b, e.PostID, e.File, e.ID, e.URL, e.Published)
			}
			for _, tag := range snap.Tags {
				fmt.Fprintln(&b, tag.Name, tag.Slug, titles(tag.Entries))
			}
			fmt.Fprintln(&b, snap.Problems)
			return b.String()
		}
		first := describe()
		for range 3 {
			if again := describe(); again != first {
				rt.Fatalf("first\n%s\nthen\n%s", first, again)
			}
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}
