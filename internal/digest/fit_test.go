package digest_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
)

var more = regexp.MustCompile(`And (\d+) more posts? on House & Home`)

// However much there is, the mail stays within its room, and every post is
// shown or counted, the newest first.
func TestFits(t *testing.T) {
	words := map[string]string{
		"ASCII":   strings.Repeat("word ", 40)[:200],
		"CJK":     strings.Repeat("漢字仮名", 50), // nine bytes each in quoted-printable
		"markup":  strings.Repeat("<&\"'>", 40),
		"letters": strings.Repeat("x", 200),
	}
	for name, title := range words {
		for _, n := range []int{1, 30, 500} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				in := sample(n)
				for i := range in.Items {
					in.Items[i].Title = fmt.Sprint(i+1, " ", title)
					in.Items[i].Summary = strings.Repeat(title, 3)
				}
				m := compose(t, in)
				if size := digest.Sent(m.HTML, m.Text); size > digest.MaxSent {
					t.Errorf("%d bytes as sent", size)
				}
				doc := parse(t, m.HTML)
				shown := strings.Count(m.HTML, "https://house.example/posts/")
				hidden := 0
				if match := more.FindStringSubmatch(text(doc)); match != nil {
					hidden, _ = strconv.Atoi(match[1])
				}
				if shown+hidden != n || shown == 0 {
					t.Errorf("%d shown and %d counted of %d posts", shown, hidden, n)
				}
				if got := strings.Count(m.Text, "https://house.example/posts/"); got != shown {
					t.Errorf("%d posts in the text part, %d in the HTML part", got, shown)
				}
				if !strings.Contains(m.HTML, fmt.Sprintf("/posts/%d/", shown)) || strings.Contains(m.HTML, fmt.Sprintf("/posts/%d/", shown+1)) {
					t.Errorf("the posts shown are not the newest %d", shown)
				}
			})
		}
	}
}

// Summaries give way before posts do.
func TestSummariesAreShortenedFirst(t *testing.T) {
	in := sample(45)
	for i := range in.Items {
		in.Items[i].Summary = strings.Repeat("A summary that goes on. ", 20)
	}
	m := compose(t, in)
	if got := strings.Count(m.HTML, "https://house.example/posts/"); got != 45 {
		t.Errorf("%d of 45 posts shown", got)
	}
	summary := ""
	for _, p := range all(parse(t, m.HTML), atom.P) {
		if strings.HasPrefix(text(p), "A summary") {
			summary = text(p)
			break
		}
	}
	if n := len([]rune(summary)); n == 0 || n > 160 {
		t.Errorf("the summary has %d characters, want it shortened but there: %q", n, summary)
	}
}

func TestMoreLinksToSite(t *testing.T) {
	m := compose(t, sample(300))
	if !regexp.MustCompile(`\nAnd \d+ more posts on House & Home:\nhttps://house.example/\n`).MatchString(m.Text) {
		t.Error("the text part does not say where the other posts are")
	}
	found := false
	for _, a := range all(parse(t, m.HTML), atom.A) {
		href, _ := attr(a, "href")
		found = found || href == "https://house.example/" && more.MatchString(text(a))
	}
	if !found {
		t.Error("the HTML part does not link to the other posts")
	}
	if !strings.HasSuffix(m.Subject, " and 299 more posts") {
		t.Errorf("the subject counts otherwise: %q", m.Subject)
	}
}
