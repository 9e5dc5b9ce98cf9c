package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tidings/internal/newsletter"
	"tidings/internal/web"
)

func TestSubscribe(t *testing.T) {
	s := newSite(t)
	w := s.do(request("POST", "/subscribe", urlencoded("email", " ann@example.org ", "newsletter", "weekly", "category", "devops", "tag", "cpp", "tag", "cloud")))
	if got := texts(t, w, "h1"); w.Code != 200 || !slices.Equal(got, []string{"Check your mail"}) {
		t.Fatalf("status %d: %q", w.Code, got)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	got := s.people.asked[0]
	if got.Email != "ann@example.org" || !slices.Equal(got.Newsletters, []string{"weekly"}) || !slices.Equal(got.Categories, []string{"devops"}) || !slices.Equal(got.Tags, []string{"cpp", "cloud"}) {
		t.Errorf("signed up: %+v", got)
	}
	again := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org")))
	stranger := s.do(request("POST", "/subscribe", urlencoded("email", "bob@example.org")))
	if again.Body.String() != stranger.Body.String() || again.Code != stranger.Code {
		t.Error("the answer tells who is known")
	}
}

func TestSubscribeFaults(t *testing.T) {
	for _, c := range []struct {
		name, email, newsletter string
		err                     error
		status                  int
		fault                   string
	}{
		{"no address", "", "weekly", nil, 422, "email-error"},
		{"not an address", "<ann>", "weekly", nil, 422, "email-error"},
		{"no such newsletter", "ann@example.org", "hourly", nil, 422, "newsletter-error"},
		{"mailing is off", "ann@example.org", "weekly", newsletter.ErrMailingOff, 503, ""},
		{"broken", "ann@example.org", "weekly", errors.New("disk on fire"), 500, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(c *web.Config, _ *web.Deps) {
				c.Newsletters = append(c.Newsletters, web.Newsletter{Name: "monthly", Title: "Monthly letter"})
			})
			s.people.err = c.err
			w := s.do(request("POST", "/subscribe", urlencoded("email", c.email, "newsletter", c.newsletter, "tag", "cpp")))
			if w.Code != c.status || len(s.people.asked) > 0 {
				t.Fatalf("status %d, want %d; signed up %v", w.Code, c.status, s.people.asked)
			}
			if strings.Contains(w.Body.String(), "disk on fire") {
				t.Error("the visitor sees the cause")
			}
			if c.fault == "" {
				return
			}
			if len(all(t, w, "p#"+c.fault)) != 1 || len(all(t, w, "[aria-describedby="+c.fault+"]")) != 1 {
				t.Error("no fault beside its field")
			}
			if got := values(t, w, "input#email", "value"); !slices.Equal(got, []string{c.email}) {
				t.Errorf("the address was lost: %q", got)
			}
			if got := values(t, w, "[checked]", "value"); !slices.Contains(got, "cpp") {
				t.Errorf("the topics were lost: %q", got)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) {
		c.Newsletters = append(c.Newsletters, web.Newsletter{Name: "monthly", Title: "Monthly letter"})
	})
	w := s.get("/subscribe?newsletter=monthly&category=DevOps&tag=cpp&tag=nonsense")
	if got := values(t, w, "[checked]", "value"); !slices.Equal(got, []string{"monthly", "devops", "cpp"}) {
		t.Errorf("chosen: %q", got)
	}
	if len(all(t, w, "details[open]")) != 1 {
		t.Error("the chosen topics are hidden")
	}
	plain := s.get("/subscribe")
	if got := values(t, plain, "[checked]", "value"); !slices.Equal(got, []string{"weekly"}) || len(all(t, plain, "details[open]")) != 0 {
		t.Errorf("without presets chosen: %q", got)
	}
}

func TestTrap(t *testing.T) {
	s := newSite(t)
	if got := values(t, s.get("/subscribe"), "input[name=remarks]", "tabindex"); !slices.Equal(got, []string{"-1"}) {
		t.Fatalf("the trap is %q", got)
	}
	honest := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org")))
	caught := s.do(request("POST", "/subscribe", urlencoded("email", "bot@example.org", "remarks", "buy")))
	if len(s.people.asked) != 1 {
		t.Errorf("signed up: %v", s.people.asked)
	}
	if caught.Code != honest.Code || caught.Body.String() != honest.Body.String() {
		t.Error("a program can see that it was caught")
	}
}

func TestMailingOff(t *testing.T) {
	for name, off := range map[string]options{
		"off":            func(c *web.Config, _ *web.Deps) { c.MailingOff = "the address of this site is not set" },
		"no newsletters": func(c *web.Config, _ *web.Deps) { c.Newsletters = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, off)
			for _, path := range []string{"/", "/subscribe", "/tags/cpp/"} {
				w := s.get(path)
				if w.Code != 200 || len(all(t, w, "form")) > 0 {
					t.Errorf("%s: status %d, or a form that cannot work", path, w.Code)
				}
				if path != "/subscribe" && strings.Contains(w.Body.String(), "/subscribe") {
					t.Errorf("%s leads to a form that cannot work", path)
				}
			}
			w := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org")))
			if w.Code != 503 || len(s.people.asked) > 0 || !strings.Contains(w.Body.String(), "Sign-up by mail is not possible") {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestHugeForm(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/subscribe", "/unsubscribe/ann"} {
		w := s.do(request("POST", path, urlencoded("email", "ann@example.org", "tag", strings.Repeat("x", 100_000))))
		if w.Code != 413 || s.people.changes > 0 {
			t.Errorf("%s: status %d, %d changes", path, w.Code, s.people.changes)
		}
	}
	if w := s.do(request("POST", "/subscribe", body("application/x-www-form-urlencoded", "email=%zz"))); w.Code != 400 {
		t.Errorf("a broken form: status %d", w.Code)
	}
}

func TestOtherSitesMayNotPost(t *testing.T) {
	evil := []func(*http.Request){header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")}
	for _, path := range []string{"/subscribe", "/confirm/ann", "/unsubscribe/ann"} {
		for _, edit := range evil {
			s := newSite(t)
			s.people.with("ann", "pending")
			w := s.do(request("POST", path, urlencoded("email", "ann@example.org", "scope", "all"), edit))
			if w.Code != 403 || s.people.changes > 0 {
				t.Errorf("%s: status %d, %d changes", path, w.Code, s.people.changes)
			}
		}
	}
}

// The site itself may post from each of its addresses, whatever Host the proxy
// in front passes on.
func TestOwnOriginsMayPost(t *testing.T) {
	for origin, site := range map[string]string{
		"https://news.example.org": "same-origin",
		"https://blog.example.org": "same-site",
		"http://localhost:8080":    "", // plain HTTP: the browser does not say
	} {
		s := newSite(t, func(c *web.Config, _ *web.Deps) {
			c.SiteURL, c.BaseURL = "https://blog.example.org", "https://news.example.org/mail"
		})
		w := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org"), header("Origin", origin), header("Sec-Fetch-Site", site)))
		if w.Code != 200 {
			t.Errorf("from %s: status %d", origin, w.Code)
		}
	}
}

// The form of every page signs up for what the page is about, or for every
// post.
func TestFormOnEveryPage(t *testing.T) {
	for path, want := range map[string]string{
		"/":                         "[] []",
		"/posts/immutable-servers/": "[devops] []",
		"/posts/older-7/":           "[devops] []",
		"/categories/devops/":       "[devops] []",
		"/tags/cpp/":                "[] [cpp]",
		"/feeds/tags/cpp/":          "[] [cpp]",
		"/feeds/combined/?category=notes&tag=cpp": "[notes] [cpp]",
		"/subscribe":                         "[] []",
		"/subscribe?category=devops&tag=cpp": "[devops] [cpp]",
	} {
		s := newSite(t)
		page := s.get(path)
		form := fields(t, page, "form.signup")
		form.Set("email", "ann@example.org")
		if w := s.submit("/subscribe", form); w.Code != 200 || len(s.people.asked) != 1 {
			t.Errorf("%s: status %d, signed up %+v", path, w.Code, s.people.asked)
			continue
		}
		if got := s.people.asked[0]; fmt.Sprint(got.Categories, " ", got.Tags) != want || !slices.Equal(got.Newsletters, []string{"weekly"}) || got.Timezone != "" {
			t.Errorf("%s: signed up for %+v, want %s", path, got, want)
		}
		if want != "[] []" && !strings.HasPrefix(path, "/subscribe") {
			if got := values(t, page, "input[name=scope]", "value"); !slices.Equal(got, []string{"these", "all"}) {
				t.Errorf("%s: a choice of %q", path, got)
			}
		}
		form.Set("scope", "all")
		s.submit("/subscribe", form)
		if got := s.people.asked[1]; len(got.Categories)+len(got.Tags) > 0 {
			t.Errorf("%s: every post is %v %v", path, got.Categories, got.Tags)
		}
	}
}

func TestUnknownTopic(t *testing.T) {
	s := newSite(t)
	s.people.err = newsletter.FieldErrors{newsletter.FieldTopics: newsletter.ErrTopic, newsletter.FieldFrequency: newsletter.ErrFrequency}
	w := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org", "tag", "pills")))
	if w.Code != 422 || len(all(t, w, "p#topics-error")) != 1 || len(all(t, w, "[aria-describedby=topics-error]")) != 2 || len(all(t, w, "select[aria-invalid=true]")) != 1 {
		t.Errorf("status %d: no fault beside the topics, or none beside the frequency", w.Code)
	}
	if strings.Contains(w.Body.String(), "pills") {
		t.Error("the page offers a topic that is none")
	}
}
