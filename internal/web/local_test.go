package web_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tidings/internal/relay"
	"tidings/internal/web"
)

// captured puts a mail into the box and gives its address.
func captured(t testing.TB, s *site, to, html string) string {
	t.Helper()
	conn, err := s.post.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := "From: Field Notes <news@localhost>\nTo: " + to + "\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nDate: Mon, 07 Apr 2025 12:00:00 +0000\n" +
		"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nIn plain <words>.\n" +
		"--b\nContent-Type: text/html; charset=utf-8\n\n" + html + "\n--b--\n"
	env := relay.Envelope{From: "bounce@localhost", To: to}
	if _, err := conn.Send(t.Context(), env, []byte(strings.ReplaceAll(text, "\n", "\r\n")), nil); err != nil {
		t.Fatal(err)
	}
	items, err := s.box.List(1)
	if err != nil || len(items) != 1 {
		t.Fatalf("captured: %v, %v", items, err)
	}
	return "/admin/mailbox/" + items[0].ID + "/"
}

func TestRestrictedPages(t *testing.T) {
	s := newSite(t)
	mail := captured(t, s, "ann@example.org", "<p>Hello</p>")
	set := func(peer, host string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr, r.Host = peer, host }
	}
	for _, c := range []struct {
		name string
		edit func(*http.Request)
		ok   bool
	}{
		{"localhost", set("127.0.0.1:1", "localhost:8080"), true},
		{"localhost without a port", set("127.0.0.1:1", "LocalHost"), true},
		{"another loopback address", set("127.8.8.8:1", "127.0.0.53:80"), true},
		{"IPv6", set("[::1]:1", "[::1]:8080"), true},
		{"IPv6 without a port", set("[::1]:1", "[::1]"), true},
		{"IPv4 in IPv6", set("[::ffff:127.0.0.1]:1", "127.0.0.1"), true},
		{"a peer elsewhere", set("192.0.2.7:1", "localhost:8080"), false},
		{"a name that was rebound", set("127.0.0.1:1", "evil.example:8080"), false},
		{"a name that looks like it", set("127.0.0.1:1", "localhost.evil.example"), false},
		{"the public name", set("127.0.0.1:1", "news.example.org"), false},
		{"no host", set("127.0.0.1:1", ""), false},
		{"Forwarded", header("Forwarded", "for=192.0.2.7"), false},
		{"X-Forwarded-For", header("X-Forwarded-For", "127.0.0.1"), false},
		{"X-Forwarded-Proto", header("X-Forwarded-Proto", "https"), false},
		{"X-Forwarded-Anything", header("X-Forwarded-Anything", ""), false},
		{"X-Real-IP", header("X-Real-IP", "127.0.0.1"), false},
		{"Via", header("Via", "1.1 proxy"), false},
		{"CF-Connecting-IP", header("CF-Connecting-IP", "127.0.0.1"), false},
		{"HTTP/1.0", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0 }, false},
		{"CF-Ray", header("CF-Ray", "1"), false},
	} {
		for _, path := range []string{"/metrics", "/admin/mailbox/", "/admin/mailbox", mail, mail + "html", mail + "source"} {
			w := s.get(path, c.edit)
			if open := w.Code == 200 || w.Code == 301; open != c.ok || !c.ok && w.Code != 404 {
				t.Errorf("%s, %s: status %d", c.name, path, w.Code)
			}
		}
		if w := s.do(request("DELETE", "/metrics", c.edit)); !c.ok && w.Code != 404 {
			t.Errorf("%s: DELETE /metrics gives itself away with status %d", c.name, w.Code)
		}
	}
}

func TestMailbox(t *testing.T) {
	s := newSite(t)
	mail := captured(t, s, "ann@example.org", `<html><head><title>x</title></head><body><a href="/confirm/ann" target="_self">Confirm</a><script>1</script></body></html>`)
	list := s.get("/admin/mailbox/")
	if got := texts(t, list, "ol.mails"); len(got) != 1 || !strings.HasPrefix(got[0], "Grüße ann@example.org ·") {
		t.Errorf("list: %q", got)
	}
	if got := values(t, list, "a.subject", "href"); !slices.Equal(got, []string{mail}) {
		t.Errorf("link: %q, want %s", got, mail)
	}
	opened := s.get(mail)
	if got := values(t, opened, "iframe", "sandbox"); !slices.Equal(got, []string{"allow-popups allow-popups-to-escape-sandbox"}) {
		t.Errorf("sandbox: %q", got)
	}
	if got := values(t, opened, "iframe", "src"); !slices.Equal(got, []string{mail + "html"}) {
		t.Errorf("frame: %q", got)
	}
	if got := texts(t, opened, "pre.source"); !slices.Equal(got, []string{"In plain <words>."}) {
		t.Errorf("text: %q", got)
	}
	if got := texts(t, opened, "dl.headers"); !strings.Contains(got[0], "SubjectGrüße") {
		t.Errorf("headers: %q", got)
	}
	source := s.get(mail + "source")
	if got := source.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" || !strings.Contains(source.Body.String(), "Subject: =?utf-8?q?") {
		t.Errorf("source as %s: %s", got, source.Body)
	}
}

func TestMailIsHarmless(t *testing.T) {
	s := newSite(t)
	mail := captured(t, s, "ann@example.org", `<!doctype html><base href="https://evil.example/" target="_top"><a href="/confirm/ann" target="_top">Confirm</a><script>1</script>`)
	part := s.get(mail + "html")
	policy := part.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';") || strings.Contains(policy, "script") {
		t.Errorf("policy: %s", policy)
	}
	if got := values(t, part, "[target]", "target"); !slices.Equal(got, []string{"_blank"}) {
		t.Errorf("targets: %q", got)
	}
	if !strings.HasPrefix(part.Body.String(), "<!DOCTYPE html>") {
		t.Errorf("shown in quirks mode: %s", part.Body)
	}
}

func TestManyMails(t *testing.T) {
	s := newSite(t)
	for range 101 {
		captured(t, s, "ann@example.org", "<p>x</p>")
	}
	first := s.get("/admin/mailbox/")
	older := values(t, first, "a.older", "href")
	if len(all(t, first, "a.subject")) != 100 || len(older) != 1 {
		t.Fatalf("%d mails, link to older ones %q", len(all(t, first, "a.subject")), older)
	}
	second := s.get(older[0])
	if len(all(t, second, "a.subject")) != 1 || len(all(t, second, "a.older")) != 0 {
		t.Errorf("then %d mails", len(all(t, second, "a.subject")))
	}
}

func TestNoMailboxWhenSending(t *testing.T) {
	s := newSite(t, func(_ *web.Config, d *web.Deps) { d.Mailbox = nil })
	for _, path := range []string{"/admin/mailbox/", "/admin/mailbox/x/", "/admin/mailbox/x/html"} {
		if w := s.get(path); w.Code != 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	w := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org")))
	if strings.Contains(w.Body.String(), "mailbox") {
		t.Error("the visitor is sent to a mailbox that is not there")
	}
}

// The hint to the mailbox is for the maintainer alone.
func TestHint(t *testing.T) {
	s := newSite(t)
	form := urlencoded("email", "ann@example.org")
	if w := s.do(request("POST", "/subscribe", form)); len(all(t, w, "a[href=/admin/mailbox/]")) != 1 {
		t.Error("no hint on this machine")
	}
	if w := s.do(request("POST", "/subscribe", urlencoded("email", "ann@example.org"), header("X-Forwarded-For", "192.0.2.7"))); strings.Contains(w.Body.String(), "mailbox") {
		t.Error("a visitor sees the hint")
	}
}

func TestReadiness(t *testing.T) {
	broken := errors.New("the database cannot be written: disk full")
	s := newSite(t, func(_ *web.Config, d *web.Deps) { d.Ready = func(context.Context) error { return broken } })
	w := s.get("/readyz")
	if w.Code != 503 || w.Body.String() != "the database cannot be written: disk full\n" {
		t.Errorf("/readyz: status %d: %s", w.Code, w.Body)
	}
	if w := s.get("/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("/healthz: status %d: %s", w.Code, w.Body)
	}
}

func TestMetrics(t *testing.T) {
	if w := newSite(t).get("/metrics"); w.Body.String() != "tidings_up 1\n" {
		t.Errorf("metrics: %s", w.Body)
	}
	none := newSite(t, func(_ *web.Config, d *web.Deps) { d.Metrics = nil })
	if w := none.get("/metrics"); w.Code != 404 {
		t.Errorf("without metrics: status %d", w.Code)
	}
}
