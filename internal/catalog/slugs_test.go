package catalog

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/internal/post"
	"tidings/internal/store"
	"tidings/internal/term"
)

// slugsOf gives key → slug after posts with these names came one by one.
func slugsOf(x *taxonomy, names ...string) map[string]string {
	for i, name := range names {
		e := &Entry{Post: &post.Post{Tags: []string{name}}, ID: string(rune(i))}
		x.update(nil, []*Entry{e})
	}
	got := map[string]string{}
	for _, t := range x.list {
		got[t.Key] = t.Slug
	}
	return got
}

func tags(rules ...TermRule) *taxonomy {
	return newTaxonomy(Tag, newNaming(rules), func(e *Entry) []string { return e.Tags })
}

// rivalNames are names that come close to one another often.
func rivalNames() *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.OneOf(
		rapid.StringMatching(`[aAb][-/_. +#]?[cC]?\+{0,2}`), rapid.SampledFrom([]string{
			"C", "C++", "C#", ".NET", "c++", "Open Science", "open-science", "日本語", "a/b", "..", ".", "con", "CON ", "Ä", "A\u0308",
			"feed", "index", "ß", "SS", "", "🚀", "a-" + term.Suffix("a/"), "K", "\u212a", "Σας", "σασ"}),
		rapid.String()), 1, 12)
}

// TestSlugsAreUniqueInAnyOrder: whatever the names, each key has one slug that
// no other has, also where case and composition are ignored; and it does not
// depend on which post was read first.
func TestSlugsAreUniqueInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rivalNames().Draw(t, "names")
		once := slugsOf(tags(), names...)
		all := tags()
		all.update(nil, []*Entry{{Post: &post.Post{Tags: names}}})
		for _, x := range all.list {
			if once[x.Key] == "" {
				t.Fatalf("%q has no slug", x.Key)
			}
		}
		folded := map[string]string{}
		for key, slug := range once {
			if other, taken := folded[foldSlug(slug)]; taken {
				t.Fatalf("%q and %q have the slug %q", key, other, slug)
			}
			folded[foldSlug(slug)] = key
			if len(slug) > 100 || term.Clean(slug) != slug {
				t.Fatalf("%q has the slug %q", key, slug)
			}
		}
	})
}

// TestSlugsWithoutAHistoryAgree: two fresh databases that meet the same posts
// in another order give the same addresses.
func TestSlugsWithoutAHistoryAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rivalNames().Draw(t, "names")
		other := rapid.Permutation(names).Draw(t, "order")
		look := func(names []string) map[string]string {
			x := tags()
			x.update(nil, []*Entry{{Post: &post.Post{Tags: names}}})
			return slugsOf(x)
		}
		if diff := cmp.Diff(look(names), look(other)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestATermKeepsItsAddress: terms that come later take no address from one
// that has it, and a database restores it.
func TestATermKeepsItsAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rivalNames().Draw(t, "names")
		n := rapid.IntRange(1, len(names)).Draw(t, "first")
		x := tags()
		before := slugsOf(x, names[:n]...)
		rows := x.news()
		for i := range rows {
			rows[i].Present = true
		}
		again := tags()
		again.restore(rows)
		for _, after := range []map[string]string{slugsOf(x, names[n:]...), slugsOf(again, names...)} {
			for key, slug := range before {
				if after[key] != slug {
					t.Fatalf("%q had the slug %q and now has %q", key, slug, after[key])
				}
			}
		}
	})
}

func TestSlugs(t *testing.T) {
	want := map[string]string{"c": "c", "c++": "cpp", "c#": "csharp", ".net": "dotnet", "open-science": "open-science", "日本語": "日本語", "a/b": "a-b", "..": "term-" + term.Suffix("..")}
	got := slugsOf(tags(), "C++", "C#", "C", ".NET", "c++", "Open Science", "open-science", "日本語", "a/b", "..")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	x := tags()
	x.update(nil, []*Entry{{Post: &post.Post{Tags: []string{"a/b", "a.b", "A B"}}}})
	want = map[string]string{"a-b": "a-b", "a/b": "a-b-" + term.Suffix("a/b"), "a.b": "a-b-" + term.Suffix("a.b")}
	if diff := cmp.Diff(want, slugsOf(x)); diff != "" {
		t.Error(diff)
	}
	if len(x.problems()) != 2 {
		t.Errorf("problems %v", x.problems())
	}
}

func TestRules(t *testing.T) {
	platform := TermRule{Kind: Tag, Name: "Platform", Slug: "infra", Was: []string{"DevOps", "SRE"}}
	x := tags(platform)
	x.restore([]store.TermSlug{{Slug: "ops", Key: "platform"}, {Slug: "platform-old", Key: "platform", Present: true}, {Slug: "go", Key: "golang", Present: true}})
	p := newNaming([]TermRule{platform}).post(&post.Post{Tags: []string{"devops", "Go", "platform", "SRE"}})
	if diff := cmp.Diff([]string{"Platform", "Go"}, p.Tags); diff != "" {
		t.Error(diff)
	}
	x.update(nil, []*Entry{{Post: p}})
	if got := x.list[1]; got.Name != "Platform" || got.Slug != "infra" {
		t.Errorf("%+v", got)
	}
	want := map[string]string{"platform": "infra", "devops": "infra", "sre": "infra", "ops": "infra", "platform-old": "infra"}
	if diff := cmp.Diff(want, x.former); diff != "" {
		t.Error(diff)
	}
	if got := x.news(); len(got) != 2 || got[1] != (store.TermSlug{Kind: "tag", Slug: "infra", Key: "platform"}) {
		t.Errorf("to save: %+v", got)
	}
	if got := slices.Sorted(maps.Keys(x.former)); slices.Contains(got, "go") {
		t.Error("the address that another term took over leads elsewhere")
	}
	if got := (Config{Terms: []TermRule{platform}}).PresentKeys(Tag, []string{"sre", "go"}); !slices.Equal(got, []string{"platform", "go"}) {
		t.Errorf("present keys %q", got)
	}
}

func TestCheckTerms(t *testing.T) {
	sound := []TermRule{
		{Kind: Tag, Name: "Go", Slug: "golang", Was: []string{"Golang"}}, {Kind: Category, Name: "Go", Slug: "golang"},
	}
	if got := CheckTerms(sound); got != nil {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		rule TermRule
		key  string
	}{
		{TermRule{Kind: Tag, Name: "go"}, ""},
		{TermRule{Kind: Tag, Name: " "}, ""},
		{TermRule{Kind: Tag, Name: "x", Was: []string{"GOLANG"}}, "was"},
		{TermRule{Kind: Tag, Name: "x", Slug: "golang"}, "slug"},
		{TermRule{Kind: Tag, Name: "x", Slug: "Über Uns"}, "slug"},
		{TermRule{Kind: Tag, Name: "x", Slug: "feed"}, "slug"},
		{TermRule{Kind: Tag, Name: "x", Slug: "../x"}, "slug"},
	} {
		got := CheckTerms(append(slices.Clone(sound), c.rule))
		if len(got) != 1 || got[0].Rule != 2 || got[0].Key != c.key {
			t.Errorf("%+v: %+v", c.rule, got)
		}
	}
}
