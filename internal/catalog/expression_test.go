package catalog

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// draw gives an expression of some terms.
func draw(t *rapid.T, terms []TermKey) Expression {
	list := rapid.SliceOfNDistinct(rapid.SampledFrom(terms), 0, 3, func(k TermKey) TermKey { return k })
	x := Expression{Not: list.Draw(t, "not")}
	for range rapid.IntRange(0, 3).Draw(t, "lists") {
		if of := list.Draw(t, "list"); len(of) > 0 {
			x.Every = append(x.Every, of)
		}
	}
	return x
}

// Select must give what looking at each post gives, in the order of all posts.
func TestSelectIsWhatEachPostSays(t *testing.T) {
	s := newSite(t)
	for i, terms := range [][]string{
		{"categories: [one]", "tags: [x]"}, {"categories: [one]", "tags: [x, Y]"}, {"categories: [two]", "tags: [y, z]"},
		{"categories: [Two]"}, {"tags: [z]"}, {}, {"categories: [one]", "tags: [x, y, z]"},
	} {
		s.post(string(rune('a'+i))+".md", "Title", "2026-01-01", terms...)
	}
	snap := s.load()
	terms := []TermKey{{Category, "unknown"}}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		terms = append(terms, TermKey{t.Kind, t.Key})
	}
	rapid.Check(t, func(t *rapid.T) {
		xs := make([]Expression, rapid.IntRange(1, 3).Draw(t, "expressions"))
		for i := range xs {
			xs[i] = draw(t, terms)
		}
		var want []*Entry
		for _, e := range snap.Entries {
			if slices.ContainsFunc(xs, func(x Expression) bool { return x.Match(Carries(e.Post)) }) {
				want = append(want, e)
			}
		}
		if got := snap.Select(xs...); !slices.Equal(got, want) {
			t.Fatalf("%v: %d posts, want %d", xs, len(got), len(want))
		}
	})
}

func TestMatch(t *testing.T) {
	a, b, c := TermKey{Tag, "a"}, TermKey{Tag, "b"}, TermKey{Category, "a"}
	has := func(own ...TermKey) func(TermKey) bool {
		return func(t TermKey) bool { return slices.Contains(own, t) }
	}
	for name, x := range map[string]struct {
		by   Expression
		has  func(TermKey) bool
		want bool
	}{
		"everything":         {Expression{}, has(), true},
		"one of a list":      {Expression{Every: [][]TermKey{{a, b}}}, has(b), true},
		"none of a list":     {Expression{Every: [][]TermKey{{a, b}}}, has(c), false},
		"each of two lists":  {Expression{Every: [][]TermKey{{a, b}, {c}}}, has(a, c), true},
		"one of two lists":   {Expression{Every: [][]TermKey{{a, b}, {c}}}, has(a, b), false},
		"with one that not":  {Expression{Every: [][]TermKey{{a}}, Not: []TermKey{b}}, has(a, b), false},
		"without that":       {Expression{Every: [][]TermKey{{a}}, Not: []TermKey{b}}, has(a), true},
		"nothing can fit it": {Expression{Every: [][]TermKey{{}}}, has(a, b, c), false},
	} {
		if got := x.by.Match(x.has); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestExpressionsHaveOneForm(t *testing.T) {
	a, b, c := TermKey{Tag, "a"}, TermKey{Tag, "b"}, TermKey{Category, "a"}
	x := Expression{Every: [][]TermKey{{b, c, b}, {a}}, Not: []TermKey{c}}
	y := Expression{Every: [][]TermKey{{a}}}.And(Expression{Every: [][]TermKey{{c, b}, {a}}, Not: []TermKey{c}})
	if want := "category:a | tag:b & tag:a & -category:a"; x.String() != want || y.String() != want {
		t.Errorf("%s and %s, want %s", x, y, want)
	}
	if s := (Expression{}).String(); s != "" {
		t.Errorf("everything is %q", s)
	}
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
