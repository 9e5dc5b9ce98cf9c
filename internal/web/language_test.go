package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tidings/internal/newsletter"
	"tidings/internal/store"
	"tidings/internal/web"
)

// Pages answer in the language that the browser asks for, if it is offered;
// caches learn that they depend on it, and never mix the languages up.
func TestAcceptLanguage(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.Languages = []string{"de", "ar", "nl"} })
	ask := func(path, accept, held string) (lang, dir, title string, h http.Header, status int) {
		w := s.get(path, header("Accept-Language", accept), header("If-None-Match", held))
		if w.Code == 200 {
			lang, dir, title = values(t, w, "html", "lang")[0], values(t, w, "html", "dir")[0], texts(t, w, "h1")[0]
		}
		return lang, dir, title, w.Header(), w.Code
	}
	tags := map[string]bool{}
	for _, c := range []struct{ accept, lang, dir, title string }{
		{"", "en", "ltr", "Subscribe"},
		{"de-CH,de;q=0.9,en;q=0.8", "de", "ltr", "Abonnieren"},
		{"ar", "ar", "rtl", "الاشتراك"},
		{"fr", "en", "ltr", "Subscribe"}, // there are messages, but it is not offered
		{"nl", "en", "ltr", "Subscribe"}, // it is offered, but there are no messages
		{"*", "en", "ltr", "Subscribe"},
		{"en-GB;q=0.3, ar;q=0.7", "ar", "rtl", "الاشتراك"},
		{"!", "en", "ltr", "Subscribe"},
	} {
		lang, dir, title, h, _ := ask("/subscribe", c.accept, "")
		if lang != c.lang || dir != c.dir || title != c.title {
			t.Errorf("%q: %s %s %q; want %s %s %q", c.accept, lang, dir, title, c.lang, c.dir, c.title)
		}
		if vary := strings.Join(h.Values("Vary"), ","); !strings.Contains(vary, "Accept-Language") {
			t.Errorf("%q: Vary: %s", c.accept, vary)
		}
		tags[h.Get("ETag")] = true
	}
	if len(tags) != 3 {
		t.Errorf("%d entity tags for three languages", len(tags))
	}
	_, _, _, english, _ := ask("/subscribe", "en", "")
	if _, _, _, h, status := ask("/subscribe", "en", english.Get("ETag")); status != 304 || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept-Language") {
		t.Errorf("unchanged: status %d, Vary: %q", status, h.Values("Vary"))
	}
	if _, _, _, _, status := ask("/subscribe", "de", english.Get("ETag")); status != 200 {
		t.Errorf("the English page stands for the German one: status %d", status)
	}
	if w := s.get("/feed.xml", header("Accept-Language", "de")); strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Language") {
		t.Error("feeds depend on the language")
	}
}

// On a page in another language the site's own words are marked.
func TestOwnWordsAreMarked(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.Languages = []string{"de"} })
	for accept, want := range map[string]string{"en": "", "de": "en"} {
		w := s.get("/", header("Accept-Language", accept))
		if brand, post := values(t, w, "a.brand", "lang")[0], values(t, w, "article.entry", "lang")[0]; brand != want || post != want {
			t.Errorf("%s: brand %q, post %q; want %q", accept, brand, post, want)
		}
		if date, _ := attr(all(t, w, "time")[0], "lang"); (date == "de") != (accept == "de") {
			t.Errorf("%s: the date is marked as %q", accept, date)
		}
	}
}

// Who signs up on a German page is on record as a reader of German, and the
// pages behind their links are German, whatever the browser says.
func TestLanguageOfAPerson(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.Languages = []string{"de"} })
	w := s.do(request("POST", "/subscribe", urlencoded("email", "a@example.org"), header("Accept-Language", "de")))
	if len(s.people.asked) != 1 || s.people.asked[0].Language != "de" {
		t.Errorf("signed up: %+v", s.people.asked)
	}
	if got := texts(t, w, "h1"); !slices.Equal(got, []string{"Sehen Sie in Ihr Postfach"}) {
		t.Errorf("answer %q", got)
	}
	for language, want := range map[string]string{"de": "Ein Klick zur Bestätigung", "ar": "نقرة واحدة للتأكيد", "nl": "One click to confirm", "": "One click to confirm"} {
		s.people.subs["tok"] = newsletter.Subscription{Newsletter: "weekly", Title: "Weekly", Status: store.StatusPending, Language: language}
		w := s.get("/confirm/tok", header("Accept-Language", "fr"))
		if got := texts(t, w, "h1"); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", language, got, want)
		}
	}
}

// Every fault has words.
func TestFaultsHaveWords(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) { c.Language = "de" })
	for path, want := range map[string]string{"/nowhere": "Seite nicht gefunden", "/confirm/none": "Dieser Link funktioniert nicht mehr", "/feeds/feed.xml?tag=none": "Diesen Feed gibt es nicht"} {
		if got := texts(t, s.get(path), "h1"); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
