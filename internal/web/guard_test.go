package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/token"
	"tidings/internal/web"
)

// guarded is a site whose clock the test sets.
func guarded(t *testing.T, g web.Guard) (s *site, now *time.Time) {
	t.Helper()
	key, err := token.NewKey(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	g.Stamps = key
	at := noon
	s = newSite(t, func(c *web.Config, d *web.Deps) {
		c.SignUp, c.Origins = g, []string{"https://blog.example.org"}
		d.Now = func() time.Time { return at }
	})
	return s, &at
}

// TestFormsTakeTime: a form that comes at once, or without having been shown,
// asks for one more click, and loses nothing.
func TestFormsTakeTime(t *testing.T) {
	s, now := guarded(t, web.Guard{MinSeconds: 3})
	form := url.Values{"email": {"ann@example.org"}, "tag": {"cpp"}}
	w := s.submit("/subscribe", form)
	if w.Code != 200 || len(s.people.asked) != 0 || !slices.Equal(texts(t, w, "h1"), []string{"One more click"}) || !slices.Equal(chosen(t, w, "tag"), []string{"cpp"}) {
		t.Fatalf("status %d, %v\n%s", w.Code, s.people.asked, w.Body)
	}
	tok := values(t, w, "input[name=token]", "value")[0]
	form.Set("token", tok)
	*now = now.Add(2 * time.Second)
	if s.submit("/subscribe", form); len(s.people.asked) != 0 {
		t.Error("too early, and yet taken")
	}
	*now = now.Add(time.Second)
	if w := s.submit("/subscribe", form); len(s.people.asked) != 1 || !slices.Equal(texts(t, w, "h1"), []string{"Check your mail"}) {
		t.Errorf("in time, and not taken: %s", w.Body)
	}
	if s.submit("/subscribe", form); len(s.people.asked) != 1 {
		t.Error("a token was taken twice")
	}
	// Not by what has a fault: that is mended, and sent again.
	script := url.Values{"email": {"ann"}, "token": {s.token(t)}}
	*now = now.Add(3 * time.Second)
	if w := s.submit("/api/v1/subscribe", script); w.Code != 422 {
		t.Errorf("a fault: status %d: %s", w.Code, w.Body)
	}
	script.Set("email", "ann@example.org")
	if w := s.submit("/api/v1/subscribe", script); w.Code != 200 || len(s.people.asked) != 2 {
		t.Errorf("mended: status %d: %s", w.Code, w.Body)
	}
	s.people.asked = s.people.asked[:1]
	for _, spelling := range []string{strings.ToUpper(tok), strings.ToUpper(tok[:1]) + tok[1:], strings.Replace(tok, "k", "\u212a", 1)} {
		form.Set("token", spelling)
		if s.submit("/subscribe", form); len(s.people.asked) != 1 && spelling != tok {
			t.Errorf("a token was taken again as %q", spelling)
		}
	}
	form.Set("token", strings.ToUpper(tok)+"a")
	if s.submit("/subscribe", form); len(s.people.asked) != 1 {
		t.Error("a forged token was taken")
	}
	stale := values(t, s.submit("/subscribe", form), "input[name=token]", "value")[0]
	*now = now.Add(25 * time.Hour)
	form.Set("token", stale)
	if s.submit("/subscribe", form); len(s.people.asked) != 1 {
		t.Error("a token of yesterday was taken")
	}
}

// token gives a token as a script gets it.
func (s *site) token(t *testing.T) string {
	t.Helper()
	var c struct{ Token string }
	if err := json.Unmarshal(s.get("/api/v1/subscribe").Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	return c.Token
}

func TestProofOfWork(t *testing.T) {
	s, now := guarded(t, web.Guard{ProofOfWork: 8})
	var c struct {
		Token string
		Bits  int
	}
	if err := json.Unmarshal(s.get("/api/v1/subscribe").Body.Bytes(), &c); err != nil || c.Bits != 8 {
		t.Fatalf("%+v, %v", c, err)
	}
	right, wrong := "", ""
	for n := 0; right == "" || wrong == ""; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s:%d", c.Token, n))
		if sum[0] == 0 {
			right = fmt.Sprint(n)
		} else {
			wrong = fmt.Sprint(n)
		}
	}
	form := url.Values{"email": {"ann@example.org"}, "token": {c.Token}, "nonce": {wrong}}
	if s.submit("/subscribe", form); len(s.people.asked) != 0 {
		t.Error("a wrong solution was taken")
	}
	form.Set("nonce", right)
	if s.submit("/subscribe", form); len(s.people.asked) != 1 {
		t.Error("the solution was not taken")
	}
	// Without a script it takes half a minute.
	tok := values(t, s.submit("/subscribe", url.Values{"email": {"bob@example.org"}}), "input[name=token]", "value")[0]
	*now = now.Add(30 * time.Second)
	if s.submit("/subscribe", url.Values{"email": {"bob@example.org"}, "token": {tok}}); len(s.people.asked) != 2 {
		t.Error("who waited was not taken")
	}
}

// TestVisitorsWhomAProxyDoesNotName share what one network has.
func TestVisitorsWhomAProxyDoesNotName(t *testing.T) {
	s := newSite(t, func(c *web.Config, _ *web.Deps) {
		c.SignUp, c.TrustedProxies = web.Guard{PerNetwork: 6}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for _, forwarded := range []string{"203.0.113.9:%d", "[2001:db8:77::1]:%d", "[2001:db8:78::1]", "unknown", "_hidden%d"} {
		taken := 0
		for i := range 14 {
			hop := strings.Replace(forwarded, "%d", fmt.Sprint(4000+i), 1)
			if s.submit("/subscribe", url.Values{"email": {"ann@example.org"}}, header("X-Forwarded-For", hop)).Code == 200 {
				taken++
			}
		}
		if taken > 6 {
			t.Errorf("%s: %d of 14 were taken", forwarded, taken)
		}
	}
}

func TestSignUpsOfANetworkAreLimited(t *testing.T) {
	s, now := guarded(t, web.Guard{PerNetwork: 6})
	from := func(addr string) int {
		return s.submit("/subscribe", url.Values{"email": {"ann@example.org"}}, func(r *http.Request) { r.RemoteAddr = addr }).Code
	}
	for range 2 {
		if got := from("192.0.2.7:1234"); got != 200 {
			t.Fatalf("status %d", got)
		}
	}
	w := s.submit("/subscribe", url.Values{"email": {"ann@example.org"}}, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:99" })
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("a third one from one address: %d, %v", w.Code, w.Header())
	}
	allowed := 0
	for host := range 20 {
		if from(fmt.Sprintf("192.0.2.%d:1", 10+host)) == 200 {
			allowed++
		}
	}
	if allowed < 3 || allowed > 4 {
		t.Errorf("%d more from the same network, want those up to six", allowed)
	}
	if got := from("198.51.100.1:1"); got != 200 {
		t.Errorf("from another network: %d", got)
	}
	for range 3 {
		from("[2001:db8:1:2::1]:1")
	}
	if got := from("[2001:db8:1:2:ffff::9]:1"); got != 429 {
		t.Errorf("from the same /64: %d", got)
	}
	for i, want := range []int{200, 200, 429} { // what they signed up takes nothing from it
		if w := s.submit("/preferences", url.Values{"email": {"ann@example.org"}}, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1" }); w.Code != want {
			t.Errorf("asking for the link, %d: %d, want %d", i, w.Code, want)
		}
	}
	*now = now.Add(time.Hour)
	if got := from("192.0.2.7:1"); got != 200 {
		t.Errorf("an hour later: %d", got)
	}
}

func TestSignUpByScript(t *testing.T) {
	s, _ := guarded(t, web.Guard{})
	blog := header("Origin", "https://blog.example.org")
	post := func(mediaType, text string, edits ...func(*http.Request)) (int, string, http.Header) {
		edits = append([]func(*http.Request){body(mediaType, text), blog, header("Sec-Fetch-Site", "cross-site")}, edits...)
		w := s.do(request("POST", "/api/v1/subscribe", edits...))
		return w.Code, strings.TrimSpace(w.Body.String()), w.Header()
	}
	code, answer, h := post("application/json", `{"email": "ann@example.org", "tag": ["cpp", "cloud"], "hour": 6, "frequency": "daily"}`)
	if code != 200 || answer != `{"status":"check_mail"}` || h.Get("Access-Control-Allow-Origin") != "https://blog.example.org" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %s, %v", code, answer, h)
	}
	if got := s.people.asked[0]; got.Email != "ann@example.org" || !slices.Equal(got.Tags, []string{"cpp", "cloud"}) || got.Hour != "6" || got.Frequency != "daily" {
		t.Errorf("signed up: %+v", got)
	}
	code, known, _ := post("application/x-www-form-urlencoded", "email=ann@example.org")
	if code != 200 || known != answer {
		t.Errorf("as a form, by somebody known: %d, %s", code, known)
	}
	if code, answer, _ := post("application/json", `{"email": "ann", "language": "de"}`); code != 422 || !strings.Contains(answer, `"errors":{"email":"`) || !strings.Contains(answer, "Mail-Adresse") && !strings.Contains(answer, "Mailadresse") && !strings.Contains(answer, "Adresse") {
		t.Errorf("%d, %s", code, answer)
	}
	if code, answer, _ := post("application/json", `{"email": `); code != 400 || !strings.HasPrefix(answer, `{"status":"failed","errors":{"form":`) {
		t.Errorf("broken JSON: %d, %s", code, answer)
	}
	if code, _, _ := post("application/json", `{"email": "bot@example.org", "remarks": "buy"}`); code != 200 || len(s.people.asked) != 2 {
		t.Errorf("a program: %d, %v", code, s.people.asked)
	}
	if code, answer, h := post("application/json", `{"email": "a@example.org"}`, header("Origin", "https://evil.example")); code != 403 ||
		h.Get("Access-Control-Allow-Origin") != "" || !strings.HasPrefix(answer, `{"status":"origin"`) {
		t.Errorf("another site: %d, %v, %s", code, h, answer)
	}
	s.people.err = newsletter.ErrBusy
	if code, answer, h := post("application/json", `{"email": "a@example.org"}`); code != 429 || !strings.HasPrefix(answer, `{"status":"too_many"`) || h.Get("Retry-After") == "" {
		t.Errorf("too many: %d, %s", code, answer)
	}
	w := s.do(request("OPTIONS", "/api/v1/subscribe", blog, header("Access-Control-Request-Method", "POST")))
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Headers") != "Content-Type" || w.Header().Get("Access-Control-Allow-Origin") != "https://blog.example.org" {
		t.Errorf("preflight: %d, %v", w.Code, w.Header())
	}
	w = s.do(request("OPTIONS", "/api/v1/subscribe", header("Origin", "https://evil.example"), header("Access-Control-Request-Method", "POST")))
	if w.Header().Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("preflight of another site: %v", w.Header())
	}
	// A plain form of the blog works too.
	s.people.err = nil
	if w := s.submit("/subscribe", url.Values{"email": {"c@example.org"}}, blog, header("Sec-Fetch-Site", "cross-site")); w.Code != 200 || len(s.people.asked) != 3 {
		t.Errorf("a form of the blog: %d", w.Code)
	}
}
