package digest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"tidings/internal/digest"
)

func TestSubject(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 60))
	cases := map[string]struct {
		posts                     int
		title, template, override string
		want                      string
	}{
		"one":         {posts: 1, title: "A post", want: "A post"},
		"two":         {posts: 2, title: "A post", want: "A post and 1 more post"},
		"three":       {posts: 3, title: "A post", want: "A post and 2 more posts"},
		"template":    {posts: 3, title: "A post", template: "{{.Newsletter}} of {{.Site}}, {{.Date}}: {{.Count}}", want: "The Weekly of House & Home, June 9, 2025: 3"},
		"date form":   {posts: 1, title: "A post", template: `{{.Date.Format "2 Jan"}}`, want: "9 Jun"},
		"override":    {posts: 3, title: "A post", template: "{{.Title}}", override: " Hello {{.Title}}\r\nBcc: x ", want: "Hello {{.Title}} Bcc: x"},
		"empty":       {posts: 1, title: "A post", template: "{{if false}}x{{end}}", want: "A post"},
		"markup":      {posts: 1, title: "<b>A & B</b>", want: "<b>A & B</b>"},
		"line breaks": {posts: 1, title: "A\r\nBcc: all@example.net\u2028B\x00\x1b[31m", want: "A Bcc: all@example.net B[31m"},
		"bidi":        {posts: 1, title: "abc\u202Efdp.exe\u2066\u200F", want: "abcfdp.exe"},
		"emoji":       {posts: 2, title: "👩‍👩‍👧 family", want: "👩‍👩‍👧 family and 1 more post"},
		"not UTF-8":   {posts: 1, title: "a\xffb", want: "a\uFFFDb"},
		"untitled":    {posts: 1, title: " ", want: "Timber, soil and an afternoon are all it takes to grow…"},
		"long":        {posts: 12, title: long, want: strings.TrimSpace(strings.Repeat("word ", 20)) + "… and 11 more posts"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := sample(c.posts)
			in.Items[0].Title, in.Newsletter.SubjectTemplate, in.Subject = c.title, c.template, c.override
			got := compose(t, in).Subject
			if got != c.want {
				t.Errorf("subject %q, want %q", got, c.want)
			}
			if n := utf8.RuneCountInString(got); n > digest.MaxSubject {
				t.Errorf("%d characters", n)
			}
		})
	}
}

// A post of which nothing is known but its address is called what its page is
// called; an address is no heading, and no subject.
func TestSubjectOfBarePosts(t *testing.T) {
	for alt, want := range map[string]string{"": "Untitled and 1 more post", "A cat": "A cat and 1 more post"} {
		in := sample(2)
		in.Items[0] = digest.Item{URL: "https://blog.example.org/posts/q/", Published: in.Date, Image: "https://blog.example.org/q.jpg", ImageAlt: alt}
		if got := compose(t, in).Subject; got != want {
			t.Errorf("description %q: subject %q, want %q", alt, got, want)
		}
	}
}

func TestSubjectOfEndlessTemplate(t *testing.T) {
	in := sample(1)
	in.Newsletter.SubjectTemplate = strings.Repeat("no end ", 50) + "{{.Title}}"
	got := compose(t, in).Subject
	if n := utf8.RuneCountInString(got); n > digest.MaxSubject || !strings.HasSuffix(got, "…") {
		t.Errorf("%d characters: %q", n, got)
	}
}

func TestCheckSubject(t *testing.T) {
	for _, good := range []string{"", "plain", "{{.Title}} ({{.Count}}) {{.More}} {{.Newsletter}} {{.Site}} {{.Date}}", `{{.Date.Format "2006"}}`} {
		if err := digest.CheckSubject(good); err != nil {
			t.Errorf("CheckSubject(%q) = %v", good, err)
		}
	}
	for _, bad := range []string{"{{.Title", "{{.Titel}}", "{{nonsense}}"} {
		if err := digest.CheckSubject(bad); err == nil {
			t.Errorf("CheckSubject(%q) found nothing", bad)
		}
	}
}
