package post_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/post"
)

const listing = `Apr 7, 2025 · DevOps

Builds: "Fast" and 60%+ *Cheaper*

It's a summary: with 'quotes', a <tag>, an &amp; and more...

ci-cd C++ IaC
Apr 5, 2025 · Best-Practices

Second

First line of the summary,
second line of it.

python
March 18, 2025 · Python
Second
Only a summary, no tags.
`

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestParseListing(t *testing.T) {
	want := []post.ListingItem{
		{Line: 1, Date: day(2025, 4, 7), Category: "DevOps", Title: `Builds: "Fast" and 60%+ *Cheaper*`,
			Summary: "It's a summary: with 'quotes', a <tag>, an &amp; and more...", Tags: []string{"ci-cd", "C++", "IaC"}},
		{Line: 8, Date: day(2025, 4, 5), Category: "Best-Practices", Title: "Second",
			Summary: "First line of the summary, second line of it.", Tags: []string{"python"}},
		{Line: 16, Date: day(2025, 3, 18), Category: "Python", Title: "Second", Summary: "Only a summary, no tags."},
	}
	for name, source := range map[string]string{
		"as is":       listing,
		"CRLF":        strings.ReplaceAll(listing, "\n", "\r\n"),
		"byte order":  "\uFEFF" + listing,
		"blank edges": strings.ReplaceAll(listing, "\n", " \t\n"),
	} {
		items, problems := post.ParseListing(strings.NewReader(source))
		if diff := cmp.Diff(want, items); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(problems) != 1 || problems[0].Line != 16 || !problems[0].Warning {
			t.Errorf("%s: problems %v", name, problems)
		}
	}
}

func TestListingProblems(t *testing.T) {
	source := "Hello\n\nApr 31, 2025 · X\nTitle\n\nApr 1, 2025 · Y\n\nApr 2, 2025\nNo category\ntag\n"
	items, problems := post.ParseListing(strings.NewReader(source))
	if len(items) != 1 || items[0].Title != "No category" {
		t.Errorf("items %v", items)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if !slices.Equal(lines, []int{1, 3, 6, 8}) {
		t.Errorf("problems %v", problems)
	}
	for name, source := range map[string]string{"binary": "\xff\xfe\x00", "huge": strings.Repeat("x", post.MaxBytes+1)} {
		if items, problems := post.ParseListing(strings.NewReader(source)); len(items) != 0 || len(problems) != 1 {
			t.Errorf("%s: %v %v", name, items, problems)
		}
	}
}

func TestWriteListing(t *testing.T) {
	items, _ := post.ParseListing(strings.NewReader(listing))
	dir := filepath.Join(t.TempDir(), "new", "posts")
	written, err := post.WriteListing(dir, items)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2025-04-07-builds-fast-and-60-cheaper.md", "2025-04-05-second.md", "2025-03-18-second-2.md"}
	if !slices.Equal(written, want) {
		t.Errorf("written %q, want %q", written, want)
	}
	for i, item := range items {
		checkRoundTrip(t, filepath.Join(dir, want[i]), item)
	}
	if again, err := post.WriteListing(dir, items); err != nil || len(again) != 0 {
		t.Errorf("a second import wrote %q, %v", again, err)
	}
}

func checkRoundTrip(t *testing.T, file string, item post.ListingItem) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, problems, err := post.Parse(filepath.Base(file), src, post.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v in\n%s", err, problems, src)
	}
	got := post.ListingItem{Line: item.Line, Date: p.Published, Title: p.Title, Summary: p.Summary, Tags: p.Tags}
	if len(p.Categories) > 0 {
		got.Category = p.Categories[0]
	}
	if diff := cmp.Diff(item, got); diff != "" {
		t.Errorf("%s (-item +parsed):\n%s\n%s", file, diff, src)
	}
}

func TestWriteListingLeavesOtherFilesAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "2025-04-07-a.md")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	items := []post.ListingItem{{Date: day(2025, 4, 7), Title: "A"}, {Date: day(2025, 4, 8), Title: "B"}}
	written, err := post.WriteListing(dir, items)
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(written, []string{"2025-04-08-b.md"}) {
		t.Errorf("written %q", written)
	}
	if src, _ := os.ReadFile(file); string(src) != "mine" {
		t.Errorf("the file was overwritten with %q", src)
	}
}

func FuzzParseListing(f *testing.F) {
	f.Add(listing)
	f.Add("Apr 7, 2025 · x\n1. Title {{ x }}\n# summary `<b>` \\ &lt; __x__\ntag")
	f.Add("May 1, 2025 - - y\n\r\r\n-\n\n{% raw %}\n")
	f.Fuzz(func(t *testing.T, source string) {
		items, problems := post.ParseListing(strings.NewReader(source))
		lines := strings.Count(source, "\n") + strings.Count(source, "\r") + 1
		for _, p := range problems {
			if p.Line > lines || p.Message == "" {
				t.Errorf("problem %v in %d lines", p, lines)
			}
		}
		if len(items) > 20 {
			return // the disk is slow
		}
		dir := t.TempDir()
		written, err := post.WriteListing(dir, items)
		if err != nil || len(written) != len(items) {
			t.Fatalf("wrote %q of %d items: %v", written, len(items), err)
		}
		for i, name := range written {
			if item := items[i]; len([]rune(item.Summary)) <= 160 && len(item.Title)+len(item.Summary) < 2000 {
				checkRoundTrip(t, filepath.Join(dir, name), item)
			}
		}
	})
}
