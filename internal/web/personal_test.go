package web_test

import (
	"slices"
	"strings"
	"testing"

	"tidings/internal/store"
)

func TestConfirm(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusPending)
	shown := s.get("/confirm/ann")
	if got := texts(t, shown, "dl.facts"); !slices.Equal(got, []string{"NewsletterWeekly digest Addressann@example.org TopicsDevOps, cloud"}) {
		t.Errorf("shown: %q", got)
	}
	if got := values(t, shown, "form", "method"); !slices.Equal(got, []string{"post"}) {
		t.Errorf("forms: %q", got)
	}
	for range 2 {
		w := s.do(request("POST", "/confirm/ann"))
		if got := texts(t, w, "h1"); w.Code != 200 || !slices.Equal(got, []string{"You are subscribed"}) {
			t.Errorf("status %d: %q", w.Code, got)
		}
	}
	if s.people.subs["ann"].Status != store.StatusActive {
		t.Error("not confirmed")
	}
	if w := s.get("/confirm/ann"); len(all(t, w, "form")) > 0 {
		t.Error("the page still asks")
	}
}

func TestConfirmAfterLeaving(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusUnsubscribed)
	if w := s.get("/confirm/ann"); w.Code != 404 || len(all(t, w, "form")) > 0 {
		t.Errorf("status %d", w.Code)
	}
}

func TestUnsubscribePage(t *testing.T) {
	for scope, want := range map[string]string{"newsletter": "ann weekly", "all": "ann all", "": "ann weekly"} {
		s := newSite(t)
		s.people.with("ann", store.StatusActive)
		if got := values(t, s.get("/unsubscribe/ann"), "button[name=scope]", "value"); !slices.Equal(got, []string{"newsletter", "all"}) {
			t.Errorf("buttons: %q", got)
		}
		w := s.do(request("POST", "/unsubscribe/ann", urlencoded("scope", scope)))
		if got := texts(t, w, "h1"); w.Code != 200 || !slices.Equal(got, []string{"You have left"}) {
			t.Errorf("%q: status %d, %q", scope, w.Code, got)
		}
		if !slices.Equal(s.people.left, []string{want}) {
			t.Errorf("%q: left %q", scope, s.people.left)
		}
		if got := values(t, s.get("/unsubscribe/ann"), "button[name=scope]", "value"); !slices.Equal(got, []string{"all"}) {
			t.Errorf("buttons afterwards: %q", got)
		}
	}
}

func TestOneClick(t *testing.T) {
	const multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	for name, c := range map[string]struct{ mediaType, body string }{
		"urlencoded":     {"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		"with a charset": {"application/x-www-form-urlencoded; charset=UTF-8", "List-Unsubscribe=One-Click"},
		"multipart":      {"multipart/form-data; boundary=b", multipart},
		"without a type": {"", "List-Unsubscribe=One-Click"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.people.with("ann", store.StatusActive)
			for range 2 {
				w := s.do(request("POST", "/unsubscribe/ann", body(c.mediaType, c.body), header("Origin", "https://mail.example"), header("Sec-Fetch-Site", "cross-site")))
				if w.Code != 200 || w.Body.String() != "unsubscribed\n" || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Location") != "" {
					t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
				}
			}
			if !slices.Equal(s.people.left, []string{"ann weekly", "ann weekly"}) {
				t.Errorf("left: %q", s.people.left)
			}
		})
	}
	s := newSite(t)
	if w := s.do(request("POST", "/unsubscribe/forged", urlencoded("List-Unsubscribe", "One-Click"))); w.Code != 404 {
		t.Errorf("a forged token: status %d", w.Code)
	}
	if w := s.do(request("POST", "/unsubscribe/ann", body("multipart/form-data", "x"))); w.Code != 400 {
		t.Errorf("a broken form: status %d", w.Code)
	}
}

func TestPersonalPagesStayPersonal(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusActive)
	s.people.with("bob", store.StatusPending)
	for _, path := range []string{"/confirm/ann", "/confirm/bob", "/confirm/forged", "/unsubscribe/ann", "/unsubscribe/forged", "/confirm/bob/"} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			w := s.do(request(method, path))
			for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "ETag": ""} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %s (%d): %s is %q, want %q", method, path, w.Code, name, got, want)
				}
			}
			if w.Code == 200 && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				if got := values(t, w, "meta[name=robots]", "content"); !slices.Equal(got, []string{"noindex"}) {
					t.Errorf("%s %s: robots %q", method, path, got)
				}
			}
		}
	}
}

// A page that sends no referrer makes the browser name no origin either.
func TestButtonOverPlainHTTP(t *testing.T) {
	s := newSite(t)
	s.people.with("ann", store.StatusPending)
	if w := s.do(request("POST", "/confirm/ann", header("Origin", "null"))); w.Code != 200 {
		t.Errorf("confirm: status %d", w.Code)
	}
	if w := s.do(request("POST", "/confirm/ann", header("Origin", "null"), header("Sec-Fetch-Site", "cross-site"))); w.Code != 403 {
		t.Errorf("from another site: status %d", w.Code)
	}
	if w := s.do(request("POST", "/subscribe", header("Origin", "null"), urlencoded("email", "bob@example.org"))); w.Code != 403 {
		t.Errorf("sign-up without a token: status %d", w.Code)
	}
}
