package catalog

import (
	"slices"
	"strings"
	"testing"

	"tidings/internal/term"
)

// checkTerms compares a list of terms with one made from scratch.
func checkTerms(t testing.TB, entries []*Entry, terms []*Term, names func(*Entry) []string) {
	t.Helper()
	want := map[string][]*Entry{}
	for _, e := range entries {
		seen := map[string]bool{}
		for _, name := range names(e) {
			if key := term.Key(name); !seen[key] {
				want[key], seen[key] = append(want[key], e), true
			}
		}
	}
	slugs := map[string]bool{}
	for i, got := range terms {
		if !slices.Equal(got.Entries, want[got.Key]) {
			t.Errorf("%s %q has entries %q, want %q", got.Kind, got.Key, titles(got.Entries), titles(want[got.Key]))
		}
		delete(want, got.Key)
		if fold := strings.ToLower(got.Slug); slugs[fold] || fold == "" {
			t.Errorf("%s %q: slug %q is empty or taken", got.Kind, got.Key, got.Slug)
		} else {
			slugs[fold] = true
		}
		if i > 0 && terms[i-1].Slug > got.Slug {
			t.Errorf("%q comes before %q", terms[i-1].Slug, got.Slug)
		}
	}
	for key := range want {
		t.Errorf("term %q is missing", key)
	}
}
