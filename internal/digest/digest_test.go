package digest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// builtin gives the templates as shipped.
func builtin(tb testing.TB) *digest.Templates {
	tb.Helper()
	t, err := digest.Parse(templates.Builtin())
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func compose(tb testing.TB, in digest.Input) mail.Message {
	tb.Helper()
	m, err := builtin(tb).Compose(in)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// monday is when the sample digests are made.
var monday = time.Date(2025, time.June, 9, 8, 0, 0, 0, time.UTC)

// sample is a digest with n posts.
func sample(n int) digest.Input {
	categories := []string{"Gardening", "Kitchen", "Workshop"}
	in := digest.Input{
		Site: digest.Site{Title: "House & Home", URL: "https://house.example/", Language: "en"},
		Newsletter: digest.Newsletter{
			Name: "weekly", Title: "The Weekly", From: "House <news@house.example>", ReplyTo: "editor@house.example",
			PostalAddress: "House & Home\n1 Long Lane\nTown", ListID: "weekly.house.example",
			WebURL: "https://house.example/newsletters/weekly/",
		},
		Base:        "https://news.house.example/base",
		Date:        monday,
		Preferences: true,
	}
	for i := range n {
		in.Items = append(in.Items, digest.Item{
			Title:       fmt.Sprintf("Post %d: how to build a raised bed", i+1),
			URL:         fmt.Sprintf("https://house.example/posts/%d/?a=1&b=2", i+1),
			Summary:     "Timber, soil and an afternoon are all it takes to grow vegetables above wet ground, if the boards are joined well.",
			Published:   monday.AddDate(0, 0, -i),
			Categories:  []string{categories[i%len(categories)]},
			Tags:        []string{"wood", "vegetables"},
			ReadingTime: 3,
		})
	}
	return in
}

func TestGolden(t *testing.T) {
	intro := sample(3)
	intro.Intro = "## Dear readers\n\nThis *week* is about **beds**: see [the plans](/plans/) or <https://example.org/x>.\n\n" +
		"1. dig\n2. build `it`\n   - nails\n   - boards\n\n> Measure twice,\n> cut once.\n\n```\nmake bed\n  -j2\n```\n\n---\n\nBye![A cat](cat.png)"
	intro.Items[0].Image = "https://house.example/bed.jpg"
	intro.Items[1].Language = "de"
	intro.Topics = []string{"Gardening", "Kitchen"}

	single := sample(1)
	single.Newsletter = digest.Newsletter{Name: "weekly", From: "news@house.example"}
	single.Preferences = false
	single.Items[0].Tags, single.Items[0].Categories, single.Items[0].ReadingTime = nil, nil, 0

	foreign := sample(2)
	foreign.Site.Language, foreign.Site.Title = "he", "הבית"
	foreign.Items[0].Title, foreign.Items[0].Summary = "איך בונים ערוגה מוגבהת", "עץ, אדמה ואחר צהריים אחד הם כל מה שצריך."

	arabic := sample(12)
	arabic.Site.Language, arabic.Site.Title = "ar", "البيت"
	arabic.Items[0].Title, arabic.Items[0].Summary = "كيف تبني حوضاً مرتفعاً", "الخشب والتربة وبعد الظهر كل ما تحتاجه."
	arabic.Items[1].Language = "en"
	arabic.Topics = []string{"الحديقة", "المطبخ"}

	german := sample(3) // of a reader, on an English site
	german.Language, german.Topics = "de", []string{"Gardening", "Kitchen"}
	german.Items[0].Language, german.Items[0].Title = "de", "Ein Hochbeet bauen"

	complete := sample(10) // all that a mail can hold
	complete.WebFolder, complete.Frequency = "https://news.house.example/base/newsletters/weekly/", "daily"
	complete.Intro, complete.Topics = "Hello", []string{"Gardening"}
	complete.Items[0].Image, complete.Items[0].ImageAlt, complete.Items[0].ImageWidth = "https://house.example/bed.jpg", "A bed & a cat", 300
	complete.Items[1].Again = true

	cases := map[string]digest.Input{"complete": complete, "single": single, "intro": intro, "grouped": sample(11), "foreign": foreign, "arabic": arabic, "german": german}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) { golden(t, name, compose(t, in)) })
	}
}

// golden compares a message with testdata, whatever its marks.
func golden(t *testing.T, name string, m mail.Message) {
	t.Helper()
	for ext, got := range map[string]string{"html": m.HTML, "txt": m.Text, "subject": m.Subject + "\n"} {
		got = strings.ReplaceAll(got, m.Nonce, "NONCE")
		file := filepath.Join("testdata", name+"."+ext)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got; run with -update if this is as it should be):\n%s", file, diff)
		}
	}
}

func TestMessage(t *testing.T) {
	in := sample(2)
	in.Location = time.FixedZone("east", 3*60*60)
	m := compose(t, in)
	if m.From != in.Newsletter.From || m.ReplyTo != in.Newsletter.ReplyTo || m.Language != "en" {
		t.Errorf("From %q, ReplyTo %q, Language %q", m.From, m.ReplyTo, m.Language)
	}
	if !m.Date.Equal(in.Date) || m.Date.Location() != in.Location {
		t.Errorf("Date = %v, want %v in the newsletter's zone", m.Date, in.Date)
	}
	want := []mail.Header{
		{Name: "List-Id", Value: `"The Weekly" <weekly.house.example>`},
		{Name: "List-Archive", Value: "<https://house.example/newsletters/weekly/>"},
		{Name: "Precedence", Value: "bulk"},
		{Name: "X-Auto-Response-Suppress", Value: "OOF, AutoReply"},
	}
	if diff := cmp.Diff(want, m.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestDeterministic(t *testing.T) {
	c, in := builtin(t), sample(20)
	in.Intro = "Hello *there*"
	bare := func() mail.Message {
		m, err := c.Compose(in)
		if err != nil {
			t.Fatal(err)
		}
		m.HTML = strings.ReplaceAll(m.HTML, m.Nonce, "")
		m.Text = strings.ReplaceAll(m.Text, m.Nonce, "")
		m.Nonce = ""
		return m
	}
	if diff := cmp.Diff(bare(), bare()); diff != "" {
		t.Errorf("two messages of the same input differ:\n%s", diff)
	}
}

func TestInputIsLeftAlone(t *testing.T) {
	in, same := sample(12), sample(12)
	compose(t, in)
	if diff := cmp.Diff(same, in); diff != "" {
		t.Errorf("Compose changed its input:\n%s", diff)
	}
}

// The day of a post is that of its own zone: a post dated without a time must
// not slip to the day before for readers further west.
func TestDaysInTheirOwnZones(t *testing.T) {
	in := sample(1)
	in.Items[0].Published = time.Date(2025, time.June, 8, 0, 0, 0, 0, time.UTC)
	in.Location = time.FixedZone("west", -8*60*60)
	in.Date = time.Date(2025, time.June, 9, 2, 0, 0, 0, time.UTC)
	m := compose(t, in)
	for _, want := range []string{"Jun 8, 2025", "June 8, 2025"} { // the post's, and the mail's
		if !strings.Contains(m.HTML, want) || !strings.Contains(m.Text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestComposeErrors(t *testing.T) {
	c := builtin(t)
	if _, err := c.Compose(sample(0)); !errors.Is(err, digest.ErrNoPosts) {
		t.Errorf("no posts: %v", err)
	}
	in := sample(1)
	in.Intro = strings.Repeat("A long introduction. ", 5000)
	if _, err := c.Compose(in); !errors.Is(err, digest.ErrTooLarge) {
		t.Errorf("introduction of 100 kB: %v", err)
	}
	in = sample(1)
	in.Base = "/relative"
	if _, err := c.Compose(in); err == nil || !strings.Contains(err.Error(), "http.url") {
		t.Errorf("relative base: %v", err)
	}
	in = sample(1)
	in.Newsletter.SubjectTemplate = "{{.Nonsense}}"
	if _, err := c.Compose(in); err == nil || !strings.Contains(err.Error(), "subject template") {
		t.Errorf("bad subject template: %v", err)
	}
}

// What package mail makes of the message has the reader's links in both
// parts, and stays within 80 kB.
func TestCompiles(t *testing.T) {
	for _, n := range []int{1, 11, 300} {
		m := compose(t, sample(n))
		compiled, err := mail.Compile(m)
		if err != nil {
			t.Fatal(err)
		}
		token := strings.Repeat("t", 60)
		out, err := compiled.Render(nil, mail.Recipient{
			To: "reader@example.net", MessageID: "1@house.example", Slots: map[string]string{digest.SlotUnsubscribe: token},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > 80_000 {
			t.Errorf("%d posts: %d bytes as sent", n, len(out))
		}
		joined := strings.ReplaceAll(string(out), "=\r\n", "")
		if got := strings.Count(joined, "/unsubscribe/"+token); got < 4 {
			t.Errorf("%d posts: %d links for leaving, want two in each part", n, got)
		}
	}
}

func BenchmarkCompose(b *testing.B) {
	for _, n := range []int{20, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, in := builtin(b), sample(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Compose(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
