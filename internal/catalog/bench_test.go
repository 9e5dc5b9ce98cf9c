package catalog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tidings/internal/post"
)

// corpus gives a keeper that knows n posts, in yearly folders and with a
// thousand tags, as if it had read them from files.
func corpus(b *testing.B, s *site, n int) *keeper {
	b.Helper()
	k, err := open(context.Background(), s.cfg)
	must(b, err)
	found := make([]finding, n)
	for i := range found {
		day := noon.Add(-time.Duration(i) * 20 * time.Minute)
		name := fmt.Sprintf("%d/post-%06d.md", day.Year(), i)
		src := []byte(postText(fmt.Sprintf("Post %d", i), day.Format(time.RFC3339),
			fmt.Sprintf("categories: [Category %d]", i%7), fmt.Sprintf("tags: [Tag %d, Tag %d]", i%1000, i/100)))
		p, _, err := post.Parse(name, src, post.Options{})
		must(b, err)
		found[i] = finding{file: name, post: p, source: src, modTime: day}
		k.folder.files[name] = &file{met: true, hash: p.Hash}
	}
	k.roll.see(noon, found)
	_, err = k.pass(context.Background(), map[string]bool{}, false)
	must(b, err)
	return k
}

// BenchmarkEdit measures what one changed file costs from the event to the
// next snapshot, the database aside.
func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newSite(b)
			k := corpus(b, s, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.post("2026/post-000500.md", fmt.Sprintf("Edit %d", i), "2026-02-01", "tags: [Tag 1, Tag 2]")
				change, err := k.pass(context.Background(), map[string]bool{"2026/post-000500.md": true}, false)
				must(b, err)
				if len(change.Changed) != 1 {
					b.Fatalf("%d changed", len(change.Changed))
				}
			}
		})
	}
}

// BenchmarkStart measures what a first look costs beside reading the files.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		corpus(b, newSite(b), 100_000)
	}
}

// BenchmarkAfterCleanUp measures what the two thousand posts that left lately,
// and the twenty thousand that left before, cost every later change: an edit,
// and one more post that leaves.
func BenchmarkAfterCleanUp(b *testing.B) {
	s := newSite(b)
	k := corpus(b, s, 100_000)
	leave := func(from, to int) {
		var gone []finding
		for i := from; i < to; i++ {
			day := noon.Add(-time.Duration(i) * 20 * time.Minute)
			gone = append(gone, finding{file: fmt.Sprintf("%d/post-%06d.md", day.Year(), i), kind: vanished})
		}
		k.roll.see(s.clock(), gone)
		for _, rec := range k.roll.inOrder(k.roll.missing) {
			k.roll.bury(rec, s.clock())
		}
		_, err := k.pass(context.Background(), map[string]bool{}, false)
		must(b, err)
	}
	leave(50_000, 70_000)
	s.pass(40 * 24 * time.Hour)
	leave(70_000, 72_000)
	b.Run("edit", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s.post("2026/post-000500.md", fmt.Sprintf("Edit %d", i), "2026-02-01", "tags: [Tag 1, Tag 2]")
			_, err := k.pass(context.Background(), map[string]bool{"2026/post-000500.md": true}, false)
			must(b, err)
		}
	})
	b.Run("leave", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			leave(80_000+i, 80_001+i)
		}
	})
}
