package catalog

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Select must give what looking at each post gives.
func TestSelectIsWhatEachPostSays(t *testing.T) {
	s := newSite(t)
	for i, terms := range [][]string{
		{"categories: [one]", "tags: [x]"}, {"categories: [one]", "tags: [x, y]"}, {"categories: [two]", "tags: [y, z]"},
		{"categories: [two]"}, {"tags: [z]"}, {}, {"categories: [one]", "tags: [x, y, z]"},
	} {
		s.post(string(rune('a'+i))+".md", "Title", "2026-01-01", terms...)
	}
	snap := s.load()
	all := slices.Concat(snap.Categories, snap.Tags)
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string) []*Term {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3, func(x *Term) *Term { return x }).Draw(t, name)
		}
		by := Selection{Any: some("any"), All: some("all"), Not: some("not")}
		var want []*Entry
		for _, e := range snap.Entries {
			has := func(x *Term) bool { return slices.Contains(x.Entries, e) }
			if (len(by.Any) == 0 || slices.ContainsFunc(by.Any, has)) && !slices.ContainsFunc(by.All, func(x *Term) bool { return !has(x) }) && !slices.ContainsFunc(by.Not, has) {
				want = append(want, e)
			}
		}
		if got := snap.Select(by); !slices.Equal(got, want) {
			t.Fatalf("%d posts, want %d", len(got), len(want))
		}
	})
}

func TestTermAt(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "A", "2026-01-01", "tags: [C++, Open Science]")
	snap := s.load()
	for slug, want := range map[string]string{"cpp": "C++", "CPP": "C++", "open-science": "Open Science", "open science": "", "": ""} {
		got := snap.TermAt(Tag, slug)
		if (got == nil) != (want == "") || got != nil && got.Name != want {
			t.Errorf("%q: %+v, want %q", slug, got, want)
		}
	}
	if snap.TermAt(Category, "cpp") != nil || snap.TermAt("", "cpp") != nil {
		t.Error("a tag is found elsewhere")
	}
}
