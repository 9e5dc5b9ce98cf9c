package post_test

import (
	"os"
	"path/filepath"
	"testing"

	"tidings/internal/post"
)

// TestExamples keeps the sample blog free of problems.
func TestExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "posts")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 11 {
		t.Errorf("%d posts, want 11", len(entries))
	}
	for _, entry := range entries {
		src, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		p, problems, err := post.Parse(entry.Name(), src, post.Options{})
		if err != nil || len(problems) > 0 {
			t.Errorf("%v %v", err, problems)
			continue
		}
		if p.Hidden != "" || len(p.Categories) != 1 || len(p.Tags) < 3 || p.Summary == "" {
			t.Errorf("%s: %+v", entry.Name(), p)
		}
		checkHTML(t, post.Render(p, base(t)))
	}
}
