package web_test

import (
	"strings"
	"testing"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

func TestPrivateFeed(t *testing.T) {
	s := newSite(t)
	s.people.subs["jo"] = newsletter.Subscription{Status: store.StatusActive}
	s.people.subs["left"] = newsletter.Subscription{Status: store.StatusUnsubscribed}
	for _, file := range []string{"feed.xml", "atom.xml", "feed.json"} {
		w := s.get("/feeds/private/jo/" + file)
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, "Ihre Themen") || !strings.Contains(body, "Immutable servers") || strings.Contains(body, "Logging without regret") {
			t.Errorf("%s: status %d\n%s", file, w.Code, body)
		}
		if strings.Contains(body, "private/jo") {
			t.Errorf("%s tells its own address", file)
		}
		for name, want := range map[string]string{
			"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer",
			"Access-Control-Allow-Origin": "", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", file, name, got, want)
			}
		}
		if again := s.get("/feeds/private/jo/"+file, header("If-None-Match", w.Header().Get("ETag"))); again.Code != 304 || again.Header().Get("Cache-Control") != "private, max-age=300" {
			t.Errorf("%s, asked again: %d, %v", file, again.Code, again.Header())
		}
		if coded := s.get("/feeds/private/jo/"+file, header("Accept-Encoding", "gzip")); coded.Code != 200 {
			t.Errorf("%s in gzip: %d", file, coded.Code)
		}
	}
	var answers []string
	for _, path := range []string{"/feeds/private/left/feed.xml", "/feeds/private/unknown/feed.xml"} {
		w := s.get(path)
		if w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
		answers = append(answers, w.Body.String())
	}
	if answers[0] != answers[1] {
		t.Error("one that has ended is told from one that never was")
	}
	if w := s.get("/feeds/private/jo/other.xml"); w.Code != 404 {
		t.Errorf("another file: %d", w.Code)
	}
	if log := s.log.String(); strings.Contains(log, "jo/feed") || !strings.Contains(log, "/feeds/private/…") {
		t.Errorf("the log:\n%s", log)
	}
}
