package adopt_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/adopt"
	"tidings/internal/catalog"
	"tidings/internal/post"
)

func postAt(path, title string, day int, aliases ...string) *catalog.Entry {
	when := time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC)
	return &catalog.Entry{
		Post: &post.Post{File: strings.Trim(path, "/") + ".md", Title: title, Aliases: aliases},
		ID:   "tag:example.org,2026:" + path, Path: path, URL: "https://example.org" + path, Published: when,
	}
}

// blog is one with these posts, and redirects from some paths to others.
func blog(posts []*catalog.Entry, redirects ...string) adopt.Blog {
	snap := &catalog.Snapshot{Entries: posts, ByPath: map[string]*catalog.Entry{}, Redirects: map[string]string{}}
	for _, p := range posts {
		snap.ByPath[p.Path] = p
	}
	for i := 0; i < len(redirects); i += 2 {
		snap.Redirects[redirects[i]] = redirects[i+1]
	}
	return adopt.Blog{Snapshot: snap}
}

func list(pairs []adopt.Pair) (s []string) {
	for _, p := range pairs {
		s = append(s, p.Entry.ID+"="+p.Post.Path)
	}
	slices.Sort(s)
	return s
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestMatchByAddress(t *testing.T) {
	posts := []*catalog.Entry{
		postAt("/a/", "A", 1, "https://old.example/archive/a"), postAt("/b.html", "B", 2), postAt("/ü ber/", "C", 3), postAt("/d/", "D", 4),
	}
	b := blog(posts, "/former/", "/d/", "/2020/01/b/", "/b.html")
	for link, want := range map[string]string{
		"https://example.org/a/":                            "/a/",
		"http://WWW.Example.ORG:80/a":                       "/a/",
		"https://example.org/a/index.html?utm_source=feed":  "/a/",
		"https://example.org/a.html#comments":               "/a/",
		"https://old.example/archive/a/":                    "/a/",
		"https://elsewhere.example/a":                       "/a/",
		"https://example.org/b":                             "/b.html",
		"https://example.org/2020/01/b":                     "/b.html",
		"https://example.org/%C3%BC%20ber":                  "/ü ber/",
		"https://example.org/u%CC%88%20ber/":                "/ü ber/",
		"https://example.org/former":                        "/d/",
		"https://example.org/a/?page=2":                     "",
		"https://example.org/":                              "",
		"/a/":                                               "",
		"mailto:a@example.org":                              "",
		"https://example.org/%zz":                           "",
		"http://feedproxy.example/~r/blog/~3/x/?id=1":       "",
		"https://example.org/archive/a":                     "/a/",
		"https://example.org/A/":                            "",
		"https://example.org/index.html":                    "",
		"https://user:secret@example.org/%61/?utm_medium=x": "/a/",
	} {
		r := adopt.Match([]adopt.Entry{{ID: "old", Link: link}}, b)
		got := ""
		if len(r.New) == 1 {
			got = r.New[0].Post.Path
		}
		if got != want {
			t.Errorf("%s is %q, want %q", link, got, want)
		}
	}
	r := adopt.Match([]adopt.Entry{{ID: "https://example.org/a/", Link: "http://feedproxy.example/~r/1"}}, b)
	equal(t, "an id that is the address", list(r.New), []string{"https://example.org/a/=/a/"})
}

func TestMatch(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 23, 0, 0, 0, time.UTC) }
	posts := []*catalog.Entry{
		postAt("/a/", "A", 1), postAt("/d/", "Notes", 4), postAt("/e/", "Notes", 15), postAt("/f/", "Unique “title” – C++", 6),
		postAt("/g/", "G", 7), postAt("/h/", "H", 8), postAt("/i/", "I", 9), postAt("/j/", "J", 10), postAt("/k/", "C#", 11), postAt("/l/", "C", 11),
		postAt("/m/", "Links", 20), postAt("/n/", "Links", 21),
	}
	posts[4].GUID, posts[4].ID = "explicit", "explicit" // g
	posts[5].ID = "same"                                // h
	b := blog(posts)
	b.Hidden = map[string]bool{"of a draft": true}
	r := adopt.Match([]adopt.Entry{
		{ID: "1", Link: "http://www.example.org/a/index.html", Title: "Renamed since"},
		{ID: "1 before", Link: "https://example.org/a/"},
		{ID: "4", Link: "https://example.org/?p=4", Title: "notes", Published: day(3)}, // in another zone
		{ID: "5", Link: "https://example.org/?p=5", Title: "Notes", Published: day(30)},
		{ID: "6", Link: "https://example.org/x", Title: ` <em>Unique</em>  &quot;Title&quot; - C++`},
		{ID: "7", Link: "https://example.org/g/"},
		{ID: "same", Link: "https://example.org/h/"},
		{ID: "explicit", Link: "https://example.org/i/"},
		{ID: "of a draft", Link: "https://example.org/j/"},
		{ID: "11", Title: "C"},
		{ID: "20", Title: "Links", Published: day(20)}, // or of the day after?
		{ID: "unknown", Link: "https://example.org/", Title: "Home"},
	}, b)
	equal(t, "new", list(r.New), []string{"11=/l/", "1=/a/", "4=/d/", "6=/f/"})
	equal(t, "already", list(r.Already), []string{"same=/h/"})
	equal(t, "explicit", list(r.Explicit), []string{"7=/g/"})
	equal(t, "taken", list(r.Taken), []string{"explicit=/i/", "of a draft=/j/"})
	equal(t, "twice", list(r.Twice), []string{"1 before=/a/"})
	var unknown, without []string
	for _, e := range r.Unknown {
		unknown = append(unknown, e.ID)
	}
	for _, p := range r.Posts {
		without = append(without, p.Path)
	}
	equal(t, "unknown", unknown, []string{"5", "20", "unknown"})
	equal(t, "posts without an entry", without, []string{"/e/", "/k/", "/m/", "/n/"})
}

// Two posts may change ids; what a third one keeps is not taken from it.
func TestIdsMayChangeHands(t *testing.T) {
	a, b, c := postAt("/a/", "A", 1), postAt("/b/", "B", 2), postAt("/c/", "C", 3)
	all := blog([]*catalog.Entry{a, b, c})
	r := adopt.Match([]adopt.Entry{{ID: b.ID, Link: a.URL}, {ID: a.ID, Link: b.URL}}, all)
	if len(r.New) != 2 || len(r.Taken) != 0 {
		t.Errorf("two that change: %+v", r)
	}
	r = adopt.Match([]adopt.Entry{{ID: c.ID, Link: a.URL}, {ID: a.ID, Link: b.URL}}, all)
	if len(r.New) != 0 || len(r.Taken) != 2 {
		t.Errorf("a chain to one that stays: %+v", r)
	}
}

func TestDates(t *testing.T) {
	a, b, c := postAt("/a/", "A", 1), postAt("/b/", "B", 2), postAt("/c/", "C", 3)
	c.GUID, c.ID = "mine", "mine"
	all := blog([]*catalog.Entry{a, b, c})
	at := time.Date(2026, 1, 2, 7, 30, 0, 0, time.UTC)
	entries := []adopt.Entry{
		{ID: "a", Link: a.URL, Published: a.Published.Add(300 * time.Millisecond)}, {ID: b.ID, Link: b.URL, Published: at},
		{ID: "c", Link: c.URL, Published: at},
	}
	if r := adopt.Match(entries, all); !r.New[0].Date.IsZero() || r.New[0].Apart || !r.Already[0].Date.IsZero() || !r.Already[0].Apart {
		t.Errorf("dates although none may change: %+v", r)
	}
	all.MayDate = func(p *catalog.Entry, when time.Time) bool { return p != c || when.Before(at) }
	r := adopt.Match(entries, all)
	if !r.New[0].Date.IsZero() || !r.Already[0].Date.Equal(at) || r.Already[0].Apart || !r.Explicit[0].Date.IsZero() || !r.Explicit[0].Apart {
		t.Errorf("dates: %+v", r)
	}
	entries[1].Published = at.Add(72 * time.Hour) // as if it were when the feed was made
	if r = adopt.Match(entries, all); !r.Already[0].Date.IsZero() || !r.Already[0].Apart {
		t.Errorf("a date that is far off: %+v", r)
	}
}
