package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// owned is a site with one subscriber.
func owned(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.people.subs["jo"] = newsletter.Subscription{Newsletter: "weekly", Title: "Weekly digest", Status: store.StatusActive, Email: "jo@example.org", Tags: []string{"cloud"}}
	return s
}

func (s *site) submit(target string, form url.Values, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	edits = append([]func(*http.Request){body("application/x-www-form-urlencoded", form.Encode())}, edits...)
	return s.do(request("POST", target, edits...))
}

// chosen gives the values of a field that are ticked or selected.
func chosen(t *testing.T, w *httptest.ResponseRecorder, name string) (list []string) {
	t.Helper()
	for _, n := range all(t, w, "input[checked]") {
		if own, _ := attr(n, "name"); own == name {
			v, _ := attr(n, "value")
			list = append(list, v)
		}
	}
	for _, n := range all(t, w, "option[selected]") {
		if own, _ := attr(n.Parent, "name"); own == name {
			v, _ := attr(n, "value")
			list = append(list, v)
		}
	}
	return list
}

func TestOwnPage(t *testing.T) {
	s := owned(t)
	w := s.get("/preferences/jo")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w.Code != 200 || !strings.Contains(w.Body.String(), "jo@example.org") {
		t.Fatalf("status %d\n%s", w.Code, w.Body)
	}
	if got := chosen(t, w, "tag.weekly"); !slices.Equal(got, []string{"cloud"}) {
		t.Errorf("topics chosen: %q", got)
	}
	if strings.Contains(w.Body.String(), `value="erase"`) {
		t.Error("an old link offers to erase everything")
	}

	// Every field comes back as it was sent.
	form := url.Values{
		"act": {"save"}, "on.weekly": {"1"}, "tag.weekly": {"cpp"}, "category.weekly": {"devops"}, "frequency.weekly": {"daily"}, "hour.weekly": {"6"},
		"timezone": {"Asia/Tokyo"}, "language": {"de"}, "format": {"text"}, "quiet_from": {"22"}, "quiet_to": {"7"},
	}
	w = s.submit("/preferences/jo", form)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Gespeichert") {
		t.Fatalf("status %d\n%s", w.Code, w.Body)
	}
	for name, want := range map[string][]string{
		"tag.weekly": {"cpp"}, "category.weekly": {"devops"}, "frequency.weekly": {"daily"}, "hour.weekly": {"6"}, "on.weekly": {"1"},
		"timezone": {"Asia/Tokyo"}, "language": {"de"}, "format": {"text"}, "quiet_from": {"22"}, "quiet_to": {"7"},
	} {
		if got := chosen(t, w, name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	// A mistake is told beside its field, and nothing of the rest is lost.
	form.Set("quiet_to", "22")
	form["tag.weekly"] = []string{"日本語"}
	w = s.submit("/preferences/jo", form)
	if w.Code != 422 || len(texts(t, w, "#quiet-error")) != 1 {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	if got := chosen(t, w, "tag.weekly"); !slices.Equal(got, []string{"日本語"}) {
		t.Errorf("after a mistake: %q", got)
	}

	if w := s.submit("/preferences/jo", url.Values{"act": {"leave"}}); w.Code != 200 || s.people.subs["jo"].Status != store.StatusUnsubscribed {
		t.Errorf("leaving: %d, %+v", w.Code, s.people.subs["jo"])
	}
	if w := s.get("/preferences/nobody"); w.Code != 404 || !strings.Contains(w.Body.String(), `href="/preferences"`) {
		t.Errorf("a wrong link: %d\n%s", w.Code, w.Body)
	}
	if w := s.submit("/preferences/jo", form, header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")); w.Code != 403 {
		t.Errorf("sent by another site: %d", w.Code)
	}
	if log := s.log.String(); strings.Contains(log, "/preferences/jo") {
		t.Errorf("the token is in the log:\n%s", log)
	}
}

// TestLeavingFromOnesOwnPage can be taken back, and a reason be given, as it can
// by the link in a mail.
func TestLeavingFromOnesOwnPage(t *testing.T) {
	s := owned(t)
	s.people.may = true
	w := s.submit("/preferences/jo-fresh", url.Values{"act": {"leave"}})
	if w.Code != 200 || !slices.Equal(values(t, w, "button[name=act]", "value"), []string{"return"}) || len(all(t, w, "input[name=why]")) != len(newsletter.WhyLeft) {
		t.Fatalf("status %d\n%s", w.Code, w.Body)
	}
	for _, action := range values(t, w, "main form", "action") {
		if action != "/unsubscribe/jo" {
			t.Errorf("a form goes to %s", action)
		}
	}
}

// TestAChangeOfAddressIsStopped by one button.
func TestAChangeOfAddressIsStopped(t *testing.T) {
	s := owned(t)
	s.people.next = "evil@example.net"
	if got := values(t, s.get("/preferences/jo"), "button[name=act]", "value"); !slices.Contains(got, "stay") {
		t.Errorf("buttons: %q", got)
	}
	before := s.people.changes
	if w := s.submit("/preferences/jo", url.Values{"act": {"stay"}}); w.Code != 200 || s.people.changes != before+1 || strings.Contains(w.Body.String(), "evil") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
}

// TestOwnFaults: every field that is wrong is marked, and says so beside it.
func TestOwnFaults(t *testing.T) {
	s := owned(t)
	for field, err := range map[string]error{
		newsletter.Of(newsletter.FieldFrequency, "weekly"): newsletter.ErrFrequency, newsletter.Of(newsletter.FieldHour, "weekly"): newsletter.ErrHour,
		newsletter.FieldFormat: newsletter.ErrFormat, newsletter.FieldZone: newsletter.ErrZone, newsletter.FieldQuiet: newsletter.ErrQuiet, newsletter.FieldPause: newsletter.ErrPause,
	} {
		s.people.faults = newsletter.FieldErrors{field: err}
		w := s.submit("/preferences/jo", url.Values{"act": {"save"}, "on.weekly": {"1"}})
		marked := all(t, w, "[aria-invalid=true]")
		if w.Code != 422 || len(marked) == 0 {
			t.Errorf("%s: %d, nothing is marked", field, w.Code)
			continue
		}
		described, _ := attr(marked[0], "aria-describedby")
		ids := strings.Fields(described)
		if got := texts(t, w, "#"+ids[len(ids)-1]); len(got) != 1 || got[0] == "" {
			t.Errorf("%s: beside it stands %q", field, got)
		}
	}
}

func TestOwnFeed(t *testing.T) {
	s := owned(t)
	if got := values(t, s.get("/preferences/jo"), "button[name=act]", "value"); slices.Contains(got, "feed") {
		t.Error("an old link offers a feed")
	}
	w := s.submit("/preferences/jo-fresh", url.Values{"act": {"feed"}})
	if got := texts(t, w, "a.address"); len(got) != 3 || got[0] != base+"/feeds/private/secret/feed.xml" {
		t.Fatalf("status %d: %q", w.Code, got)
	}
	w = s.submit("/preferences/jo", url.Values{"act": {"nofeed"}})
	if got := texts(t, w, "a.address"); len(got) != 0 {
		t.Errorf("ended: %q", got)
	}
}

func TestOwnData(t *testing.T) {
	s := owned(t)
	for _, act := range []string{"export", "erase", "address"} {
		if w := s.submit("/preferences/jo", url.Values{"act": {act}, "email": {"x@example.org"}}); w.Code != 403 {
			t.Errorf("%s with an old link: %d", act, w.Code)
		}
	}
	if w := s.submit("/preferences/jo", url.Values{"act": {"link"}}); w.Code != 200 || !slices.Equal(s.people.sent, []string{"jo@example.org"}) {
		t.Errorf("a fresh link: %d, %q", w.Code, s.people.sent)
	}
	w := s.submit("/preferences/jo-fresh", url.Values{"act": {"export"}})
	if w.Code != 200 || w.Header().Get("Content-Disposition") != `attachment; filename="my-data.json"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("export: %d, %v", w.Code, w.Header())
	}
	w = s.submit("/preferences/jo-fresh", url.Values{"act": {"address"}, "email": {"nothing"}})
	if w.Code != 422 || len(texts(t, w, "#email-error")) != 1 {
		t.Errorf("no address: %d", w.Code)
	}
	if w = s.submit("/preferences/jo-fresh", url.Values{"act": {"address"}, "email": {" new@example.org "}}); w.Code != 200 || s.people.sent[1] != "new@example.org" {
		t.Errorf("another address: %d, %q", w.Code, s.people.sent)
	}
	before := s.people.changes
	if w := s.get("/address/jo"); w.Code != 200 || !strings.Contains(w.Body.String(), "new@example.org") || s.people.changes != before {
		t.Errorf("looking at it: %d, %d changes", w.Code, s.people.changes-before)
	}
	if w := s.submit("/address/jo", nil); w.Code != 200 || s.people.changes != before+1 {
		t.Errorf("confirming it: %d", w.Code)
	}
	if w := s.submit("/preferences/jo-fresh", url.Values{"act": {"erase"}}); w.Code != 200 || len(s.people.names()) != 0 {
		t.Errorf("erasing: %d, %q", w.Code, s.people.names())
	}
}

// TestLinkToOnesOwnPage: the answer is the same whether the address is known.
func TestLinkToOnesOwnPage(t *testing.T) {
	s := owned(t)
	if w := s.get("/preferences"); w.Code != 200 || len(values(t, w, "input[name=email]", "type")) != 1 {
		t.Fatalf("the form: %d\n%s", w.Code, w.Body)
	}
	var answers []string
	for _, email := range []string{"jo@example.org", "nobody@example.org"} {
		w := s.submit("/preferences", url.Values{"email": {email}})
		if w.Code != 200 {
			t.Errorf("%s: %d", email, w.Code)
		}
		answers = append(answers, w.Body.String())
	}
	if answers[0] != answers[1] {
		t.Error("the answers differ")
	}
	if w := s.submit("/preferences", url.Values{"email": {"jo"}}); w.Code != 422 {
		t.Errorf("no address: %d", w.Code)
	}
	if w := s.submit("/preferences", url.Values{"email": {"jo@example.org"}, "remarks": {"buy"}}); w.Code != 200 || len(s.people.sent) != 2 {
		t.Errorf("a program: %d, %q", w.Code, s.people.sent)
	}
}

func TestLeavingAndComingBack(t *testing.T) {
	s := owned(t)
	w := s.submit("/unsubscribe/jo", url.Values{"scope": {"newsletter"}})
	if w.Code != 200 || len(all(t, w, "input[name=why]")) != len(newsletter.WhyLeft) {
		t.Fatalf("status %d\n%s", w.Code, w.Body)
	}
	sub := s.people.subs["jo"]
	sub.MayReturn = true
	s.people.subs["jo"] = sub
	if got := values(t, s.get("/unsubscribe/jo"), "button[name=act]", "value"); !slices.Equal(got, []string{"return"}) {
		t.Errorf("buttons: %q", got)
	}
	w = s.submit("/unsubscribe/jo", url.Values{"act": {"why"}, "why": {"too_many"}})
	if w.Code != 200 || !slices.Equal(s.people.why, []string{"jo too_many"}) || len(all(t, w, "input[name=why]")) != 0 {
		t.Errorf("why: %d, %q", w.Code, s.people.why)
	}
	if w = s.submit("/unsubscribe/jo", url.Values{"act": {"return"}}); w.Code != 200 || s.people.subs["jo"].Status != store.StatusActive {
		t.Errorf("return: %d, %+v", w.Code, s.people.subs["jo"])
	}
}
