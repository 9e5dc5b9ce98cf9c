package storetest

import (
	"testing"

	"tidings/internal/store"
)

func testTermSlugs(_ *testing.T, f *fixture) {
	load := func() []store.TermSlug {
		slugs, err := f.LoadTermSlugs(f.ctx)
		f.check(err)
		return slugs
	}
	slug := func(kind, slug, key string, present bool) store.TermSlug {
		return store.TermSlug{Kind: kind, Slug: slug, Key: key, Present: present}
	}
	f.equal("none", len(load()), 0)
	f.check(f.SaveTermSlugs(f.ctx, []store.TermSlug{
		slug("tag", "go", "go", false), slug("category", "go", "go", true), slug("tag", "c-c", "c c", true),
	}))
	f.equal("slugs", load(), []store.TermSlug{
		slug("category", "go", "go", true), slug("tag", "c-c", "c c", true), slug("tag", "go", "go", true),
	})

	// A term moves on, and what it had stays its own.
	f.check(f.SaveTermSlugs(f.ctx, []store.TermSlug{slug("tag", "golang", "go", true)}))
	f.equal("after a move", load(), []store.TermSlug{
		slug("category", "go", "go", true), slug("tag", "c-c", "c c", true), slug("tag", "go", "go", false), slug("tag", "golang", "go", true),
	})

	// It comes back, and another takes what it had.
	f.check(f.SaveTermSlugs(f.ctx, []store.TermSlug{slug("tag", "go", "go", true), slug("tag", "golang", "golang", true)}))
	f.equal("after a return", load(), []store.TermSlug{
		slug("category", "go", "go", true), slug("tag", "c-c", "c c", true), slug("tag", "go", "go", true), slug("tag", "golang", "golang", true),
	})
}
