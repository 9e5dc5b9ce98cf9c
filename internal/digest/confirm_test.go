package digest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
	"tidings/internal/mail"
)

func TestConfirm(t *testing.T) {
	in := sample(1)
	m, err := builtin(t).Confirm(digest.ConfirmInput{
		Site: in.Site, Newsletter: in.Newsletter, Base: in.Base,
		Asked: []digest.Asked{
			{Title: "The Weekly", Topics: []string{"Gardening", "wood"}, Frequency: "daily", Hour: "6", Zone: "America/New_York"},
			{Title: "News", Frequency: "each", Zone: "UTC", TextOnly: true},
		},
		Date: monday, ValidUntil: monday.AddDate(0, 0, 3),
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "confirm", m)

	link := "https://news.house.example/base/confirm/" + mail.Mark(m.Nonce, digest.SlotConfirm)
	links := all(parse(t, m.HTML), atom.A)
	if len(links) != 1 {
		t.Fatalf("%d links, want the one", len(links))
	}
	if href, _ := attr(links[0], "href"); href != link || height(t, links[0]) < 44 {
		t.Errorf("link to %s, %d pixels high", href, height(t, links[0]))
	}
	if strings.Count(m.Text, "http") != 1 || !strings.Contains(m.Text, "\n"+link+"\n") {
		t.Errorf("the text part has not exactly the link on a line of its own:\n%s", m.Text)
	}
	for _, want := range []string{"The Weekly", "House & Home", "Daily · 06:00 · America/New York · Gardening, wood", "The Weekly, News", "Each post by itself · UTC · Plain text", "not you?", "June 12, 2025"} {
		if !strings.Contains(m.Text, want) || !strings.Contains(text(parse(t, m.HTML)), want) {
			t.Errorf("%q is not in both parts", want)
		}
	}
	want := []mail.Header{{Name: "Auto-Submitted", Value: "auto-generated"}, {Name: "X-Auto-Response-Suppress", Value: "OOF, AutoReply"}}
	if diff := cmp.Diff(want, m.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if _, err := mail.Compile(m); err != nil {
		t.Error(err)
	}
}

func TestConfirmNeedsBase(t *testing.T) {
	in := sample(1)
	if _, err := builtin(t).Confirm(digest.ConfirmInput{Site: in.Site, Newsletter: in.Newsletter, Date: monday}); err == nil {
		t.Error("a confirmation without a public address was made")
	}
}

// The mail is in the reader's language, if there are messages in it; else in
// the site's.
func TestConfirmLanguage(t *testing.T) {
	for _, c := range []struct{ site, reader, subject, lang string }{
		{"en", "", "Please confirm your subscription to The Weekly", "en"},
		{"en", "de-CH", "Bitte bestätigen Sie Ihr Abonnement von The Weekly", "de-CH"},
		{"de", "nl", "Bitte bestätigen Sie Ihr Abonnement von The Weekly", "de"},
		{"de", "en", "Please confirm your subscription to The Weekly", "en"},
		{"pt-BR", "", "Please confirm your subscription to The Weekly", "pt-BR"},
	} {
		in := sample(1)
		m, err := builtin(t).Confirm(digest.ConfirmInput{
			Site: digest.Site{Title: in.Site.Title, URL: in.Site.URL, Language: c.site}, Newsletter: in.Newsletter,
			Base: in.Base, Date: monday, ValidUntil: monday, Language: c.reader,
		})
		if err != nil || m.Subject != c.subject || m.Language != c.lang {
			t.Errorf("%s reader on a site in %s: %q in %s, %v; want %q in %s", c.reader, c.site, m.Subject, m.Language, err, c.subject, c.lang)
		}
	}
}

// Subjects count in the language's own plural forms.
func TestSubjectPlurals(t *testing.T) {
	for _, c := range []struct {
		language string
		posts    int
		want     string
	}{
		{"de", 1, "T"}, {"de", 2, "T und 1 weiterer Beitrag"}, {"de", 3, "T und 2 weitere Beiträge"},
		{"ar", 3, "T ومقالان آخران"}, {"ar", 4, "T و3 مقالات أخرى"}, {"ja", 5, "T ほか4件"}, {"fr", 2, "T et 1 autre article"},
	} {
		in := sample(c.posts)
		in.Items[0].Title, in.Language = "T", c.language
		if m := compose(t, in); m.Subject != c.want {
			t.Errorf("%s, %d posts: %q, want %q", c.language, c.posts, m.Subject, c.want)
		}
	}
}
