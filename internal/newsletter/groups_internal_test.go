package newsletter

import (
	"fmt"
	"net/url"
	"runtime"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/digest"
	"tidings/internal/post"
	"tidings/internal/store"
	"tidings/templates"
)

// topicReaders is a million readers of 1,000 different choices of topics.
const (
	topicReaders = 1_000_000
	topicChoices = 1_000
)

// sorted has every reader assigned, who have so many kinds of choices, and gives the groups with how often a mail
// was composed.
func sorted(t testing.TB, readers, kinds int) (groups []store.Group, composed int) {
	t.Helper()
	mails, err := digest.Parse(templates.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{
		Site: Site{Title: "Field Notes", URL: "https://example.org", Language: "en", BaseURL: &url.URL{Scheme: "https", Host: "news.example.org"}},
	}, Deps{Templates: mails})
	now := time.Now()
	var entries []*catalog.Entry
	for i := range 20 {
		title := fmt.Sprintf("Post %d: how to build a raised bed", i)
		entries = append(entries, &catalog.Entry{
			Post:   &post.Post{Title: title, Categories: []string{fmt.Sprint("c", i%10)}, Tags: []string{"wood"}, Summary: "Timber, soil and an afternoon are all it takes to grow vegetables."},
			PostID: int64(i + 1), ID: title, URL: fmt.Sprintf("https://example.org/posts/%d/", i), Published: now.Add(-time.Duration(i) * time.Hour),
		})
	}
	choices := make([][]string, kinds)
	for i := range choices {
		for c := range 10 {
			if (i+1)&(1<<c) != 0 {
				choices[i] = append(choices[i], fmt.Sprint("c", c))
			}
		}
	}
	r := Request{Newsletter: Newsletter{Name: "weekly", Title: "Weekly", From: "news@example.org", Zone: time.UTC}, At: now}
	snap := &catalog.Snapshot{Entries: entries}
	a := newAudience(entries, nil, func(number int, v variant, due []*catalog.Entry) (store.Group, error) {
		composed++
		return s.compose(r, number, v, due, snap)
	})
	for i := range readers {
		a.Assign(store.Reader{SubscriberID: int64(i + 1), Categories: choices[i%kinds]})
	}
	if groups, err = a.Groups(); err != nil {
		t.Fatal(err)
	}
	return groups, composed
}

// However many readers there are, each group's mail is composed once.
func TestEachGroupIsComposedOnce(t *testing.T) {
	const choices = 100
	groups, composed := sorted(t, 3*choices, choices)
	if len(groups) != choices || composed != choices {
		t.Errorf("%d groups, %d mails composed, want %d of both", len(groups), composed, choices)
	}
}

// BenchmarkMillionReaders sorts and composes for a million readers, and reports
// how much more memory is in use afterwards.
func BenchmarkMillionReaders(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		groups, composed := sorted(b, topicReaders, topicChoices)
		runtime.GC()
		runtime.ReadMemStats(&after)
		size := 0
		for _, g := range groups {
			size += len(g.Template)
		}
		b.ReportMetric(float64(composed), "mails")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-kept")
		b.ReportMetric(float64(size)/1e6, "MB-mails")
		b.ReportMetric(float64(after.Sys)/1e6, "MB-sys")
	}
}
