package publish_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/publish"
)

func entriesOf(doc string) []string {
	var names []string
	for _, part := range strings.Split(doc, "<guid isPermaLink=\"false\">tag:example.org,2026:/posts/")[1:] {
		name, _, _ := strings.Cut(part, "/")
		names = append(names, name)
	}
	return names
}

func TestCombinationsOfTheConfiguration(t *testing.T) {
	cfg := config()
	cfg.Items = 10
	cfg.Combined = []publish.Combination{
		{Name: "ops", Title: "Operations", Any: publish.Names{Categories: []string{"life"}, Tags: []string{"GO"}}},
		{Name: "strict", All: publish.Names{Categories: []string{"DevOps"}, Tags: []string{"go"}}, Not: publish.Names{Tags: []string{"c++"}}},
		{Name: "rest", Not: publish.Names{Categories: []string{"DevOps"}}},
		{Name: "nothing", Any: publish.Names{Tags: []string{"unknown"}}},
		{Name: "impossible", All: publish.Names{Tags: []string{"go", "unknown"}}},
	}
	set := update(t, newPublisher(cfg, nil, nil), some()...).Set
	for path, want := range map[string][]string{
		"/feeds/ops/feed.xml": {"three", "two", "one"}, "/feeds/strict/feed.xml": {"one"}, "/feeds/rest/feed.xml": {"three"},
		"/feeds/nothing/feed.xml": nil, "/feeds/impossible/feed.xml": nil,
	} {
		if got := entriesOf(text(t, set, path)); !slices.Equal(got, want) {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	for path, part := range map[string]string{
		"/feeds/ops/feed.xml": "<title>Field Notes: Operations</title>", "/feeds/strict/atom.xml": "Field Notes: with DevOps and #go, without #C++",
		"/feeds/ops/feed.json": `"feed_url": "https://example.org/blog/feeds/ops/feed.json"`, "/feeds.opml": `<outline text="Combined">`,
	} {
		if doc := text(t, set, path); !strings.Contains(doc, part) {
			t.Errorf("%s: no %s in\n%s", path, part, doc)
		}
	}
}

func query(t *testing.T, snap *catalog.Snapshot, raw string) publish.Query {
	t.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	q, err := publish.ParseQuery(values, snap)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return q
}

func TestQueriesHaveOneForm(t *testing.T) {
	snap := snapshot(some()...)
	for raw, want := range map[string]string{
		"":                                     "",
		"utm_source=x":                         "",
		"tag=go&category=devops":               "category=devops&tag=go",
		"category=DevOps&tag=GO,cpp&tag=go":    "category=devops&tag=cpp&tag=go",
		"not-tag=go&all-category=life&tag=cpp": "tag=cpp&all-category=life&not-tag=go",
		"tag=%E6%97%A5%E6%9C%AC%E8%AA%9E":      "tag=%E6%97%A5%E6%9C%AC%E8%AA%9E",
		"tag=,%20go%20,":                       "tag=go",
		"in-tag=go&category=life&in-category=devops": "category=life&in-category=devops&in-tag=go",
	} {
		if got := query(t, snap, raw).String(); got != want {
			t.Errorf("%s becomes %s, want %s", raw, got, want)
		}
	}
	for _, raw := range []string{"tag=unknown", "category=go", "not-tag=../x"} {
		values, _ := url.ParseQuery(raw)
		if q, err := publish.ParseQuery(values, snap); err == nil || !strings.Contains(err.Error(), "there is no") {
			t.Errorf("%s becomes %s, %v", raw, q, err)
		}
	}
}

func TestFeedsByQuery(t *testing.T) {
	cfg := config()
	cfg.Items = 10
	p := newPublisher(cfg, nil, nil)
	posts := some()
	update(t, p, posts...)
	snap := snapshot(posts...)
	combine := func(raw string) *publish.Feed {
		t.Helper()
		f, err := p.Combine(context.Background(), snap, query(t, snap, raw))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := combine("category=life&tag=go&not-tag=cpp")
	doc := string(f.Docs[feed.RSS].Bytes())
	if got := entriesOf(doc); !slices.Equal(got, []string{"three", "one"}) {
		t.Errorf("holds %q", got)
	}
	self := `href="https://example.org/blog/feeds/feed.xml?category=life&amp;tag=go&amp;not-tag=cpp"`
	if !strings.Contains(doc, self) || !strings.Contains(doc, "<title>Field Notes: Life or #go, without #C++</title>") || f.Posts != 2 {
		t.Errorf("%d posts\n%s", f.Posts, doc)
	}
	if again := combine("not-tag=cpp&tag=go&category=life"); again != f {
		t.Error("the same query in other words is another feed")
	}
	if combine("tag=go").Docs[feed.Atom].Hash == f.Docs[feed.Atom].Hash {
		t.Error("two queries have the same Atom feed")
	}

	// an edit elsewhere leaves the bytes alone; one of its posts moves both
	posts[4] = edited(posts[4], "Another body of five")
	update(t, p, posts...)
	snap = snapshot(posts...)
	same := combine("category=life&tag=go&not-tag=cpp").Docs[feed.RSS]
	if same != f.Docs[feed.RSS] {
		t.Error("the feed changed with a post that it does not hold")
	}
	posts[2] = edited(posts[2], "Another body of three")
	update(t, p, posts...)
	snap = snapshot(posts...)
	other := combine("category=life&tag=go&not-tag=cpp").Docs[feed.RSS]
	if other.Hash == same.Hash || !other.Modified.After(same.Modified) {
		t.Errorf("an edit gave hash %s at %s, before %s at %s", other.Hash, other.Modified, same.Hash, same.Modified)
	}
	if delta, ok := other.Since(same.Hash, other.Modified); !ok || !slices.Equal(entriesOf(string(delta)), []string{"three"}) {
		t.Errorf("since the last version: %v, %s", ok, delta)
	}
}

// TestReadersFeedIsAnOpenOne: what a reader of some topics gets of a newsletter
// with topics of its own is also a feed that anybody can ask for, with the same
// entries in the same order.
func TestReadersFeedIsAnOpenOne(t *testing.T) {
	cfg := config()
	cfg.Items = 10
	p := newPublisher(cfg, nil, nil)
	posts := some()
	update(t, p, posts...)
	snap := snapshot(posts...)
	terms := []catalog.TermKey{{Kind: catalog.Category, Key: "devops"}, {Kind: catalog.Category, Key: "life"}, {Kind: catalog.Tag, Key: "go"}, {Kind: catalog.Tag, Key: "c++"}}
	slugs := []string{"category=devops", "category=life", "tag=go", "tag=cpp"}
	held := map[string]bool{}
	for i := range 256 { // every set of terms of the newsletter, with each of the reader
		var raw []string
		var x catalog.Expression
		for list, prefix := range []string{"", "in-"} {
			var any []catalog.TermKey
			for bit := range 4 {
				if i>>(4*list+bit)&1 == 1 {
					raw, any = append(raw, prefix+slugs[bit]), append(any, terms[bit])
				}
			}
			if any != nil {
				x = x.And(catalog.Expression{Every: [][]catalog.TermKey{any}})
			}
		}
		asked := strings.Join(raw, "&")
		open, err := p.Combine(context.Background(), snap, query(t, snap, asked))
		if err != nil {
			t.Fatal(err)
		}
		own, err := p.Private(context.Background(), snap, "Your topics", x)
		if err != nil {
			t.Fatal(err)
		}
		got, want := entriesOf(string(own.Docs[feed.RSS].Bytes())), entriesOf(string(open.Docs[feed.RSS].Bytes()))
		if !slices.Equal(got, want) {
			t.Errorf("%s: open %q, private %q", asked, want, got)
		}
		held[strings.Join(got, " ")] = true
	}
	if len(held) < 8 {
		t.Errorf("the feeds hold only %v", held)
	}
}

func TestQueriesAreBounded(t *testing.T) {
	posts := []*catalog.Entry{}
	for i := range 30 {
		posts = append(posts, newEntry(1, name(i), fmt.Sprintf("#t%d", i)))
	}
	snap := snapshot(posts...)
	var raw []string
	for i := range 21 {
		raw = append(raw, fmt.Sprintf("tag=t%d", i))
	}
	values, _ := url.ParseQuery(strings.Join(raw, "&"))
	if _, err := publish.ParseQuery(values, snap); err == nil {
		t.Error("21 terms are accepted")
	}
	query(t, snap, strings.Join(raw[:20], "&"))
}
